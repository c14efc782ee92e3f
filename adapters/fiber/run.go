package tasks

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/taskflow-go/taskflow/adapters/internal/lifecycle"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// Run serves app on addr (host:port) with the tasks of m, until ctx ends or the process gets SIGINT or SIGTERM. It takes the
// place of app.Listen. context.Background() is all it needs: it handles the signals itself, and after the first one the second kills.
// It listens on IPv4 and IPv6 alike (with Prefork on one of them, see [AllowPrefork]); for anything else there is [WithListener].
//
// Start: the listener is bound, the manager started (backend opened, pending tasks recovered), then requests are accepted.
// Stop: live streams say goodbye, no more connections are accepted, requests in flight finish and may still add tasks, then
// running tasks get the drain time. Hooks of the app run as they do with app.Listen and app.Shutdown.
//
// It returns nil after a clean stop. Otherwise it returns, joined: what could not be done at the start (an address that is
// taken, a bad option, [ErrPrefork], an error of Manager.Start; ErrStopped for a manager that was stopped before), why serving ended by
// itself, requests that did not finish in time, the error of Manager.Stop; with Prefork, how child processes have failed. m is stopped when
// Run returns, unless it was never started: because an option, the address or the listener was bad, or because ctx had ended before.
func Run(ctx context.Context, app *fiber.App, m *taskflow.Manager, addr string, opts ...RunOption) error {
	if app != nil && app.Config().Prefork {
		return runPrefork(ctx, app, m, addr, opts)
	}
	return lifecycle.Run(ctx, m, addr, opts, func(*lifecycle.Config) (lifecycle.Server, error) {
		if app == nil {
			return nil, errors.New("the app is nil: pass what fiber.New returned")
		}
		return &server{app: app, serve: app.Listener}, nil
	})
}

// Attach prepares an app that you serve and shut down yourself. Tasks need nothing of it: fasthttp tells when a response has left, however it is
// served. Nor do the app's own live streams, which end when its Shutdown begins. It is for those that another server has, a dashboard on a port
// of its own, say: they end with the app's Shutdown, so that the other server's need not wait for them. Starting and stopping remain
// yours, in this order:
//
//	tasks.Attach(app, m)
//	err := m.Start(ctx)
//	err = app.Listen(addr) // in a goroutine; it returns as soon as Shutdown begins
//	...
//	err = app.ShutdownWithContext(ctx) // requests in flight finish, and may still add tasks
//	err = m.Stop(drainCtx)             // tasks finish
//
// Call it before the app serves. A second call changes nothing.
func Attach(app *fiber.App, m *taskflow.Manager) {
	if app == nil {
		panic("tasks.Attach: the app is nil: pass what fiber.New returned")
	}
	if m == nil {
		panic("tasks.Attach: the manager is nil: pass what taskflow.New returned")
	}
	// Streams of this app end themselves when its Shutdown begins (see bridge). This hook runs when it has ended, and ends the others.
	app.Hooks().OnShutdown(func() error {
		m.BeginShutdown()
		return nil
	})
}

// RunOption is an option of [Run]. A value that makes no sense is an error of Run.
type RunOption = lifecycle.Option

// WithListener serves on l instead of listening on Run's address, which may be empty then. Run closes l in every case. It may be a TLS
// listener.
func WithListener(l net.Listener) RunOption { return lifecycle.WithListener(l) }

// WithServerTimeout gives requests in flight d (0 or more, default 10 s) to finish when the server stops. Then their
// connections are closed, and Run's error says so.
func WithServerTimeout(d time.Duration) RunOption { return lifecycle.WithServerTimeout(d) }

// WithDrainTimeout gives tasks d (0 or more, default 20 s) to end once the last request has. Then their contexts end with cause
// [taskflow.ErrStopped], and what remains is saved or recorded as interrupted; see [taskflow.Manager.Stop].
func WithDrainTimeout(d time.Duration) RunOption { return lifecycle.WithDrainTimeout(d) }

// server is a Fiber app as lifecycle.Run serves it.
type server struct {
	app   *fiber.App
	serve func(net.Listener) error
	conns conns
}

// Serve implements lifecycle.Server.
func (s *server) Serve(ln net.Listener) error {
	if !s.conns.use(ln) {
		return nil
	}
	if err := s.serve(&s.conns); err != nil {
		return err
	}
	if !s.conns.isClosed() {
		return fmt.Errorf("the listener was closed by somebody else: %w", net.ErrClosed)
	}
	return nil
}

// Shutdown implements lifecycle.Server. The listener is closed first, because fasthttp does nothing when it has not begun to serve yet, and
// would begin later.
func (s *server) Shutdown(ctx context.Context) error {
	err := s.conns.Close()
	silent := time.AfterFunc(silentGrace, s.conns.cutSilent)
	defer silent.Stop()
	return errors.Join(err, s.app.ShutdownWithContext(ctx))
}

// Close implements lifecycle.Server.
func (s *server) Close() error {
	s.conns.cutAll()
	return nil
}
