package httpx

import (
	"context"
	"net/http"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// Handler returns next with the tasks of each request held until its response has left.
func Handler(m *taskflow.Manager, next http.Handler) http.Handler {
	return CapturingHandler(m, next, nil)
}

// CapturingHandler is Handler for a router that reuses values of the request's context: see [taskflow.Batch.Capture].
func CapturingHandler(m *taskflow.Manager, next http.Handler, capture func(context.Context) context.Context) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q, r := Begin(m, r)
		if q == nil {
			next.ServeHTTP(w, r)
			return
		}
		if capture != nil {
			q.batch.Capture(capture)
		}
		err := ErrHandlerPanicked
		defer func() { q.End(err) }() // no recover: a panic goes on as it was, with its stack
		next.ServeHTTP(w, r)
		err = nil
	})
}
