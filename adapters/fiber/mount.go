package tasks

import (
	"cmp"
	"fmt"
	"net/url"
	"reflect"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/taskflow-go/taskflow/adapters/internal/httpx"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
)

// Mount serves the dashboard, its JSON API and its live stream at path, "/tasks" say, of an app or a group; it works behind a
// proxy that strips a prefix. Request bodies may have the size that the app's BodyLimit allows.
//
// It panics when a route that r's app was given before would answer one of the dashboard's requests in its place (GET /tasks/dashboard, DELETE
// /tasks/history, …), which Fiber itself accepts in silence; and when an option is invalid. What it does not look at: middleware and static files
// (they may pass a request on), and the routes of an app that is mounted in another one.
func Mount(r fiber.Router, m *taskflow.Manager, path string, opts ...dashboard.Option) {
	h, point := httpx.NewMount(r == nil, m, path, []string{"*", "+"}, append([]dashboard.Option{dashboard.Framework("fiber")}, opts...))
	if other := routeOver(r, point); other != "" {
		panic(httpx.Clash(path, other))
	}
	b := &bridge{handler: h, m: m}
	if point != "" {
		r.All(point, func(c *fiber.Ctx) error {
			if strings.HasSuffix(c.Path(), "/") { // the same route, unless the app has StrictRouting
				return b.serve(c, "/")
			}
			return b.serve(c, "")
		})
	}
	r.All(point+"/*", func(c *fiber.Ctx) error { return b.serve(c, "/"+rest(c)) })
}

// rest is the part of the path below the mount point, decoded, in memory of its own.
func rest(c *fiber.Ctx) string {
	params := c.Route().Params // the last one: a group's prefix may have parameters, too
	raw := strings.Clone(c.Params(params[len(params)-1]))
	if raw != "" && strings.HasSuffix(c.Path(), "/") && !strings.HasSuffix(raw, "/") {
		raw += "/" // Fiber takes it off, unless the app has StrictRouting; the dashboard redirects, since its URLs are relative
	}
	if c.App().Config().UnescapePath {
		return raw
	}
	if decoded, err := url.PathUnescape(raw); err == nil {
		return decoded
	}
	return raw // the handler finds nothing there
}

// routeOver says which route takes a request for the dashboard at point, a path below r; empty when there is none.
func routeOver(r fiber.Router, point string) string {
	app, prefix := appOf(r)
	if app == nil {
		return ""
	}
	at := strings.TrimSuffix(prefix, "/") + point
	routes := app.GetRoutes(true)
	for _, request := range requests() {
		method, path, _ := strings.Cut(request, " ")
		for _, route := range routes {
			if route.Method == method && fiber.RoutePatternMatch(at+path, route.Path, app.Config()) {
				return fmt.Sprintf("the route %s %s answers %s %s already", method, route.Path, method, cmp.Or(at+path, "/"))
			}
		}
	}
	return ""
}

// requests are those that the dashboard answers, with an id and a file that stand for all.
func requests() []string {
	const id = "/00000000-0000-7000-8000-000000000000"
	return []string{
		"GET ", "GET /dashboard", "GET /dashboard/assets/app.js", "GET /dashboard/stream",
		"GET /metrics", "GET /functions", "GET /schedules", "GET /instances", "GET /audit", "GET /openapi.json",
		"DELETE /history", "POST /bulk-retry", "POST /retry-failed", "GET " + id, "POST " + id + "/retry", "POST " + id + "/cancel",
		"GET /series", "GET /heatmap", "GET /me", "GET /count", "GET /failures", "GET /problems", "GET /export", "POST /bulk", "GET /operations", "GET /operations" + id,
		"POST /operations" + id + "/stop", "GET " + id + "/why", "GET " + id + "/family",
		"POST /schedules/{name}/run", "POST /schedules/{name}/pause", "POST /schedules/{name}/resume",
		"GET /auth/login", "POST /auth/login", "POST /auth/logout",
	}
}

// appOf returns the app to which r adds routes, and the prefix that they get; a nil app when r is neither an app nor a group.
func appOf(r fiber.Router) (app *fiber.App, prefix string) {
	switch r := r.(type) {
	case *fiber.App:
		return r, ""
	case *fiber.Group:
		// A group does not tell its app, and without the app its routes cannot be listed.
		if f := reflect.ValueOf(r).Elem().FieldByName("app"); f.IsValid() && f.Type() == reflect.TypeFor[*fiber.App]() {
			return (*fiber.App)(f.UnsafePointer()), r.Prefix
		}
	}
	return nil, ""
}
