package tasks_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	tasks "github.com/taskflow-go/taskflow/adapters/gin"
	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
	taskflow "github.com/taskflow-go/taskflow/core"
)

type mailer struct{ sent *[]string }

func (m mailer) send(context.Context) error { *m.sent = append(*m.sent, "method"); return nil }

type namedFunc func() error

func TestAddRunsEveryShapeOfFunction(t *testing.T) {
	t.Parallel()
	var sent []string
	note := func(what string) { sent = append(sent, what) }
	call := taskflow.Define("shape", func(_ context.Context, s string) error { note("call " + s); return nil })
	m := adaptertest.StartedManager(t, taskflow.WithConcurrency(1)) // one after the other: sent needs no lock
	engine := newEngine(m)
	var handles []taskflow.Handle
	engine.GET("/", func(c *gin.Context) {
		handles = append(handles,
			tasks.Add(c, func(context.Context) error { note("context and error"); return nil }),
			tasks.Add(c, func(context.Context) { note("context") }),
			tasks.Add(c, func() error { note("error"); return nil }),
			tasks.Add(c, func() { note("plain") }),
			tasks.Add(c, mailer{&sent}.send),
			tasks.Add(c, namedFunc(func() error { note("named"); return nil })),
			tasks.Add(c, call.With("x"), taskflow.Tag("k", "v")))
	})
	engine.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	for _, h := range handles {
		if err := h.Wait(t.Context()); err != nil {
			t.Errorf("task %s: %v", h.ID(), err)
		}
	}
	if got, want := strings.Join(sent, ", "), "context and error, context, error, plain, method, named, call x"; got != want {
		t.Errorf("ran %s\nwant %s", got, want)
	}
}

func TestProgrammerErrorsPanicWithWhatToWrite(t *testing.T) {
	t.Parallel()
	bare, _ := gin.CreateTestContext(httptest.NewRecorder())
	var noRequest gin.Context
	bare.Request = httptest.NewRequest("POST", "/signup", nil)
	var nilFunc func()
	call := taskflow.Define("never", func(context.Context, int) error { return nil }).With(1)
	for name, tc := range map[string]struct {
		do   func()
		want string
	}{
		"Add without Middleware":    {func() { tasks.Add(bare, func() {}) }, "POST /signup: write r.Use(tasks.Middleware(m))"},
		"Submit without Middleware": {func() { _, _ = tasks.Submit(bare, call) }, "tasks.Submit: no middleware"},
		"Add without a request":     {func() { tasks.Add(&noRequest, func() {}) }, "tasks.Add: the *gin.Context has no request"},
		"Add without a context":     {func() { tasks.Add(nil, func() {}) }, "tasks.Add: the *gin.Context has no request"},
		"Middleware without one":    {func() { tasks.Middleware(nil) }, "pass what taskflow.New returned"},
		"Attach without a server":   {func() { tasks.Attach(nil, adaptertest.NewManager(t)) }, "tasks.Attach: the server is nil"},
		"Mount without a manager":   {func() { tasks.Mount(gin.New(), nil, "/tasks") }, `tasks.Mount("/tasks"): the manager is nil`},
		"Add of a nil function": {func() {
			engine := newEngine(adaptertest.NewManager(t))
			engine.GET("/", func(c *gin.Context) { tasks.Add(c, nilFunc) })
			engine.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
		}, "nil function"},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if p := recover(); !strings.Contains(fmt.Sprint(p), tc.want) {
					t.Errorf("panic %q, want it to say %q", fmt.Sprint(p), tc.want)
				}
			}()
			tc.do()
		})
	}
}
