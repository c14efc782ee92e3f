package httpx_test

import (
	"github.com/taskflow-go/taskflow/adapters/internal/httpx"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
)

func Middleware(m *taskflow.Manager) func(webHandler) webHandler {
	httpx.MustHaveManager(m)
	return func(next webHandler) webHandler {
		return func(c *webContext) error {
			q, r := httpx.Begin(m, c.R)
			if q == nil { // a middleware further out follows the request
				return next(c)
			}
			c.R = r
			err := httpx.ErrHandlerPanicked
			defer func() { q.End(err) }() // no recover: a panic goes on as it was
			err = next(c)
			return err
		}
	}
}

func Add[R taskflow.Runnable](c *webContext, fn R, opts ...taskflow.AddOption) taskflow.Handle {
	ctx, batch := httpx.BatchOf(c.R, "Add", "r.Use(tasks.Middleware(m)) above its route")
	return batch.Add(ctx, taskflow.WorkOf(fn), opts...)
}

func Submit(c *webContext, call taskflow.Call, opts ...taskflow.AddOption) (taskflow.Handle, error) {
	ctx, batch := httpx.BatchOf(c.R, "Submit", "r.Use(tasks.Middleware(m)) above its route")
	return batch.Submit(ctx, call, opts...)
}

func SubmitMany(c *webContext, calls []taskflow.Call, opts ...taskflow.AddOption) ([]taskflow.Handle, error) {
	ctx, batch := httpx.BatchOf(c.R, "SubmitMany", "r.Use(tasks.Middleware(m)) above its route")
	return batch.SubmitMany(ctx, calls, opts...)
}

func Mount(r *webRouter, m *taskflow.Manager, path string, opts ...dashboard.Option) {
	h, point := httpx.NewMount(r == nil, m, path, []string{"*"}, opts) // "*" takes all the rest: no mount point has it
	defer func() {
		if p := recover(); p != nil { // this router panics when a path is taken
			panic(httpx.Clash(path, p))
		}
	}()
	r.Any(point, func(c *webContext) error { // also when point is empty: a group's own path
		httpx.ServeBelow(h, c.W, c.R, "")
		return nil
	})
	r.Any(point+"/*", func(c *webContext) error {
		httpx.ServeBelow(h, c.W, c.R, "/"+c.Param("rest"))
		return nil
	})
}
