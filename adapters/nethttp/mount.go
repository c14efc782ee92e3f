package tasks

import (
	"net/http"

	"github.com/taskflow-go/taskflow/adapters/internal/httpx"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
)

// Mount serves the dashboard, its JSON API and its live stream at path, "/tasks" say, of mux; it works behind http.StripPrefix and behind
// a proxy that strips a prefix. More specific patterns of mux below path win, as always.
//
// It panics, as ServeMux does, when the path is taken, and when an option is invalid.
func Mount(mux *http.ServeMux, m *taskflow.Manager, path string, opts ...dashboard.Option) {
	h, point := httpx.NewMount(mux == nil, m, path, []string{"...}", "{$}"}, append([]dashboard.Option{dashboard.Framework("net/http")}, opts...))
	defer func() {
		if p := recover(); p != nil {
			panic(httpx.Clash(path, p))
		}
	}()
	if point != "" {
		mux.HandleFunc(point, func(w http.ResponseWriter, r *http.Request) { httpx.ServeBelow(h, w, r, "") })
	}
	mux.HandleFunc(point+"/{"+httpx.RestParam+"...}", func(w http.ResponseWriter, r *http.Request) {
		httpx.ServeBelow(h, w, r, "/"+r.PathValue(httpx.RestParam))
	})
}
