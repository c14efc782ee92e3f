package tasks

import (
	"context"
	"fmt"

	"github.com/gin-gonic/gin"

	"github.com/taskflow-go/taskflow/adapters/internal/httpx"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// Middleware makes Add and Submit available to the handlers after it. Their tasks start when the response has been sent; they are
// dropped when a handler panics. Used twice, or re-entered through Engine.HandleContext, the outermost counts. It panics when m is nil;
// and at a request that passes the middleware of two managers.
func Middleware(m *taskflow.Manager) gin.HandlerFunc {
	httpx.MustHaveManager(m)
	return func(c *gin.Context) {
		// The batch travels in the request's context: c.Keys does not survive HandleContext.
		q, r := httpx.Begin(m, c.Request)
		if q == nil {
			c.Next()
			return
		}
		c.Request = r
		err := httpx.ErrHandlerPanicked
		defer func() { q.End(err) }() // no recover: a panic goes on to gin.Recovery as it was
		c.Next()
		err = nil
	}
}

// Add runs fn after the response: a function, or a Call made by [taskflow.Task.With]. It never fails a request: what the manager
// must refuse (queue full, stopping) ends at once as cancelled, and Handle.Rejected says why. Added after the response, the
// task starts at once. It must be called before the handler returns, or by a goroutine that keeps the request's context ([taskflow.Add]).
//
// It panics when no Middleware was passed on the way to the handler, and when fn is nil.
func Add[R taskflow.Runnable](c *gin.Context, fn R, opts ...taskflow.AddOption) taskflow.Handle {
	ctx, batch := batchOf(c, "Add")
	return batch.Add(ctx, taskflow.WorkOf(fn), opts...)
}

// Submit adds call and returns once the backend has it: from then on it survives the death of the process. So a handler can
// answer 202 and mean it. Errors to branch on: [taskflow.ErrStopped], [taskflow.ErrQueueFull], [taskflow.ErrNotRegistered],
// [taskflow.ErrNotDurable]; and those of the request's context. It panics as Add does.
func Submit(c *gin.Context, call taskflow.Call, opts ...taskflow.AddOption) (taskflow.Handle, error) {
	ctx, batch := batchOf(c, "Submit")
	return batch.Submit(ctx, call, opts...)
}

// SubmitMany adds several calls, of any tasks, in one commit: the backend has all of them when it returns, or, with an error, none. See
// [taskflow.Manager.SubmitMany] for limits and errors. It panics as Add does.
func SubmitMany(c *gin.Context, calls []taskflow.Call, opts ...taskflow.AddOption) ([]taskflow.Handle, error) {
	ctx, batch := batchOf(c, "SubmitMany")
	return batch.SubmitMany(ctx, calls, opts...)
}

// batchOf finds the batch of the request. The task's context comes from the request, never from c, which Gin reuses.
func batchOf(c *gin.Context, op string) (context.Context, *taskflow.Batch) {
	if c == nil || c.Request == nil {
		panic(fmt.Sprintf("tasks.%s: the *gin.Context has no request: pass the one that Gin gave the handler", op))
	}
	return httpx.BatchOf(c.Request, op, "r.Use(tasks.Middleware(m)) above its route")
}
