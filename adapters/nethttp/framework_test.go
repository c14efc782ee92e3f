package tasks_test

import (
	"context"
	"net"
	"net/http"
	"regexp"
	"testing"

	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
	"github.com/taskflow-go/taskflow/adapters/internal/lifecycle"
	tasks "github.com/taskflow-go/taskflow/adapters/nethttp"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
)

func TestMain(m *testing.M) { adaptertest.Main(m, framework{}) }

func TestSuite(t *testing.T) { adaptertest.Suite(t, framework{}) }

// framework joins net/http to the suite.
type framework struct{}

func (framework) Traits() adaptertest.Traits {
	return adaptertest.Traits{NetHTTP: true, RefusesTakenPaths: true, Wildcard: "{rest...}"}
}

func (framework) New(t testing.TB, m *taskflow.Manager, setup adaptertest.Setup) adaptertest.App {
	mux := http.NewServeMux()
	var h http.Handler = mux
	if setup.Twice {
		h = tasks.Middleware(m)(h)
	}
	if !setup.Bare {
		h = tasks.Middleware(m)(h)
	}
	if setup.Value != nil {
		inner := h
		h = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { inner.ServeHTTP(w, adaptertest.SetUser(r, setup.Value)) })
	}
	if setup.Recover {
		h = adaptertest.Recover(h)
	}
	return &app{t: t, mux: mux, h: h}
}

type app struct {
	t      testing.TB
	mux    *http.ServeMux
	h      http.Handler
	prefix string
}

var parameter = regexp.MustCompile(`:(\w+)`)

func (a *app) Handle(path string, h func(adaptertest.Request) error) {
	pattern := parameter.ReplaceAllString(a.prefix+path, "{$1}")
	if path == "/" {
		pattern += "{$}"
	}
	a.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		if err := h(request{adaptertest.Exchange{W: w, R: r}}); err != nil {
			a.t.Errorf("the handler of %s: %v", path, err)
		}
	})
}

func (a *app) Group(prefix string) adaptertest.App {
	return &app{t: a.t, mux: a.mux, h: a.h, prefix: a.prefix + prefix}
}

func (a *app) Mount(m *taskflow.Manager, path string, opts ...dashboard.Option) {
	path = parameter.ReplaceAllString(path, "{$1}")
	if a.prefix == "" {
		tasks.Mount(a.mux, m, path, opts...)
		return
	}
	below := http.NewServeMux() // a group is a mux of its own, which sees no prefix
	tasks.Mount(below, m, path, opts...)
	a.mux.Handle(a.prefix+"/", http.StripPrefix(a.prefix, below))
}

func (a *app) Handler() http.Handler { return a.h }

func (a *app) Attach(srv *http.Server, m *taskflow.Manager) { tasks.Attach(srv, m) }

func (a *app) Run(ctx context.Context, m *taskflow.Manager, addr string, opts ...lifecycle.Option) error {
	return tasks.Run(ctx, a.h, m, addr, opts...)
}

func (a *app) Own(m *taskflow.Manager, ln net.Listener) func(context.Context) error {
	return adaptertest.OwnServer(a.t, a.h, m, ln, tasks.Attach)
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

func (r request) Param(name string) string { return r.R.PathValue(name) }

func (r request) RawParam(name string) string { return r.R.PathValue(name) }
