package httpx

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// Why the tasks of a request were dropped.
var (
	// ErrHandlerPanicked: the handler panicked, or was left by runtime.Goexit.
	ErrHandlerPanicked = errors.New("the handler panicked")
	// ErrHandlerFailed: the handler returned an error, in a framework whose handlers can. That one is in the error, too.
	ErrHandlerFailed = errors.New("the handler returned an error")
)

// Request follows one request from the middleware to the moment at which its tasks may start: when its handler has returned
// and its response has left, in whatever order. It is one piece with the request's context and its batch, because every
// request pays for it, also those that add nothing.
//
// Made by [Begin] and ended by End, both on the handler's goroutine; everything else may come from any goroutine.
type Request struct {
	context.Context // of the request, as the middleware found it
	batch           taskflow.Batch
	conn            *conn    // nil: nobody will tell when the response is out
	next            *Request // of the same connection; guarded by conn.mu until the connection hands the list over

	mu       sync.Mutex
	returned bool        // the handler has
	sent     bool        // the response has been
	over     bool        // the batch was released or discarded
	timer    *time.Timer // releases the batch when it has waited for too long
	unwatch  func() bool // stops waiting for the end of the context
}

// Begin starts following r and returns r with its new context. It returns nil and r as it is when a middleware further out
// follows r already. The caller must call End, from a defer. It panics when the one further out has another manager: its tasks would
// silently go to that one.
func Begin(m *taskflow.Manager, r *http.Request) (*Request, *http.Request) {
	ctx := r.Context()
	switch t := ctx.Value(trackKey{}).(type) {
	case *Request:
		mustBeSame(m, &t.batch, r)
		return nil, r
	case *conn:
		q := newRequest(ctx, m)
		// An HTTP/2 connection serves many requests at a time: what it tells is about none of them.
		if r.ProtoMajor == 1 && t.join(q) {
			q.conn = t
		}
		return q, r.WithContext(q)
	}
	if b := taskflow.BatchFrom(ctx); b != nil { // of an adapter that does not build on this package
		mustBeSame(m, b, r)
		return nil, r
	}
	q := newRequest(ctx, m)
	return q, r.WithContext(q)
}

func mustBeSame(m *taskflow.Manager, outer *taskflow.Batch, r *http.Request) {
	if outer.Manager() != m {
		panic(fmt.Sprintf("tasks.Middleware: %s %s passes the middleware of two managers: use one manager for both, or one middleware for each route",
			r.Method, r.URL.Path))
	}
}

func newRequest(ctx context.Context, m *taskflow.Manager) *Request {
	q := &Request{Context: ctx}
	q.batch.Init(m)
	return q
}

// Value implements context.Context.
func (q *Request) Value(key any) any {
	switch key.(type) {
	case taskflow.BatchKey:
		return &q.batch
	case trackKey:
		return q
	}
	return q.Context.Value(key)
}

// End says how the handler has ended: with nil its tasks wait for the response, otherwise they are dropped. err is what the handler
// returned, which is wrapped in ErrHandlerFailed, or ErrHandlerPanicked.
func (q *Request) End(err error) {
	if err != nil {
		q.finish()
		q.batch.Discard(failure(err)) // does nothing after a release, which a hijack brings early
		return
	}
	q.mu.Lock()
	q.returned = true
	switch {
	case q.over || q.sent:
		q.over = true
	case q.conn != nil:
		q.waitForConn()
	default:
		q.over = q.waitForContext()
	}
	release := q.over
	q.mu.Unlock()
	if release {
		q.batch.Release()
	}
}

func failure(err error) error {
	if errors.Is(err, ErrHandlerPanicked) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrHandlerFailed, err)
}

// responseSent says that the last byte has been handed to the operating system, or that nothing more can be sent.
func (q *Request) responseSent() {
	q.mu.Lock()
	q.sent = true
	release := q.returned // otherwise http.TimeoutHandler has answered for a handler that goes on
	q.mu.Unlock()
	if release {
		q.release()
	}
}

// release lets the tasks start, those added later too.
func (q *Request) release() {
	q.finish()
	q.batch.Release()
}

// finish ends all waiting.
func (q *Request) finish() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.over = true
	if q.timer != nil {
		q.timer.Stop()
	}
	if q.unwatch != nil {
		q.unwatch()
	}
}
