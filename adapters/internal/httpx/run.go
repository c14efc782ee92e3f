package httpx

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/taskflow-go/taskflow/adapters/internal/lifecycle"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// Run serves h on addr with the tasks of m, as [lifecycle.Run] says.
func Run(ctx context.Context, h http.Handler, m *taskflow.Manager, addr string, opts ...lifecycle.Option) error {
	return lifecycle.Run(ctx, m, addr, opts, func(cfg *lifecycle.Config) (lifecycle.Server, error) {
		if h == nil {
			return nil, errors.New("the handler is nil: pass the router that has your routes")
		}
		return newServer(h, m, addr, cfg), nil
	})
}

// server is a net/http server in the hands of lifecycle.Run.
type server struct{ *http.Server }

func newServer(h http.Handler, m *taskflow.Manager, addr string, cfg *lifecycle.Config) server {
	srv := &http.Server{
		Addr: addr, Handler: h,
		ReadHeaderTimeout: 10 * time.Second, // a client that sends its header drop by drop does not hold a connection for ever
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(m.Logger().Handler(), slog.LevelWarn),
	}
	for _, f := range cfg.Configure {
		f(srv)
	}
	Attach(srv, m)
	return server{srv}
}

// Serve implements lifecycle.Server. A TLSConfig makes it speak HTTPS.
func (s server) Serve(ln net.Listener) error {
	var err error
	if s.TLSConfig != nil {
		err = s.ServeTLS(ln, "", "")
	} else {
		err = s.Server.Serve(ln)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil // asked for, here or by whoever kept the server of WithServer
	}
	return err
}
