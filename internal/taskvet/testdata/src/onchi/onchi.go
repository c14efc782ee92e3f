package onchi

import (
	"context"
	"net/http"

	"github.com/go-chi/chi/v5"

	tasks "github.com/taskflow-go/taskflow/adapters/chi"
)

func work(...any) {}

func handler(w http.ResponseWriter, r *http.Request) {
	tasks.Add(r, func() { work(chi.URLParam(r, "id")) })                  // want `task uses chi.URLParam\(r, "id"\), the route's parameters: Chi reuses them`
	tasks.Add(r, func() { work(chi.URLParamFromCtx(r.Context(), "id")) }) // want `task uses chi.URLParamFromCtx\(r.Context\(\), "id"\), the route's parameters`
	tasks.Add(r, func() { work(chi.RouteContext(r.Context()).Clone()) })  // want `task uses chi.RouteContext`
	old := r.Context()
	tasks.Add(r, func() { work(chi.URLParamFromCtx(old, "id")) }) // want `task uses chi.URLParamFromCtx\(old, "id"\)`
	route := chi.RouteContext(r.Context())
	tasks.Add(r, func() { work(route.URLParam("id")) }) // want `task uses route, which is from chi.RouteContext\(r.Context\(\)\), the route's parameters`

	tasks.Add(r, func(ctx context.Context) error { work(chi.URLParamFromCtx(ctx, "id")); return nil })
	tasks.Add(r, func(ctx context.Context) { func() { work(chi.RouteContext(ctx)) }() })
	id := chi.URLParam(r, "id")
	tasks.Add(r, func() { work(id, r.PathValue("id"), r.Context(), old) })
	mine := route.Clone()
	tasks.Add(r, func() { work(mine.URLParam("id")) })
	tasks.Add(r, func() { work(w) }) // want `task uses w, the response`
	go func() { work(chi.URLParam(r, "id")) }()
}
