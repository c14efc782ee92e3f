package tasks_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	tasks "github.com/taskflow-go/taskflow/adapters/gin"
	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// Whatever is answered is an answer: only a panic means that the request was not finished.
func TestTasksRunWhateverTheStatus(t *testing.T) {
	t.Parallel()
	m := adaptertest.NewManager(t)
	engine := newEngine(m)
	ran := make(chan string, 1)
	add := func(c *gin.Context) {
		path := c.Request.URL.Path
		tasks.Add(c, func() { ran <- path })
	}
	engine.GET("/ok", func(c *gin.Context) { add(c); c.String(http.StatusOK, "ok") })
	engine.GET("/bad", func(c *gin.Context) { add(c); c.JSON(http.StatusBadRequest, gin.H{"error": "no"}) })
	engine.GET("/abort", func(c *gin.Context) { add(c); c.AbortWithStatus(http.StatusForbidden) },
		func(*gin.Context) { t.Error("the chain went on after the abort") })
	engine.GET("/broken", func(c *gin.Context) {
		add(c)
		_ = c.AbortWithError(http.StatusInternalServerError, io.ErrUnexpectedEOF)
	})
	engine.GET("/moved", func(c *gin.Context) { add(c); c.Redirect(http.StatusFound, "/ok") })
	engine.NoRoute(func(c *gin.Context) { add(c); c.String(http.StatusNotFound, "nothing here") })
	engine.Group("/group").GET("/inside", func(c *gin.Context) { add(c); c.Status(http.StatusAccepted) })
	ln := adaptertest.Listen(t, 0)
	s := run(t, engine, m, ln)
	for path, status := range map[string]int{
		"/ok": 200, "/bad": 400, "/abort": 403, "/broken": 500, "/moved": 302, "/nowhere": 404, "/group/inside": 202,
	} {
		client := adaptertest.Dial(t, ln.Addr().String())
		client.Request("GET", path, "")
		if resp, _ := client.Response(); resp.StatusCode != status {
			t.Errorf("GET %s: status %d, want %d", path, resp.StatusCode, status)
		}
		if got := adaptertest.Receive(t, "the task of "+path, ran); got != path {
			t.Errorf("GET %s ran the task of %s", path, got)
		}
	}
	stopClean(t, s)
}

func TestPanicDropsTheTasksOfItsRequest(t *testing.T) {
	t.Parallel()
	recovery := gin.RecoveryWithWriter(io.Discard)
	for name, tc := range map[string]struct {
		before []gin.HandlerFunc
		value  any
		status int // 0: the connection is cut
	}{
		"with Recovery":    {[]gin.HandlerFunc{recovery}, "boom", http.StatusInternalServerError},
		"without Recovery": {nil, "boom", 0},
		"ErrAbortHandler":  {nil, http.ErrAbortHandler, 0},
		"a nil panic":      {[]gin.HandlerFunc{recovery}, nil, http.StatusInternalServerError},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := adaptertest.NewManager(t)
			engine := gin.New()
			engine.Use(append(tc.before, tasks.Middleware(m))...)
			handles, requests := make(chan taskflow.Handle, 1), make(chan context.Context, 1)
			engine.GET("/", func(c *gin.Context) {
				handles <- tasks.Add(c, func() { t.Error("the task of a request that failed ran") })
				requests <- c.Request.Context()
				panic(tc.value)
			})
			ln := adaptertest.Listen(t, 0)
			s := run(t, engine, m, ln, tasks.WithServer(func(s *http.Server) { s.ErrorLog = nil }))
			client := adaptertest.Dial(t, ln.Addr().String())
			client.Request("GET", "/", "")
			resp, err := client.Head()
			switch {
			case tc.status == 0 && err == nil:
				t.Errorf("answered %s, want the connection cut", resp.Status)
			case tc.status != 0 && (err != nil || resp.StatusCode != tc.status):
				t.Errorf("answered %v (%v), want %d", resp, err, tc.status)
			}
			h := <-handles
			if err := h.Wait(t.Context()); !errors.Is(err, taskflow.ErrDiscarded) && !errors.Is(err, taskflow.ErrCancelled) {
				t.Errorf("the dropped task ended with %v", err)
			}
			if r := h.Record(); r.Status != taskflow.StatusCancelled || r.Error == "" {
				t.Errorf("the record is %s (%q), want cancelled with a reason", r.Status, r.Error)
			}
			late := taskflow.Add(<-requests, func() { t.Error("a task added after the panic ran") })
			if err := late.Rejected(); !errors.Is(err, taskflow.ErrDiscarded) {
				t.Errorf("a task added after the panic: rejected with %v, want %v", err, taskflow.ErrDiscarded)
			}
			stopClean(t, s)
		})
	}
}

// HandleContext resets Gin's context and runs all middleware again, inside the first run.
func TestHandleContextKeepsTheTasksTogether(t *testing.T) {
	t.Parallel()
	m := adaptertest.NewManager(t)
	engine := newEngine(m)
	ln := adaptertest.Listen(t, 0)
	ran := make(chan string, 3)
	add := func(c *gin.Context, name string) {
		tasks.Add(c, func() {
			if ln.Written() == 0 {
				t.Errorf("task %s started before the response", name)
			}
			ran <- name
		})
	}
	engine.GET("/outer", func(c *gin.Context) {
		add(c, "before")
		c.Request.URL.Path = "/inner"
		engine.HandleContext(c)
		add(c, "after")
	})
	engine.GET("/inner", func(c *gin.Context) { add(c, "inner"); c.String(http.StatusOK, "inner") })
	s := run(t, engine, m, ln)
	client := adaptertest.Dial(t, ln.Addr().String())
	client.Request("GET", "/outer", "")
	if _, body := client.Response(); body != "inner" {
		t.Errorf("the response is %q", body)
	}
	got := map[string]bool{}
	for range 3 {
		got[adaptertest.Receive(t, "a task", ran)] = true
	}
	if len(got) != 3 {
		t.Errorf("ran %v, want before, inner and after once each", got)
	}
	stopClean(t, s)
}

// The tasks of the inner group would silently go to the outer manager.
func TestMiddlewareOfTwoManagersOnOneRoutePanics(t *testing.T) {
	t.Parallel()
	m, other := adaptertest.StartedManager(t), adaptertest.StartedManager(t)
	engine := gin.New()
	engine.Use(tasks.Middleware(m))
	engine.Group("/g", tasks.Middleware(other)).GET("/", func(*gin.Context) { t.Error("the handler was reached") })
	defer func() {
		if text, _ := recover().(string); !strings.Contains(text, "GET /g/ passes the middleware of two managers") {
			t.Errorf("it panicked with %q", text)
		}
	}()
	engine.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/g/", nil))
}
