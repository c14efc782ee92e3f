package httpx

import (
	"context"
	"net"
	"net/http"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// Attach lets srv tell when responses have left, so that tasks start right after them, and lets its Shutdown end what would
// hold it up: live streams and connections that never sent a request. Hooks that srv has already are kept and called.
// Call it before srv serves; it starts nothing itself.
func Attach(srv *http.Server, m *taskflow.Manager) { attach(srv, m, stalled) }

func attach(srv *http.Server, m *taskflow.Manager, stalled time.Duration) {
	if srv == nil {
		panic("tasks.Attach: the server is nil: pass the *http.Server that will serve your routes")
	}
	if m == nil {
		panic("tasks.Attach: the manager is nil: pass what taskflow.New returned")
	}
	cs := &conns{stalled: stalled}
	theirContext, theirState := srv.ConnContext, srv.ConnState
	srv.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		if theirContext != nil {
			ctx = theirContext(ctx, c)
		}
		if ctx == nil {
			return nil // the server panics with a text of its own
		}
		return cs.accepted(ctx, c)
	}
	srv.ConnState = func(c net.Conn, s http.ConnState) {
		cs.changed(c, s)
		if theirState != nil {
			theirState(c, s)
		}
	}
	srv.RegisterOnShutdown(func() {
		m.BeginShutdown()
		cs.closeSilent()
	})
}
