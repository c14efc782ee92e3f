package adaptertest

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"testing"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// OwnServer is [App.Own] of applications that net/http serves: attach is the adapter's Attach.
func OwnServer(t testing.TB, h http.Handler, m *taskflow.Manager, ln net.Listener,
	attach func(*http.Server, *taskflow.Manager),
) (shutdown func(context.Context) error) {
	t.Helper()
	srv := &http.Server{Handler: h, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	attach(srv, m)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }() // waited for by shutdown
	return func(ctx context.Context) error {
		err := srv.Shutdown(ctx)
		if got := <-served; !errors.Is(got, http.ErrServerClosed) {
			err = errors.Join(err, got)
		}
		return err
	}
}

// SetUser does what [Setup.Value] asks for.
func SetUser(r *http.Request, key any) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), key, r.Header.Get("User")))
}

// Recover is a recovery from panics for routers that have none.
func Recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if recover() != nil {
				w.WriteHeader(http.StatusInternalServerError)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// Exchange implements the parts of [Request] that write the response of net/http.
type Exchange struct {
	W http.ResponseWriter
	R *http.Request
}

// Context implements Request.
func (e Exchange) Context() context.Context { return e.R.Context() }

// Text implements Request.
func (e Exchange) Text(status int, body string) error {
	e.W.WriteHeader(status)
	if status == http.StatusNoContent {
		return nil
	}
	_, err := e.W.Write([]byte(body))
	return err
}

// Chunks implements Request.
func (e Exchange) Chunks(parts ...string) error {
	for _, part := range parts {
		if _, err := e.W.Write([]byte(part)); err != nil {
			return err
		}
		if err := http.NewResponseController(e.W).Flush(); err != nil {
			return err
		}
	}
	return nil
}

// Hijack implements Request.
func (e Exchange) Hijack(f func(net.Conn)) error {
	conn, rw, err := http.NewResponseController(e.W).Hijack()
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // the client's end is what tests look at
	if _, err := rw.WriteString("HTTP/1.1 101 Switching Protocols\r\n\r\n"); err != nil {
		return err
	}
	if err := rw.Flush(); err != nil {
		return err
	}
	f(conn)
	return nil
}
