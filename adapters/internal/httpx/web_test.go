package httpx_test

import (
	"context"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
	"github.com/taskflow-go/taskflow/adapters/internal/httpx"
	"github.com/taskflow-go/taskflow/adapters/internal/lifecycle"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
)

// Web is a framework as there are many: contexts of its own over net/http, handlers that return errors, groups. No adapter here is for such a one, so
// this one stands for them: docs/adapters.md shows the adapter in webadapter_test.go, and the suite holds it to what all promise.
type (
	webContext struct {
		W http.ResponseWriter
		R *http.Request
	}
	webHandler func(*webContext) error
	webRouter  struct {
		mux    *http.ServeMux
		prefix string
		use    *[]func(webHandler) webHandler
	}
)

func newWeb() *webRouter {
	return &webRouter{mux: http.NewServeMux(), use: &[]func(webHandler) webHandler{}}
}

func (r *webRouter) Use(mw func(webHandler) webHandler) { *r.use = append(*r.use, mw) }

func (r *webRouter) Group(prefix string) *webRouter {
	return &webRouter{mux: r.mux, prefix: r.prefix + prefix, use: r.use}
}

var parameter, rest = regexp.MustCompile(`:(\w+)`), regexp.MustCompile(`/\*$`)

// Any routes a path: ":name" is a parameter, "/*" at the end takes all the rest.
func (r *webRouter) Any(path string, h webHandler) {
	pattern := rest.ReplaceAllString(parameter.ReplaceAllString(r.prefix+path, "{$1}"), "/{rest...}")
	if pattern == "" || pattern == "/" {
		pattern = "/{$}"
	}
	for _, mw := range slices.Backward(*r.use) {
		h = mw(h)
	}
	r.mux.HandleFunc(pattern, func(w http.ResponseWriter, req *http.Request) {
		if err := h(&webContext{w, req}); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
}

// ServeHTTP does not redirect from /a to /a/ for a route /a/*, as ServeMux would: routers with a tree of their own do not either.
func (r *webRouter) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if _, pattern := r.mux.Handler(req); strings.Count(req.URL.Path, "/") < strings.Count(pattern, "/") {
		http.NotFound(w, req)
		return
	}
	r.mux.ServeHTTP(w, req)
}

func (c *webContext) Param(name string) string { return c.R.PathValue(name) }

func TestMain(m *testing.M) { adaptertest.Main(m, web{}) }

func TestSuiteOnAFrameworkWhoseHandlersReturnErrors(t *testing.T) {
	adaptertest.Suite(t, web{})
}

// web joins the framework to the suite.
type web struct{}

func (web) Traits() adaptertest.Traits {
	return adaptertest.Traits{NetHTTP: true, ReturnsErrors: true, RefusesTakenPaths: true, Wildcard: "*"}
}

func (web) New(t testing.TB, m *taskflow.Manager, setup adaptertest.Setup) adaptertest.App {
	r := newWeb()
	if setup.Value != nil {
		r.Use(func(next webHandler) webHandler {
			return func(c *webContext) error {
				c.R = adaptertest.SetUser(c.R, setup.Value)
				return next(c)
			}
		})
	}
	if !setup.Bare {
		r.Use(Middleware(m))
	}
	if setup.Twice {
		r.Use(Middleware(m))
	}
	a := &webApp{t: t, r: r, h: r}
	if setup.Recover {
		a.h = adaptertest.Recover(r)
	}
	return a
}

type webApp struct {
	t testing.TB
	r *webRouter
	h http.Handler
}

func (a *webApp) Handle(path string, h func(adaptertest.Request) error) {
	a.r.Any(path, func(c *webContext) error { return h(webRequest{adaptertest.Exchange{W: c.W, R: c.R}, c}) })
}

func (a *webApp) Group(prefix string) adaptertest.App {
	return &webApp{t: a.t, r: a.r.Group(prefix), h: a.h}
}

func (a *webApp) Mount(m *taskflow.Manager, path string, opts ...dashboard.Option) {
	Mount(a.r, m, path, opts...)
}

func (a *webApp) Handler() http.Handler { return a.h }

func (a *webApp) Attach(srv *http.Server, m *taskflow.Manager) { httpx.Attach(srv, m) }

func (a *webApp) Run(ctx context.Context, m *taskflow.Manager, addr string, opts ...lifecycle.Option) error {
	return httpx.Run(ctx, a.h, m, addr, opts...)
}

func (a *webApp) Own(m *taskflow.Manager, ln net.Listener) func(context.Context) error {
	return adaptertest.OwnServer(a.t, a.h, m, ln, httpx.Attach)
}

type webRequest struct {
	adaptertest.Exchange
	c *webContext
}

func (r webRequest) Add(fn func(context.Context) error, opts ...taskflow.AddOption) taskflow.Handle {
	return Add(r.c, fn, opts...)
}

func (r webRequest) Submit(call taskflow.Call, opts ...taskflow.AddOption) (taskflow.Handle, error) {
	return Submit(r.c, call, opts...)
}

func (r webRequest) SubmitMany(calls []taskflow.Call, opts ...taskflow.AddOption) ([]taskflow.Handle, error) {
	return SubmitMany(r.c, calls, opts...)
}

func (r webRequest) Param(name string) string { return r.c.Param(name) }

func (r webRequest) RawParam(name string) string { return r.c.Param(name) }
