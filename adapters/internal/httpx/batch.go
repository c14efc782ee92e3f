package httpx

import (
	"context"
	"fmt"
	"net/http"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// BatchOf returns the batch of r and the context that its tasks get. op is the adapter's function that asks, use what
// the user should have written. It panics when there is no request or no middleware: mistakes of the program.
func BatchOf(r *http.Request, op, use string) (context.Context, *taskflow.Batch) {
	if r == nil {
		panic(fmt.Sprintf("tasks.%s: there is no request: pass what the handler was given", op))
	}
	ctx := r.Context()
	batch := taskflow.BatchFrom(ctx)
	if batch == nil {
		panic(fmt.Sprintf("tasks.%s: no middleware before the handler of %s %s: write %s", op, r.Method, r.URL.Path, use))
	}
	return ctx, batch
}

// MustHaveManager panics when an adapter's Middleware was given no manager.
func MustHaveManager(m *taskflow.Manager) {
	if m == nil {
		panic("tasks.Middleware: the manager is nil: pass what taskflow.New returned")
	}
}
