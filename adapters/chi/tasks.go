package tasks

import (
	"context"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/taskflow-go/taskflow/adapters/internal/httpx"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// Middleware makes Add and Submit available to the handlers after it. Their tasks start when the response has been sent; they
// are dropped when a handler panics. Used twice, or in a router within a router, the outermost counts. It panics when m is nil; and at
// a request that passes the middleware of two managers.
func Middleware(m *taskflow.Manager) func(http.Handler) http.Handler {
	httpx.MustHaveManager(m)
	return func(next http.Handler) http.Handler { return httpx.CapturingHandler(m, next, keepRoute) }
}

// keepRoute copies what Chi's routing left in the context, which Chi reuses for other requests when the handler has returned.
func keepRoute(ctx context.Context) context.Context {
	route := chi.RouteContext(ctx)
	if route == nil {
		return ctx
	}
	return context.WithValue(ctx, chi.RouteCtxKey, route.Clone())
}

// Add runs fn after the response: a function, or a Call made by [taskflow.Task.With]. It never fails a request: what the manager
// must refuse (queue full, stopping) ends at once as cancelled, and Handle.Rejected says why. Added after the response, the
// task starts at once. It must be called before the handler returns: Chi reuses what the request's context holds of the route.
//
// It panics when no Middleware was passed on the way to the handler, and when fn is nil.
func Add[R taskflow.Runnable](r *http.Request, fn R, opts ...taskflow.AddOption) taskflow.Handle {
	ctx, batch := httpx.BatchOf(r, "Add", use)
	return batch.Add(ctx, taskflow.WorkOf(fn), opts...)
}

// Submit adds call and returns once the backend has it: from then on it survives the death of the process. So a handler can
// answer 202 and mean it. Errors to branch on: [taskflow.ErrStopped], [taskflow.ErrQueueFull], [taskflow.ErrNotRegistered],
// [taskflow.ErrNotDurable]; and those of the request's context. It panics as Add does.
func Submit(r *http.Request, call taskflow.Call, opts ...taskflow.AddOption) (taskflow.Handle, error) {
	ctx, batch := httpx.BatchOf(r, "Submit", use)
	return batch.Submit(ctx, call, opts...)
}

// SubmitMany adds several calls, of any tasks, in one commit: the backend has all of them when it returns, or, with an error, none. See
// [taskflow.Manager.SubmitMany] for limits and errors. It panics as Add does.
func SubmitMany(r *http.Request, calls []taskflow.Call, opts ...taskflow.AddOption) ([]taskflow.Handle, error) {
	ctx, batch := httpx.BatchOf(r, "SubmitMany", use)
	return batch.SubmitMany(ctx, calls, opts...)
}

// use is what a program without the middleware lacks.
const use = "r.Use(tasks.Middleware(m)) above its route"
