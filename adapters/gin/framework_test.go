package tasks_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/gin-gonic/gin"

	tasks "github.com/taskflow-go/taskflow/adapters/gin"
	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
	"github.com/taskflow-go/taskflow/adapters/internal/lifecycle"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
)

func TestMain(m *testing.M) {
	gin.SetMode(gin.TestMode)
	adaptertest.Main(m, framework{})
}

func TestSuite(t *testing.T) { adaptertest.Suite(t, framework{}) }

// framework joins Gin to the suite.
type framework struct{}

func (framework) Traits() adaptertest.Traits {
	return adaptertest.Traits{NetHTTP: true, RefusesTakenPaths: true, Wildcard: "*"}
}

func (framework) New(t testing.TB, m *taskflow.Manager, setup adaptertest.Setup) adaptertest.App {
	r := gin.New()
	if setup.Recover {
		r.Use(gin.RecoveryWithWriter(io.Discard))
	}
	if setup.Value != nil {
		r.Use(func(c *gin.Context) { c.Request = adaptertest.SetUser(c.Request, setup.Value) })
	}
	if !setup.Bare {
		r.Use(tasks.Middleware(m))
	}
	if setup.Twice {
		r.Use(tasks.Middleware(m))
	}
	return &app{t: t, engine: r, r: r}
}

type app struct {
	t      testing.TB
	engine *gin.Engine
	r      gin.IRouter
}

func (a *app) Handle(path string, h func(adaptertest.Request) error) {
	a.r.GET(path, func(c *gin.Context) {
		if err := h(request{adaptertest.Exchange{W: c.Writer, R: c.Request}, c}); err != nil {
			a.t.Errorf("the handler of %s: %v", path, err)
		}
	})
}

func (a *app) Group(prefix string) adaptertest.App {
	return &app{t: a.t, engine: a.engine, r: a.r.Group(prefix)}
}

func (a *app) Mount(m *taskflow.Manager, path string, opts ...dashboard.Option) {
	tasks.Mount(a.r, m, path, opts...)
}

func (a *app) Handler() http.Handler { return a.engine.Handler() }

func (a *app) Attach(srv *http.Server, m *taskflow.Manager) { tasks.Attach(srv, m) }

func (a *app) Run(ctx context.Context, m *taskflow.Manager, addr string, opts ...lifecycle.Option) error {
	return tasks.Run(ctx, a.engine, m, addr, opts...)
}

func (a *app) Own(m *taskflow.Manager, ln net.Listener) func(context.Context) error {
	return adaptertest.OwnServer(a.t, a.engine.Handler(), m, ln, tasks.Attach)
}

type request struct {
	adaptertest.Exchange
	c *gin.Context
}

func (r request) Add(fn func(context.Context) error, opts ...taskflow.AddOption) taskflow.Handle {
	return tasks.Add(r.c, fn, opts...)
}

func (r request) Submit(call taskflow.Call, opts ...taskflow.AddOption) (taskflow.Handle, error) {
	return tasks.Submit(r.c, call, opts...)
}

func (r request) SubmitMany(calls []taskflow.Call, opts ...taskflow.AddOption) ([]taskflow.Handle, error) {
	return tasks.SubmitMany(r.c, calls, opts...)
}

func (r request) Param(name string) string { return r.c.Param(name) }

func (r request) RawParam(name string) string { return r.c.Param(name) }
