package tasks

import (
	"context"
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/taskflow-go/taskflow/adapters/internal/httpx"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// Middleware makes Add and Submit available to the handlers after it. Their tasks start when the response has been sent; they are
// dropped when a handler returns an error or panics. Used twice, the outermost counts. It panics when m is nil; and at a
// request that passes the middleware of two managers.
func Middleware(m *taskflow.Manager) fiber.Handler { return middleware(m, maxWait) }

func middleware(m *taskflow.Manager, wait time.Duration) fiber.Handler {
	httpx.MustHaveManager(m)
	return func(c *fiber.Ctx) error {
		if outer := outerBatch(c); outer != nil {
			mustBeSame(m, outer, c)
			return c.Next()
		}
		q := begin(m, c, wait)
		rctx := c.Context() // c itself may be bound to another request once the handlers have returned
		ok := false
		defer func() {
			if !ok { // no recover: the panic goes on to Fiber's recover middleware as it was
				q.discard(httpx.ErrHandlerPanicked)
			}
		}()
		err := c.Next()
		ok = true
		q.end(rctx, err)
		return err
	}
}

// mustBeSame panics when the middleware further out has another manager: tasks would silently go to that one.
func mustBeSame(m *taskflow.Manager, outer *taskflow.Batch, c *fiber.Ctx) {
	if outer.Manager() != m {
		panic(fmt.Sprintf("tasks.Middleware: %s %s passes the middleware of two managers: use one manager for both, or one middleware for each route",
			c.Method(), c.Path()))
	}
}

// Add runs fn after the response: a function, or a Call made by [taskflow.Task.With]. It never fails a request: what the manager
// must refuse (queue full, stopping) ends at once as cancelled, and Handle.Rejected says why. Added after the response, the
// task starts at once. It must be called before the handler returns, or by a goroutine that keeps the UserContext ([taskflow.Add]).
//
// It panics when no Middleware was passed on the way to the handler, and when fn is nil.
func Add[R taskflow.Runnable](c *fiber.Ctx, fn R, opts ...taskflow.AddOption) taskflow.Handle {
	ctx, batch := batchOf(c, "Add")
	return batch.Add(ctx, taskflow.WorkOf(fn), opts...)
}

// Submit adds call and returns once the backend has it: from then on it survives the death of the process. So a handler can
// answer 202 and mean it. Errors to branch on: [taskflow.ErrStopped], [taskflow.ErrQueueFull], [taskflow.ErrNotRegistered],
// [taskflow.ErrNotDurable]; and those of the UserContext. It panics as Add does.
func Submit(c *fiber.Ctx, call taskflow.Call, opts ...taskflow.AddOption) (taskflow.Handle, error) {
	ctx, batch := batchOf(c, "Submit")
	return batch.Submit(ctx, call, opts...)
}

// SubmitMany adds several calls, of any tasks, in one commit: the backend has all of them when it returns, or, with an error, none. See
// [taskflow.Manager.SubmitMany] for limits and errors. It panics as Add does.
func SubmitMany(c *fiber.Ctx, calls []taskflow.Call, opts ...taskflow.AddOption) ([]taskflow.Handle, error) {
	ctx, batch := batchOf(c, "SubmitMany")
	return batch.SubmitMany(ctx, calls, opts...)
}

// batchOf finds the batch of the request. The task's context comes from the UserContext, never from c, which Fiber reuses.
func batchOf(c *fiber.Ctx, op string) (context.Context, *taskflow.Batch) {
	if c == nil || c.Context() == nil {
		panic(fmt.Sprintf("tasks.%s: the *fiber.Ctx has no request: pass the one that Fiber gave the handler, before it returns", op))
	}
	batch := outerBatch(c)
	if batch == nil {
		panic(fmt.Sprintf("tasks.%s: no middleware before the handler of %s %s: write app.Use(tasks.Middleware(m)) above its route",
			op, c.Method(), c.Path()))
	}
	return c.UserContext(), batch
}
