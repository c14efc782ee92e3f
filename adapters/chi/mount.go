package tasks

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/taskflow-go/taskflow/adapters/internal/httpx"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
)

// Mount serves the dashboard, its JSON API and its live stream at path, "/tasks" say, of a router or a route within one; it works behind a
// proxy that strips a prefix. More specific routes below path win, as always. Chi wants every Use before it.
//
// It panics when the path is taken, where Chi itself would silently replace the other route, and when an option is invalid.
func Mount(r chi.Router, m *taskflow.Manager, path string, opts ...dashboard.Option) {
	h, point := httpx.NewMount(r == nil, m, path, []string{"*"}, append([]dashboard.Option{dashboard.Framework("chi")}, opts...))
	defer func() {
		if p := recover(); p != nil {
			panic(httpx.Clash(path, p))
		}
	}()
	mustBeFree(r, point)
	if point != "" {
		r.HandleFunc(point, func(w http.ResponseWriter, req *http.Request) { httpx.ServeBelow(h, w, req, "") })
	}
	r.HandleFunc(point+"/*", func(w http.ResponseWriter, req *http.Request) {
		httpx.ServeBelow(h, w, req, "/"+rest(req))
	})
}

// mustBeFree panics when r has a route that Mount would replace.
func mustBeFree(r chi.Routes, point string) {
	for _, route := range r.Routes() {
		if route.Pattern == point || strings.TrimSuffix(route.Pattern, "*") == point+"/" {
			panic(fmt.Sprintf("the router has a route at %q already", route.Pattern))
		}
	}
}

// rest is the part of the path below the mount point.
func rest(r *http.Request) string {
	below := chi.URLParam(r, "*")
	if r.URL.RawPath == "" {
		return below
	}
	if plain, err := url.PathUnescape(below); err == nil { // Chi routes by the escaped path when there is one
		return plain
	}
	return below
}
