package tasks_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	tasks "github.com/taskflow-go/taskflow/adapters/fiber"
	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
)

func TestMountNamesTheOtherRoute(t *testing.T) {
	t.Parallel()
	m := adaptertest.NewManager(t)
	for name, tc := range map[string]struct {
		prepare func(*fiber.App) fiber.Router
		path    string
		want    string
	}{
		"same path": {func(app *fiber.App) fiber.Router {
			app.Get("/tasks", func(*fiber.Ctx) error { return nil })
			return app
		}, "/tasks", "the route GET /tasks answers GET /tasks already: mount at another path"},
		"parameter": {func(app *fiber.App) fiber.Router {
			app.Get("/:page", func(*fiber.Ctx) error { return nil })
			return app
		}, "/tasks", "GET /:page"},
		"page": {func(app *fiber.App) fiber.Router {
			app.Get("/tasks/dashboard", func(*fiber.Ctx) error { return nil })
			return app
		}, "/tasks", "the route GET /tasks/dashboard answers GET /tasks/dashboard already"},
		"parameter above": {func(app *fiber.App) fiber.Router {
			app.Get("/:a/metrics", func(*fiber.Ctx) error { return nil })
			return app
		}, "/tasks", "the route GET /:a/metrics answers GET /tasks/metrics already"},
		"another method": {func(app *fiber.App) fiber.Router {
			app.Delete("/tasks/:x", func(*fiber.Ctx) error { return nil })
			return app
		}, "/tasks", "the route DELETE /tasks/:x answers DELETE /tasks/history already"},
		"action": {func(app *fiber.App) fiber.Router {
			app.Group("/tasks").Post("/:id/retry", func(*fiber.Ctx) error { return nil })
			return app
		}, "/tasks", "the route POST /tasks/:id/retry answers POST /tasks/"},
		"wildcard before": {func(app *fiber.App) fiber.Router {
			app.Get("/*", func(*fiber.Ctx) error { return nil })
			return app
		}, "/", "the route GET /* answers GET / already"},
		"second mount in a group": {func(app *fiber.App) fiber.Router {
			tasks.Mount(app, m, "/admin/tasks")
			return app.Group("/admin")
		}, "tasks/", "GET /admin/tasks"},
		"wildcard": {func(app *fiber.App) fiber.Router { return app }, "/tasks/*", "the path has \"*\" in it"},
		"plus":     {func(app *fiber.App) fiber.Router { return app }, "/tasks/+", "the path has \"+\" in it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := tc.prepare(fiber.New())
			defer func() {
				if p := fmt.Sprint(recover()); !strings.HasPrefix(p, fmt.Sprintf("tasks.Mount(%q): ", tc.path)) || !strings.Contains(p, tc.want) {
					t.Errorf("panic %q, want it to say %q", p, tc.want)
				}
			}()
			tasks.Mount(r, m, tc.path)
		})
	}
}

// Beside the dashboard, or behind it, other routes are nobody's business.
func TestMountLeavesOtherRoutesAlone(t *testing.T) {
	t.Parallel()
	m := adaptertest.NewManager(t)
	app := fiber.New()
	none := func(*fiber.Ctx) error { return nil }
	app.Use(none)
	app.Static("/", ".")
	app.Options("/*", none) // as CORS does
	app.Post("/tasks", none)
	app.Get("/tasks/:id<int>", none)
	app.Get("/tasks/reports/:name", none)
	app.Delete("/:other", none)
	tasks.Mount(app, m, "/tasks")
	app.Get("/tasks/metrics", none)
}

// TestMountKnowsTheDashboardsRequests compares with the dashboard's own description.
func TestMountKnowsTheDashboardsRequests(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../dashboard/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var described struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(text, &described); err != nil {
		t.Fatal(err)
	}
	var want []string
	for path, methods := range described.Paths {
		path = strings.TrimSuffix(strings.NewReplacer("{id}", "00000000-0000-7000-8000-000000000000", "{file}", "app.js").Replace(path), "/")
		for method := range methods {
			if method = strings.ToUpper(method); slices.Contains([]string{http.MethodGet, http.MethodPost, http.MethodDelete, http.MethodPut, http.MethodPatch}, method) {
				want = append(want, method+" "+path)
			}
		}
	}
	got := tasks.Requests()
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("Mount looks for routes over\n%q, the dashboard answers\n%q", got, want)
	}
}
