package tasks_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	fiberrecover "github.com/gofiber/fiber/v2/middleware/recover"
	"github.com/valyala/fasthttp"

	tasks "github.com/taskflow-go/taskflow/adapters/fiber"
	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
)

func newApp(m *taskflow.Manager) *fiber.App {
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Use(fiberrecover.New(), tasks.Middleware(m))
	return app
}

// run serves app until the test ends, and returns its address.
func run(t *testing.T, app *fiber.App, m *taskflow.Manager, opts ...tasks.RunOption) (*adaptertest.Service, string) {
	t.Helper()
	ln := adaptertest.Listen(t, 2*time.Millisecond)
	s := adaptertest.Start(t, func(ctx context.Context) error {
		return tasks.Run(ctx, app, m, "", append(opts, tasks.WithListener(ln))...)
	})
	return s, ln.Addr().String()
}

func ask(t *testing.T, addr, path string) string {
	t.Helper()
	c := adaptertest.Dial(t, addr)
	c.Request("GET", path, "")
	_, body := c.Response()
	return body
}

func TestReturnedErrorIsTheReason(t *testing.T) {
	t.Parallel()
	m := adaptertest.NewManager(t)
	app, handles := newApp(m), make(chan taskflow.Handle, 1)
	teapot := fiber.NewError(fiber.StatusTeapot, "short and stout")
	app.Get("/", func(c *fiber.Ctx) error {
		handles <- tasks.Add(c, func() {})
		return teapot
	})
	_, addr := run(t, app, m)
	ask(t, addr, "/")
	err := adaptertest.Receive(t, "the handle", handles).Wait(t.Context())
	if !errors.Is(err, tasks.ErrHandlerFailed) || !errors.Is(err, teapot) || !errors.Is(err, taskflow.ErrDiscarded) {
		t.Errorf("the task ended with %v", err)
	}
}

func TestContextsBuiltOnTheRequestAreNotKept(t *testing.T) {
	t.Parallel()
	type key struct{}
	m := adaptertest.NewManager(t)
	type otherKey struct{}
	app, got := newApp(m), make(chan any, 3)
	look := func(ctx context.Context) error { got <- ctx.Value(key{}); return nil }
	app.Get("/", func(c *fiber.Ctx) error {
		c.Locals(key{}, "pooled")
		c.SetUserContext(c.Context())
		tasks.Add(c, look)
		c.SetUserContext(context.WithValue(c.Context(), otherKey{}, 1))
		tasks.Add(c, look)
		taskflow.Add(c.Context(), look)
		return nil
	})
	_, addr := run(t, app, m)
	ask(t, addr, "/")
	for range 3 {
		if v := adaptertest.Receive(t, "the task's context", got); v != nil {
			t.Errorf("the task sees %v of the request's user values", v)
		}
	}
}

func TestTasksRunWithoutAServer(t *testing.T) {
	t.Parallel()
	m := adaptertest.StartedManager(t)
	app, done := newApp(m), make(chan string, 2)
	app.Get("/:by", func(c *fiber.Ctx) error {
		by := strings.Clone(c.Params("by"))
		tasks.Add(c, func() { done <- by })
		return nil
	})
	adaptor.FiberApp(app).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/adaptor", nil))
	if by := adaptertest.Receive(t, "the task", done); by != "adaptor" {
		t.Errorf("task of %q", by)
	}
	resp, err := app.Test(httptest.NewRequest("GET", "/test", nil))
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("Test: %v", err)
	}
	if by := adaptertest.Receive(t, "the task", done); by != "test" {
		t.Errorf("task of %q", by)
	}
}

func TestTasksRunAfterTimeoutHandler(t *testing.T) {
	t.Parallel()
	m := adaptertest.StartedManager(t)
	app, done, answered := newApp(m), make(chan struct{}), make(chan struct{})
	app.Get("/", func(c *fiber.Ctx) error {
		<-answered
		tasks.Add(c, func() { close(done) })
		return nil
	})
	ln := adaptertest.Listen(t, 0)
	srv := &fasthttp.Server{Handler: fasthttp.TimeoutHandler(app.Handler(), time.Millisecond, "too late")}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	if body := ask(t, ln.Addr().String(), "/"); body != "too late" {
		t.Errorf("answer %q", body)
	}
	close(answered)
	adaptertest.Receive(t, "the task", done)
	if err := errors.Join(srv.Shutdown(), adaptertest.Receive(t, "the end", served)); err != nil {
		t.Error(err)
	}
}

func TestTwoManagersOnOneRoute(t *testing.T) {
	t.Parallel()
	m := adaptertest.StartedManager(t)
	app := newApp(m)
	app.Use(tasks.Middleware(adaptertest.NewManager(t)))
	app.Get("/", func(*fiber.Ctx) error { return nil })
	resp, err := app.Test(httptest.NewRequest("GET", "/", nil))
	if err != nil || resp.StatusCode != http.StatusInternalServerError {
		t.Errorf("%v, %v: want a panic", resp, err)
	}
}

func TestHeadRequestsAndSilentConnections(t *testing.T) {
	t.Parallel()
	m := adaptertest.NewManager(t)
	app := newApp(m)
	tasks.Mount(app, m, "tasks")
	s, addr := run(t, app, m)
	for _, path := range []string{"/tasks", "/tasks/", "/tasks/api/v1/nothing%20here"} {
		c := adaptertest.Dial(t, addr)
		c.Request("HEAD", path, "")
		if resp, err := c.Head(); err != nil || resp.StatusCode >= 500 {
			t.Errorf("HEAD %s: %v, %v", path, resp, err)
		}
	}
	silent := adaptertest.Dial(t, addr)
	ask(t, addr, "/") // so that silent has been accepted
	start := time.Now()
	s.Stop()
	silent.WaitClosed()
	if err := s.Wait(); err != nil {
		t.Error(err)
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("a silent connection held the stop up for %v", d)
	}
}

func TestPathsBelowAMountAreDecodedOnce(t *testing.T) {
	t.Parallel()
	for _, unescape := range []bool{false, true} {
		app := fiber.New(fiber.Config{UnescapePath: unescape})
		tasks.Mount(app, adaptertest.StartedManager(t), "/tasks", dashboard.Public())
		for path, want := range map[string]int{"/tasks/d%61shboard": http.StatusOK, "/tasks/d%2561shboard": http.StatusNotFound} {
			req := httptest.NewRequest("GET", path, nil)
			req.Header.Set("Accept", "text/html")
			resp, err := app.Test(req)
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != want {
				t.Errorf("UnescapePath %v: GET %s: %s, want %d", unescape, path, resp.Status, want)
			}
		}
	}
}
