package adaptertest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"testing"

	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
)

// testMount: the dashboard works wherever it is mounted, also behind a proxy that takes a prefix off the path and tells nobody.
func testMount(t *testing.T, f Framework) {
	for name, tc := range map[string]struct {
		mount func(app App, m *taskflow.Manager)
		proxy string // prefix that is stripped in front
		point string // what the browser sees
	}{
		"at a path":              {func(app App, m *taskflow.Manager) { app.Mount(m, "/tasks", dashboard.Public()) }, "", "/tasks"},
		"slashes do not matter":  {func(app App, m *taskflow.Manager) { app.Mount(m, "tasks/", dashboard.Public()) }, "", "/tasks"},
		"at a deep path":         {func(app App, m *taskflow.Manager) { app.Mount(m, "/a/b", dashboard.Public()) }, "", "/a/b"},
		"in a group":             {func(app App, m *taskflow.Manager) { app.Group("/admin").Mount(m, "/jobs", dashboard.Public()) }, "", "/admin/jobs"},
		"in a group of a group":  {func(app App, m *taskflow.Manager) { app.Group("/a").Group("/b").Mount(m, "/jobs", dashboard.Public()) }, "", "/a/b/jobs"},
		"at the root of a group": {func(app App, m *taskflow.Manager) { app.Group("/admin").Mount(m, "/", dashboard.Public()) }, "", "/admin"},
		"under a parameter":      {func(app App, m *taskflow.Manager) { app.Mount(m, "/t/:tenant/tasks", dashboard.Public()) }, "", "/t/7/tasks"},
		"at the root":            {func(app App, m *taskflow.Manager) { app.Mount(m, "/", dashboard.Public()) }, "", ""},
		"behind a proxy":         {func(app App, m *taskflow.Manager) { app.Mount(m, "/tasks", dashboard.Public()) }, "/app", "/app/tasks"},
		"at two paths, both work": {func(app App, m *taskflow.Manager) {
			app.Mount(m, "/other", dashboard.Public())
			app.Mount(m, "/tasks", dashboard.Public())
		}, "", "/tasks"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := NewManager(t)
			app := f.New(t, m, Setup{})
			tc.mount(app, m)
			s := serve(t, app, m, Listen(t, 0))
			proxy := httptest.NewServer(http.StripPrefix(tc.proxy, httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: s.addr})))
			defer proxy.Close()
			h := m.Add(taskflow.WorkOf(func() {}))
			if err := h.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			base := "http://" + s.addr + tc.point
			if tc.proxy != "" {
				base = proxy.URL + tc.point
			}
			for _, at := range []string{base, base + "/"} {
				list := fetch(t, at, "application/json")
				var records []taskflow.Record
				if err := json.Unmarshal(list.body, &records); err != nil || len(records) != 1 || records[0].ID != h.ID() {
					t.Errorf("GET %s: %d %.200s (%v), want the list with task %s", at, list.status, list.body, err, h.ID())
				}
				page := fetch(t, at, "text/html")
				if page.status != http.StatusOK || page.path != tc.point+"/dashboard" || !strings.HasPrefix(page.kind, "text/html") {
					t.Errorf("a browser at %s ends at %s: %d %s", at, page.path, page.status, page.kind)
				}
			}
			// A slash too many must not make a page whose relative URLs lead nowhere.
			if page := fetch(t, base+"/dashboard/", "text/html"); page.status != http.StatusOK || page.path != tc.point+"/dashboard" {
				t.Errorf("a browser at %s/dashboard/ ends at %s: %d", base, page.path, page.status)
			}
			// What the page loads is where it says, relative to where it is.
			page := fetch(t, base+"/dashboard", "text/html")
			src := regexp.MustCompile(`<script[^>]* src="\./([^"]+)"`).FindSubmatch(page.body)
			if src == nil {
				t.Fatalf("the page names no script:\n%s", page.body)
			}
			if script := fetch(t, base+"/"+string(src[1]), "*/*"); script.status != http.StatusOK || !strings.HasPrefix(script.kind, "text/javascript") {
				t.Errorf("the page's script %s: %d %s", src[1], script.status, script.kind)
			}
			if one := fetch(t, base+"/"+h.ID(), "application/json"); one.status != http.StatusOK {
				t.Errorf("GET %s: %d %.200s", one.path, one.status, one.body)
			}
			if none := fetch(t, base+"/no/such/thing", "application/json"); none.status != http.StatusNotFound {
				t.Errorf("GET %s: %d", none.path, none.status)
			}
			for path, want := range escapedPaths {
				if page := fetch(t, base+path, "text/html"); page.status != want {
					t.Errorf("GET %s%s: %d, want %d", base, path, page.status, want)
				}
			}
			s.stopClean()
		})
	}
	t.Run("all methods arrive", func(t *testing.T) {
		t.Parallel()
		m := NewManager(t)
		app := f.New(t, m, Setup{})
		app.Mount(m, "/tasks")
		s := serve(t, app, m, Listen(t, 0))
		body := `{"task_ids": ["a", "b"]}`
		c := Dial(t, s.addr)
		c.Send("POST /tasks/bulk-retry HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", s.addr, len(body), body)
		if resp, answer := c.Response(); resp.StatusCode != http.StatusOK || !strings.Contains(answer, `"skipped":2`) {
			t.Errorf("POST bulk-retry: %s %s", resp.Status, answer)
		}
		c.Send("DELETE /tasks/history?value=0&unit=day HTTP/1.1\r\nHost: %s\r\n\r\n", s.addr)
		if resp, answer := c.Response(); resp.StatusCode != http.StatusUnprocessableEntity || !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/problem+json") {
			t.Errorf("DELETE history with a bad value: %s %s", resp.Status, answer)
		}
		c.Send("POST /tasks/retry-failed?since=all HTTP/1.1\r\nHost: %s\r\nSec-Fetch-Site: cross-site\r\nContent-Length: 0\r\n\r\n", s.addr)
		if resp, answer := c.Response(); resp.StatusCode != http.StatusForbidden {
			t.Errorf("a request of another site: %s %s", resp.Status, answer)
		}
		for _, method := range []string{"PUT", "PATCH", "OPTIONS", "DELETE", "TRACE"} { // which the dashboard answers, not the router
			c.Send("%s /tasks/me HTTP/1.1\r\nHost: %s\r\nContent-Length: 0\r\n\r\n", method, s.addr)
			resp, answer := c.Response()
			if resp.StatusCode != http.StatusMethodNotAllowed || resp.Header.Get("Allow") != "GET, HEAD" || resp.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s: %s, Allow %q, %s; want a 405 as the API describes it", method, resp.Status, resp.Header.Get("Allow"), answer)
			}
		}
		c.Send("HEAD /tasks/metrics HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", s.addr)
		c.WaitClosed()
		s.stopClean()
	})
}

