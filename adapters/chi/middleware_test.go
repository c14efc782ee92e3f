package tasks_test

import (
	"context"
	"io"
	"log"
	"net/http"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	tasks "github.com/taskflow-go/taskflow/adapters/chi"
	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// Chi's own middleware wraps the response writer, cancels contexts, answers late: streams and tasks go on all the same.
func TestStreamsAndTasksBehindChisOwnMiddleware(t *testing.T) {
	t.Parallel()
	m := adaptertest.NewManager(t)
	r := chi.NewRouter()
	quiet := middleware.RequestLogger(&middleware.DefaultLogFormatter{Logger: log.New(io.Discard, "", 0)})
	r.Use(middleware.RequestID, quiet, middleware.Recoverer, middleware.Compress(5), middleware.Timeout(time.Minute), tasks.Middleware(m))
	tasks.Mount(r, m, "/tasks")
	handles := make(chan taskflow.Handle, 1)
	r.With(middleware.Timeout(time.Millisecond)).Get("/slow", func(_ http.ResponseWriter, req *http.Request) {
		handles <- tasks.Add(req, func(ctx context.Context) error { return context.Cause(ctx) })
		<-req.Context().Done() // Timeout answers 504 when this has returned
	})
	ln := adaptertest.Listen(t, 0)
	s := adaptertest.Start(t, func(ctx context.Context) error { return tasks.Run(ctx, r, m, "", tasks.WithListener(ln)) })
	addr := ln.Addr().String()
	stream := adaptertest.OpenStream(t, addr, "/tasks/dashboard/stream")
	stream.WaitNamed("hello")
	c := adaptertest.Dial(t, addr)
	c.Request("GET", "/slow", "")
	if resp, _ := c.Response(); resp.StatusCode != http.StatusGatewayTimeout {
		t.Errorf("the slow handler got %s", resp.Status)
	}
	if err := (<-handles).Wait(t.Context()); err != nil {
		t.Errorf("the task of a request that timed out: %v", err)
	}
	stream.WaitNamed("task")
	s.Stop()
	stream.WaitNamed("bye")
	if err := s.Wait(); err != nil {
		t.Errorf("Run: %v", err)
	}
}
