package tasks_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	tasks "github.com/taskflow-go/taskflow/adapters/gin"
	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// Everything that can hold up or be cut off by a stop, at once.
func TestGracefulStopLosesNothingAndHangsOnNothing(t *testing.T) {
	t.Parallel()
	m := newManager(t)
	engine := newEngine(m)
	tasks.Mount(engine, m, "/tasks")
	running, handling := make(chan struct{}), make(chan struct{})
	finish := make(chan struct{})
	var first, late taskflow.Handle
	engine.GET("/first", func(c *gin.Context) {
		first = tasks.Add(c, func(ctx context.Context) error { close(running); <-finish; return context.Cause(ctx) })
	})
	engine.GET("/slow", func(c *gin.Context) {
		close(handling)
		<-m.Draining() // the stop has begun: this request is in flight
		late = tasks.Add(c, func(ctx context.Context) error { return context.Cause(ctx) })
		close(finish)
		c.String(http.StatusOK, "answered during the stop")
	})
	ln := adaptertest.Listen(t, 0)
	addr := ln.Addr().String()
	s := run(t, engine, m, ln)

	client := adaptertest.Dial(t, addr)
	client.Request("GET", "/first", "")
	client.Response()
	adaptertest.Receive(t, "the first task", running)
	stream := adaptertest.OpenStream(t, addr, "/tasks/dashboard/stream")
	stream.WaitNamed("hello")
	silent := adaptertest.Dial(t, addr)
	half := adaptertest.Dial(t, addr)
	half.Send("GET /first HTTP/1.1\r\nHo")
	slow := adaptertest.Dial(t, addr)
	slow.Request("GET", "/slow", "")
	adaptertest.Receive(t, "the slow handler", handling)

	began := time.Now()
	s.Stop()
	stream.WaitNamed("bye")
	stream.WaitEnd()
	if _, body := slow.Response(); body != "answered during the stop" {
		t.Errorf("the request in flight got %q", body)
	}
	silent.WaitClosed()
	half.WaitClosed()
	if err := s.Wait(); err != nil {
		t.Errorf("Run: %v", err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("the stop took %v", took)
	}
	for name, h := range map[string]taskflow.Handle{"running": first, "late": late} {
		if r := h.Record(); r.Status != taskflow.StatusSuccess {
			t.Errorf("the %s task ended %s: %s", name, r.Status, r.Error)
		}
	}
}

func TestTaskThatOutlastsTheDrainTimeIsToldWhy(t *testing.T) {
	t.Parallel()
	m := newManager(t)
	engine := newEngine(m)
	running, cause := make(chan struct{}), make(chan error, 1)
	var h taskflow.Handle
	engine.GET("/", func(c *gin.Context) {
		h = tasks.Add(c, func(ctx context.Context) error {
			close(running)
			<-ctx.Done()
			cause <- context.Cause(ctx)
			return ctx.Err()
		})
	})
	ln := adaptertest.Listen(t, 0)
	s := run(t, engine, m, ln, tasks.WithDrainTimeout(10*time.Millisecond))
	client := adaptertest.Dial(t, ln.Addr().String())
	client.Request("GET", "/", "")
	client.Response()
	adaptertest.Receive(t, "the task", running)
	s.Stop()
	if err := adaptertest.Receive(t, "the end of the task's context", cause); !errors.Is(err, taskflow.ErrStopped) {
		t.Errorf("cause %v, want %v", err, taskflow.ErrStopped)
	}
	if err := s.Wait(); err == nil {
		t.Error("Run returned nil although a task was cut off")
	}
	if r := h.Record(); r.Status != taskflow.StatusInterrupted {
		t.Errorf("the task ended %s, want interrupted", r.Status)
	}
}

func TestRequestThatOutlastsTheServerTimeIsCutAndReported(t *testing.T) {
	t.Parallel()
	m := newManager(t)
	engine := newEngine(m)
	handling := make(chan struct{})
	engine.GET("/", func(c *gin.Context) {
		close(handling)
		<-c.Request.Context().Done() // ends when the connection is closed
	})
	ln := adaptertest.Listen(t, 0)
	s := run(t, engine, m, ln, tasks.WithServerTimeout(10*time.Millisecond))
	client := adaptertest.Dial(t, ln.Addr().String())
	client.Request("GET", "/", "")
	adaptertest.Receive(t, "the handler", handling)
	s.Stop()
	client.WaitClosed()
	err := s.Wait()
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "still in flight after 10ms") {
		t.Errorf("Run: %v", err)
	}
}

// A server of one's own: Attach is enough for its Shutdown to end streams and connections that never spoke.
func TestAttachedServerShutsDownWithAnOpenStream(t *testing.T) {
	t.Parallel()
	m := startedManager(t)
	engine := newEngine(m)
	tasks.Mount(engine, m, "/tasks")
	srv := &http.Server{Handler: engine}
	tasks.Attach(srv, m)
	ln := adaptertest.Listen(t, 0)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	stream := adaptertest.OpenStream(t, ln.Addr().String(), "/tasks/dashboard/stream")
	stream.WaitNamed("hello")
	silent := adaptertest.Dial(t, ln.Addr().String())
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), adaptertest.Patience)
	defer cancel()
	if err := srv.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("Shutdown took %v", took)
	}
	stream.WaitEnd()
	silent.WaitClosed()
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("Serve: %v", err)
	}
}