// escapedPaths are ways to write paths below a mount, with the status that a browser gets: each is decoded once.
var escapedPaths = map[string]int{
	"/d%61shboard":   http.StatusOK,       // dashboard
	"/d%2561shboard": http.StatusNotFound, // d%61shboard
}

// testMountRefusals are part of Misuse.
func testMountRefusals(t *testing.T, f Framework) {
	for name, tc := range map[string]struct {
		before func(App, *taskflow.Manager)
		path   string
		opt    dashboard.Option
		want   []string
		taken  bool
	}{
		"mounted twice":     {before: func(app App, m *taskflow.Manager) { app.Mount(m, "/tasks") }, path: "/tasks", want: []string{"/tasks", "mount at another path"}, taken: true},
		"over a route":      {before: func(app App, _ *taskflow.Manager) { app.Handle("/tasks", func(Request) error { return nil }) }, path: "/tasks", want: []string{"/tasks", "mount at another path"}, taken: true},
		"with a wildcard":   {path: "/tasks/*", want: []string{"the path has"}},
		"with a query":      {path: "/tasks?x=1", want: []string{`"?"`, "the path under which"}},
		"with a bad option": {path: "/tasks", opt: dashboard.MaxViewers(0), want: []string{"MaxViewers"}},
	} {
		if tc.taken && !f.Traits().RefusesTakenPaths || tc.path == "/tasks/*" && f.Traits().Wildcard == "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := NewManager(t)
			app := f.New(t, m, Setup{})
			if tc.before != nil {
				tc.before(app, m)
			}
			var opts []dashboard.Option
			if tc.opt != nil {
				opts = append(opts, tc.opt)
			}
			path := strings.ReplaceAll(tc.path, "*", f.Traits().Wildcard)
			defer func() {
				prefix := fmt.Sprintf("tasks.Mount(%q): ", path)
				why, ok := strings.CutPrefix(fmt.Sprint(recover()), prefix) // which names the path already
				if !ok {
					t.Errorf("panic %q\ndoes not begin with %q", why, prefix)
				}
				for _, want := range tc.want {
					if want = strings.ReplaceAll(want, "*", f.Traits().Wildcard); !strings.Contains(why, want) {
						t.Errorf("panic %q\nlacks %q after %q", why, want, prefix)
					}
				}
			}()
			app.Mount(m, path, opts...)
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
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
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
