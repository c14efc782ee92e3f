package tasks_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	tasks "github.com/taskflow-go/taskflow/adapters/gin"
	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
)

// stripPrefix is a proxy that takes a prefix off the path and does not tell anybody.
func stripPrefix(prefix string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RequestURI = strings.TrimPrefix(r.RequestURI, prefix)
		http.StripPrefix(prefix, h).ServeHTTP(w, r)
	})
}

func TestDashboardWorksWhereverItIsMounted(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		mount func(r *gin.Engine, m *taskflow.Manager)
		proxy string // prefix that is stripped in front
		point string // what the browser sees
	}{
		"at a path":                {func(r *gin.Engine, m *taskflow.Manager) { tasks.Mount(r, m, "/tasks") }, "", "/tasks"},
		"slashes do not matter":    {func(r *gin.Engine, m *taskflow.Manager) { tasks.Mount(r, m, "tasks/") }, "", "/tasks"},
		"at a deep path":           {func(r *gin.Engine, m *taskflow.Manager) { tasks.Mount(r, m, "/a/b/tasks") }, "", "/a/b/tasks"},
		"in a group":               {func(r *gin.Engine, m *taskflow.Manager) { tasks.Mount(r.Group("/admin"), m, "/jobs") }, "", "/admin/jobs"},
		"at the root of a group":   {func(r *gin.Engine, m *taskflow.Manager) { tasks.Mount(r.Group("/admin"), m, "/") }, "", "/admin"},
		"at the root":              {func(r *gin.Engine, m *taskflow.Manager) { tasks.Mount(r, m, "/") }, "", ""},
		"behind a stripping proxy": {func(r *gin.Engine, m *taskflow.Manager) { tasks.Mount(r, m, "/tasks") }, "/app", "/app/tasks"},
		"under a parameter":        {func(r *gin.Engine, m *taskflow.Manager) { tasks.Mount(r, m, "/t/:tenant/tasks") }, "", "/t/7/tasks"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := adaptertest.StartedManager(t)
			engine := gin.New()
			tc.mount(engine, m)
			srv := httptest.NewServer(stripPrefix(tc.proxy, engine))
			defer srv.Close()
			h := m.Add(taskflow.WorkOf(func() {}))
			if err := h.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			base := srv.URL + tc.point

			page := fetch(t, base, "text/html")
			if page.status != http.StatusOK || page.path != tc.point+"/dashboard" || !strings.HasPrefix(page.kind, "text/html") {
				t.Errorf("a browser at %s/ ends at %s: %d %s", tc.point, page.path, page.status, page.kind)
			}
			for _, at := range []string{base, base + "/"} {
				list := fetch(t, at, "application/json")
				var records []taskflow.Record
				if err := json.Unmarshal(list.body, &records); err != nil || len(records) != 1 || records[0].ID != h.ID() {
					t.Errorf("GET %s: %d %.200s (%v), want the list with task %s", at, list.status, list.body, err, h.ID())
				}
			}
			if one := fetch(t, base+"/"+h.ID(), "application/json"); one.status != http.StatusOK {
				t.Errorf("GET %s: %d %.200s", one.path, one.status, one.body)
			}
			if none := fetch(t, base+"/no/such/thing", "application/json"); none.status != http.StatusNotFound {
				t.Errorf("GET %s: %d", none.path, none.status)
			}
		})
	}
}

type answer struct {
	status     int
	path, kind string
	body       []byte
}

// fetch follows redirects, as a browser does.
func fetch(t *testing.T, url, accept string) answer {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("GET %s: %v", url, err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("GET %s: %v", url, err)
	}
	return answer{resp.StatusCode, resp.Request.URL.Path, resp.Header.Get("Content-Type"), body}
}

func TestMountSaysWhatIsInItsWay(t *testing.T) {
	t.Parallel()
	nothing := func(*gin.Context) {}
	for name, tc := range map[string]struct {
		before func(*gin.Engine)
		path   string
		opt    dashboard.Option
		want   []string
	}{
		"a parameter": {func(r *gin.Engine) { r.GET("/tasks/:id", nothing) }, "/tasks", nil,
			[]string{`tasks.Mount("/tasks")`, "/tasks/*taskflow_path", "/tasks/:id", "mount at another path"}},
		"the same path": {func(r *gin.Engine) { r.GET("/tasks", nothing) }, "/tasks", nil,
			[]string{`tasks.Mount("/tasks")`, "'/tasks'", "mount at another path"}},
		"any route, at the root": {func(r *gin.Engine) { r.GET("/x", nothing) }, "/", nil,
			[]string{`tasks.Mount("/")`, "/*taskflow_path", "mount at another path"}},
		"a bad option": {func(*gin.Engine) {}, "/tasks", dashboard.MaxViewers(0),
			[]string{`tasks.Mount("/tasks")`, "MaxViewers"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			engine := gin.New()
			tc.before(engine)
			var opts []dashboard.Option
			if tc.opt != nil {
				opts = append(opts, tc.opt)
			}
			defer func() {
				p := fmt.Sprint(recover())
				for _, want := range tc.want {
					if !strings.Contains(p, want) {
						t.Errorf("panic %q\nlacks %q", p, want)
					}
				}
			}()
			tasks.Mount(engine, adaptertest.NewManager(t), tc.path, opts...)
		})
	}
}
