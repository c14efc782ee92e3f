package tasks_test

import (
	"context"
	"net"
	"net/http"
	"regexp"
	"testing"

	"github.com/go-chi/chi/v5"

	tasks "github.com/taskflow-go/taskflow/adapters/chi"
	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
	"github.com/taskflow-go/taskflow/adapters/internal/lifecycle"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
)

func TestMain(m *testing.M) { adaptertest.Main(m, framework{}) }

func TestSuite(t *testing.T) { adaptertest.Suite(t, framework{}) }

// framework joins Chi to the suite.
type framework struct{}

func (framework) Traits() adaptertest.Traits {
	return adaptertest.Traits{NetHTTP: true, RefusesTakenPaths: true, Wildcard: "*"}
}

func (framework) New(t testing.TB, m *taskflow.Manager, setup adaptertest.Setup) adaptertest.App {
	r := chi.NewRouter()
	if setup.Recover {
		r.Use(adaptertest.Recover)
	}
	if setup.Value != nil {
		r.Use(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(w, adaptertest.SetUser(r, setup.Value)) })
		})
	}
	if !setup.Bare {
		r.Use(tasks.Middleware(m))
	}
	if setup.Twice {
		r.Use(tasks.Middleware(m))
	}
	return &app{t: t, root: r, r: r}
}

type app struct {
	t    testing.TB
	root *chi.Mux
	r    chi.Router
}

var parameter = regexp.MustCompile(`:(\w+)`)

func (a *app) Handle(path string, h func(adaptertest.Request) error) {
	a.r.Get(parameter.ReplaceAllString(path, "{$1}"), func(w http.ResponseWriter, r *http.Request) {
		if err := h(request{adaptertest.Exchange{W: w, R: r}}); err != nil {
			a.t.Errorf("the handler of %s: %v", path, err)
		}
	})
}

func (a *app) Group(prefix string) adaptertest.App {
	return &app{t: a.t, root: a.root, r: a.r.Route(prefix, func(chi.Router) {})}
}

func (a *app) Mount(m *taskflow.Manager, path string, opts ...dashboard.Option) {
	tasks.Mount(a.r, m, parameter.ReplaceAllString(path, "{$1}"), opts...)
}

func (a *app) Handler() http.Handler { return a.root }

func (a *app) Attach(srv *http.Server, m *taskflow.Manager) { tasks.Attach(srv, m) }

func (a *app) Run(ctx context.Context, m *taskflow.Manager, addr string, opts ...lifecycle.Option) error {
	return tasks.Run(ctx, a.root, m, addr, opts...)
}

func (a *app) Own(m *taskflow.Manager, ln net.Listener) func(context.Context) error {
	return adaptertest.OwnServer(a.t, a.root, m, ln, tasks.Attach)
}

type request struct{ adaptertest.Exchange }

func (r request) Add(fn func(context.Context) error, opts ...taskflow.AddOption) taskflow.Handle {
	return tasks.Add(r.R, fn, opts...)
}

func (r request) Submit(call taskflow.Call, opts ...taskflow.AddOption) (taskflow.Handle, error) {
	return tasks.Submit(r.R, call, opts...)
}

func (r request) SubmitMany(calls []taskflow.Call, opts ...taskflow.AddOption) ([]taskflow.Handle, error) {
	return tasks.SubmitMany(r.R, calls, opts...)
}

func (r request) Param(name string) string { return chi.URLParam(r.R, name) }

func (r request) RawParam(name string) string { return chi.URLParam(r.R, name) }
