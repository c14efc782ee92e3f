package tasks_test

import (
	"bufio"
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	fiberrecover "github.com/gofiber/fiber/v2/middleware/recover"

	tasks "github.com/taskflow-go/taskflow/adapters/fiber"
	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
	"github.com/taskflow-go/taskflow/adapters/internal/lifecycle"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
)

// framework is Fiber as the tests of all adapters see it.
type framework struct{}

func (framework) Traits() adaptertest.Traits {
	return adaptertest.Traits{ReturnsErrors: true, FatalPanics: true, RefusesTakenPaths: true}
}

func (framework) New(_ testing.TB, m *taskflow.Manager, setup adaptertest.Setup) adaptertest.App {
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	if setup.Recover {
		app.Use(fiberrecover.New())
	}
	if setup.Value != nil {
		app.Use(func(c *fiber.Ctx) error {
			c.SetUserContext(context.WithValue(c.UserContext(), setup.Value, strings.Clone(c.Get("User"))))
			return c.Next()
		})
	}
	if !setup.Bare {
		app.Use(tasks.Middleware(m))
	}
	if setup.Twice {
		app.Use(tasks.Middleware(m))
	}
	return &application{app: app, routes: app}
}

type application struct {
	app    *fiber.App
	routes fiber.Router
}

func (a *application) Handle(path string, h func(adaptertest.Request) error) {
	a.routes.Get(path, func(c *fiber.Ctx) error { return h(request{c}) })
}

func (a *application) Group(prefix string) adaptertest.App {
	return &application{app: a.app, routes: a.routes.Group(prefix)}
}

func (a *application) Mount(m *taskflow.Manager, path string, opts ...dashboard.Option) {
	tasks.Mount(a.routes, m, path, opts...)
}

func (a *application) Run(ctx context.Context, m *taskflow.Manager, addr string, opts ...lifecycle.Option) error {
	return tasks.Run(ctx, a.app, m, addr, opts...)
}

func (a *application) Own(m *taskflow.Manager, ln net.Listener) func(context.Context) error {
	tasks.Attach(a.app, m)
	served := make(chan error, 1)
	go func() { served <- a.app.Listener(ln) }() // awaited by the function below
	return func(ctx context.Context) error {
		err := a.app.ShutdownWithContext(ctx)
		_ = ln.Close() // when serving had not begun yet, Shutdown has not closed it
		return errors.Join(err, <-served)
	}
}

type request struct{ c *fiber.Ctx }

func (r request) Add(fn func(context.Context) error, opts ...taskflow.AddOption) taskflow.Handle {
	return tasks.Add(r.c, fn, opts...)
}

func (r request) Submit(call taskflow.Call, opts ...taskflow.AddOption) (taskflow.Handle, error) {
	return tasks.Submit(r.c, call, opts...)
}

func (r request) SubmitMany(calls []taskflow.Call, opts ...taskflow.AddOption) ([]taskflow.Handle, error) {
	return tasks.SubmitMany(r.c, calls, opts...)
}

func (r request) Context() context.Context { return r.c.UserContext() }

func (r request) Param(name string) string { return strings.Clone(r.c.Params(name)) }

func (r request) RawParam(name string) string { return r.c.Params(name) }

func (r request) Text(status int, body string) error { return r.c.Status(status).SendString(body) }

func (r request) Chunks(parts ...string) error {
	r.c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
		for _, part := range parts {
			if _, err := w.WriteString(part); err != nil {
				return
			}
			if err := w.Flush(); err != nil {
				return
			}
		}
	})
	return nil
}

func (r request) Hijack(f func(net.Conn)) error {
	r.c.Status(fiber.StatusSwitchingProtocols)
	r.c.Context().Hijack(func(conn net.Conn) { f(conn) })
	return nil
}
