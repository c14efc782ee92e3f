package tasks

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/taskflow-go/taskflow/adapters/internal/httpx"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// ErrHandlerFailed is in the error of tasks that were dropped because their handler returned an error, which is in it too.
var ErrHandlerFailed = httpx.ErrHandlerFailed

// maxWait is how long the tasks of a request wait for the sign that the response is out. Fasthttp always gives it, as far as is known;
// but a task that starts early is better than one that never does. A body that is streamed may last, and its end cannot be missed.
const maxWait = 30 * time.Second

// request follows one request from the middleware to the moment at which its tasks may start. Fasthttp closes user values that
// are closers when the response has been flushed, or when the connection has failed; that is the sign. It outlives
// the *fiber.Ctx, so it holds nothing of it. It is one piece with the request's UserContext and its batch, because every request
// pays for it, also those that add nothing.
type request struct {
	context.Context      // the UserContext, as the middleware found it
	pooled          bool // it is built on the *fasthttp.RequestCtx: handlers may look into it, tasks may not
	batch           taskflow.Batch
	wait            time.Duration // for the sign, at most

	mu    sync.Mutex
	over  bool
	timer *time.Timer // releases the batch when the sign does not come
}

// requestKey is the key of the *request among fasthttp's user values: a context that has it is built on a *fasthttp.RequestCtx.
type requestKey struct{}

// begin starts following the request of c.
func begin(m *taskflow.Manager, c *fiber.Ctx, wait time.Duration) *request {
	q := &request{Context: c.UserContext(), wait: wait}
	q.batch.Init(m)
	q.batch.Capture(detached)
	c.Locals(requestKey{}, q)
	q.pooled = isPooled(q.Context)
	c.Locals(taskflow.BatchKey{}, &q.batch) // for taskflow.Add(c.Context(), …), and for an outerBatch
	c.SetUserContext(q)
	return q
}

// Value implements context.Context.
func (q *request) Value(key any) any {
	switch key.(type) {
	case taskflow.BatchKey:
		return &q.batch
	case requestKey: // not asked of the Context: that may serve another request by now
		if q.pooled {
			return q
		}
		return nil
	}
	return q.Context.Value(key)
}

// outerBatch returns the batch of a middleware that c has passed; nil when there was none.
func outerBatch(c *fiber.Ctx) *taskflow.Batch {
	if b, ok := c.Locals(taskflow.BatchKey{}).(*taskflow.Batch); ok {
		return b
	}
	return taskflow.BatchFrom(c.UserContext()) // of an adapter around the Fiber app
}

// detached returns ctx, or an empty context when ctx is built on a *fasthttp.RequestCtx: that one serves other requests when a task
// would look into it.
func detached(ctx context.Context) context.Context {
	if isPooled(ctx) {
		return context.Background()
	}
	return ctx
}

func isPooled(ctx context.Context) bool {
	if _, ok := ctx.(*fasthttp.RequestCtx); ok {
		return true
	}
	return ctx.Value(requestKey{}) != nil
}

// end says that the handlers have returned with err.
func (q *request) end(c *fasthttp.RequestCtx, err error) {
	switch {
	case err != nil:
		q.discard(fmt.Errorf("%w: %w", ErrHandlerFailed, err))
	case c.Hijacked(), // the sign would come when whoever took the connection over is done with it
		c.ConnRequestNum() == 0,             // no fasthttp server is behind this, so nobody closes user values
		c.LastTimeoutErrorResponse() != nil: // fasthttp.TimeoutHandler has answered, and abandoned this context
		q.release()
	case !q.batch.Empty() && !c.Response.IsBodyStream():
		q.mu.Lock()
		if !q.over {
			q.timer = time.AfterFunc(q.wait, q.release)
		}
		q.mu.Unlock()
	}
}

// Close implements io.Closer for fasthttp: the response is out.
func (q *request) Close() error {
	q.release()
	return nil
}

// release lets the tasks start, those added later too.
func (q *request) release() {
	q.finish()
	q.batch.Release()
}

func (q *request) discard(reason error) {
	q.finish()
	q.batch.Discard(reason)
}

// finish ends the waiting.
func (q *request) finish() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.over = true
	if q.timer != nil {
		q.timer.Stop()
	}
}
