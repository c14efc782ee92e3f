package tasks

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/taskflow-go/taskflow/adapters/internal/httpx"
	"github.com/taskflow-go/taskflow/adapters/internal/lifecycle"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// Run serves h on addr (host:port) with the tasks of m, until ctx ends or the process gets SIGINT or SIGTERM. It takes the
// place of http.ListenAndServe. context.Background() is all it needs: it handles the signals itself, and after the first one the second kills.
//
// Start: the listener is bound, the manager started (backend opened, pending tasks recovered), then requests are accepted.
// Stop: live streams say goodbye, no more connections are accepted, requests in flight finish and may still add tasks, then
// running tasks get the drain time.
//
// It returns nil after a clean stop. Otherwise it returns, joined: what could not be done at the start (an address that is
// taken, a bad option, an error of Manager.Start; ErrStopped for a manager that was stopped before), why serving ended by
// itself, requests that did not finish in time, the error of Manager.Stop. m is stopped when Run returns, unless it was never started:
// because an option, the address or the listener was bad, or because ctx had ended before.
func Run(ctx context.Context, h http.Handler, m *taskflow.Manager, addr string, opts ...RunOption) error {
	return httpx.Run(ctx, h, m, addr, opts...)
}

// Attach prepares a server of your own to tell when responses have left, and to end live streams at its Shutdown. Hooks that it has
// already are kept. Call it before the server serves; starting and stopping remain yours, in this order:
//
//	tasks.Attach(srv, m)
//	err := m.Start(ctx)
//	err = srv.ListenAndServe() // in a goroutine; it returns as soon as Shutdown begins
//	...
//	err = srv.Shutdown(ctx) // requests in flight finish, and may still add tasks
//	err = m.Stop(drainCtx)  // tasks finish
func Attach(srv *http.Server, m *taskflow.Manager) { httpx.Attach(srv, m) }

// RunOption is an option of [Run]. A value that makes no sense is an error of Run.
type RunOption = lifecycle.Option

// WithListener serves on l instead of listening on Run's address, which may be empty then. Run closes l in every case.
func WithListener(l net.Listener) RunOption { return lifecycle.WithListener(l) }

// WithServer lets f change the server before it serves: time-outs, limits, hooks. A TLSConfig with certificates makes Run serve HTTPS.
// Without it a request's header may take 10 s and a connection may idle for 2 minutes.
func WithServer(f func(*http.Server)) RunOption { return lifecycle.WithServer(f) }

// WithServerTimeout gives requests in flight d (0 or more, default 10 s) to finish when the server stops. Then their
// connections are closed, and Run's error says so.
func WithServerTimeout(d time.Duration) RunOption { return lifecycle.WithServerTimeout(d) }

// WithDrainTimeout gives tasks d (0 or more, default 20 s) to end once the last request has. Then their contexts end with cause
// [taskflow.ErrStopped], and what remains is saved or recorded as interrupted; see [taskflow.Manager.Stop].
func WithDrainTimeout(d time.Duration) RunOption { return lifecycle.WithDrainTimeout(d) }
