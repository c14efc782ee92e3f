package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// Server is what Run serves and stops, once.
type Server interface {
	// Serve accepts connections on ln until Shutdown or Close. It returns nil when it was asked to end, and may do so before Shutdown
	// has returned.
	Serve(ln net.Listener) error
	// Shutdown takes no more connections and returns when the requests in flight have been answered, or with ctx's error. Called once,
	// after or during Serve.
	Shutdown(ctx context.Context) error
	// Close cuts the connections that Shutdown has left.
	Close() error
}

// Run serves what newServer makes, on addr, with the tasks of m, until ctx ends, the process gets SIGINT or SIGTERM, or serving fails.
// It owns m: it starts it before the first request is accepted and stops it after the last one.
//
// Options, address, listener and newServer come first; where one fails, and when ctx has ended already, m is left as it was. A start that ctx
// or a signal cuts off is no error. After the first signal the second one kills the process, as always.
func Run(ctx context.Context, m *taskflow.Manager, addr string, opts []Option, newServer func(*Config) (Server, error)) error {
	if err := run(ctx, m, addr, opts, newServer); err != nil {
		return fmt.Errorf("tasks.Run: %w", err)
	}
	return nil
}

func run(ctx context.Context, m *taskflow.Manager, addr string, opts []Option, newServer func(*Config) (Server, error)) (err error) {
	cfg, err := Apply(opts)
	ln := cfg.Listener
	defer func() {
		if ln != nil {
			err = errors.Join(err, closeListener(ln))
		}
	}()
	if err != nil {
		return err
	}
	if m == nil {
		return errors.New("the manager is nil: pass what taskflow.New returned")
	}
	srv, err := newServer(cfg)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		m.Logger().Info("not started", "cause", context.Cause(ctx))
		return nil
	}
	// Listening comes before starting: a second process on the same address fails here, before it touches the tasks of the first.
	if ln == nil {
		if ln, err = listen(ctx, addr); err != nil {
			return err
		}
	}

	ctx, unsignal := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer unsignal()
	giveBack := context.AfterFunc(ctx, unsignal) // the second signal kills a start that heeds no context, too
	err = m.Start(ctx)
	giveBack()
	if err != nil {
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) { // it was told to, which is no failure
			m.Logger().Info("not started", "cause", context.Cause(ctx))
			return nil
		}
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
	began := time.Now()
	err = errors.Join(failure, stop(context.WithoutCancel(ctx), srv, m, cfg), <-served)
	if err == nil { // otherwise whoever gets the error says it
		m.Logger().Info("stopped", "took", time.Since(began).Round(time.Millisecond))
	}
	return err
}

func serve(srv Server, ln net.Listener) error {
	if err := srv.Serve(ln); err != nil {
		return fmt.Errorf("serve on %s: %w", ln.Addr(), err)
	}
	return nil
}

func listen(ctx context.Context, addr string) (net.Listener, error) { return Listen(ctx, "tcp", addr) }

// Listen listens on a network that net.Listen knows. Its errors name addr.
func Listen(ctx context.Context, network, addr string) (net.Listener, error) {
	if addr == "" {
		return nil, errors.New(`the address is empty: write host:port, like ":8080"`)
	}
	ln, err := new(net.ListenConfig).Listen(ctx, network, addr)
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

// stop is the graceful end, in the only order that loses nothing: streams say goodbye, the server takes no more requests and
// finishes those in flight, which may still add tasks, and only then the tasks are drained.
func stop(ctx context.Context, srv Server, m *taskflow.Manager, cfg *Config) error {
	m.BeginShutdown()
	serverErr := shutdown(ctx, srv, cfg.ServerTimeout)
	drain, cancel := context.WithTimeout(ctx, cfg.DrainTimeout)
	defer cancel()
	return errors.Join(serverErr, m.Stop(drain))
}

func shutdown(ctx context.Context, srv Server, timeout time.Duration) error {
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
