package httpx

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// Run serves h on addr with the tasks of m until ctx ends, the process gets SIGINT or SIGTERM, or serving fails. It owns m: it
// starts it before the first request is accepted and stops it after the last one.
//
// Options, address and listener are checked first; where that fails, and when ctx has ended already, m is left as it was. After the
// first signal the second one kills the process, as always.
func Run(ctx context.Context, h http.Handler, m *taskflow.Manager, addr string, opts ...RunOption) error {
	if err := run(ctx, h, m, addr, opts); err != nil {
		return fmt.Errorf("tasks.Run: %w", err)
	}
	return nil
}

func run(ctx context.Context, h http.Handler, m *taskflow.Manager, addr string, opts []RunOption) (err error) {
	cfg, err := newRunConfig(opts)
	ln := cfg.listener
	defer func() {
		if ln != nil {
			err = errors.Join(err, closeListener(ln))
		}
	}()
	switch {
	case err != nil:
		return err
	case m == nil:
		return errors.New("the manager is nil: pass what taskflow.New returned")
	case h == nil:
		return errors.New("the handler is nil: pass the router that has your routes")
	case ctx.Err() != nil:
		m.Logger().Info("not started", "cause", context.Cause(ctx))
		return nil
	}
	// Listening comes before starting: a second process on the same address fails here, before it touches the tasks of the first.
	if ln == nil {
		if ln, err = listen(ctx, addr); err != nil {
			return err
		}
	}
	srv := newServer(h, m, addr, cfg)

	ctx, unsignal := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer unsignal()
	if err := m.Start(ctx); err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- serve(srv, ln) }() // ended by stop, which closes the server; its answer is awaited below
	m.Logger().Info("serving", "addr", ln.Addr().String())

	var failure error
	select {
	case failure = <-served:
		served <- nil
		m.Logger().Info("shutting down", "cause", failure)
	case <-ctx.Done():
		m.Logger().Info("shutting down", "cause", context.Cause(ctx))
	}
	unsignal()
	return errors.Join(failure, stop(context.WithoutCancel(ctx), srv, m, cfg), <-served)
}

func listen(ctx context.Context, addr string) (net.Listener, error) {
	if addr == "" {
		return nil, errors.New(`the address is empty: write host:port, like ":8080"`)
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("address %s is taken by another listener: stop that one, or choose another address: %w", addr, err)
	case err != nil:
		return nil, fmt.Errorf("listen on %q: %w", addr, err)
	}
	return ln, nil
}

// closeListener closes a listener that its server may have closed before.
func closeListener(ln net.Listener) error {
	if err := ln.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("close the listener: %w", err)
	}
	return nil
}

func newServer(h http.Handler, m *taskflow.Manager, addr string, cfg *runConfig) *http.Server {
	srv := &http.Server{
		Addr: addr, Handler: h,
		ReadHeaderTimeout: 10 * time.Second, // a client that sends its header drop by drop does not hold a connection for ever
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(m.Logger().Handler(), slog.LevelWarn),
	}
	for _, f := range cfg.configure {
		f(srv)
	}
	Attach(srv, m)
	return srv
}

func serve(srv *http.Server, ln net.Listener) error {
	var err error
	if srv.TLSConfig != nil {
		err = srv.ServeTLS(ln, "", "")
	} else {
		err = srv.Serve(ln)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil // asked for, here or by whoever kept the server of WithServer
	}
	return fmt.Errorf("serve on %s: %w", ln.Addr(), err)
}

// stop is the graceful end, in the only order that loses nothing: streams say goodbye, the server takes no more requests and
// finishes those in flight, which may still add tasks, and only then the tasks are drained.
func stop(ctx context.Context, srv *http.Server, m *taskflow.Manager, cfg *runConfig) error {
	m.BeginShutdown()
	serverErr := shutdown(ctx, srv, cfg.serverTimeout)
	drain, cancel := context.WithTimeout(ctx, cfg.drainTimeout)
	defer cancel()
	return errors.Join(serverErr, m.Stop(drain))
}

func shutdown(ctx context.Context, srv *http.Server, timeout time.Duration) error {
	inTime, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := srv.Shutdown(inTime)
	if err == nil {
		return nil
	}
	if inTime.Err() != nil {
		err = fmt.Errorf("requests were still in flight after %v, their connections were closed: %w", timeout, err)
	} else {
		err = fmt.Errorf("shut down the server: %w", err)
	}
	return errors.Join(err, srv.Close())
}
