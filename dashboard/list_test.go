package dashboard_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func TestListShowsNewestFirstWithoutLargeParts(t *testing.T) {
	t.Parallel()
	s := open(t)
	first := s.runOK()
	second := s.run(taskflow.WorkOf(func(ctx context.Context) error {
		taskflow.Logger(ctx).Info("hello")
		panic("boom")
	}), taskflow.Tag("user", "7"))
	got := s.list("/")
	if want := []string{second, first}; !slices.Equal(ids(got), want) {
		t.Fatalf("ids %v, want %v", ids(got), want)
	}
	p := got[0]
	if len(p.Logs) != 0 || p.LogCount == 0 || p.Stack != nil || p.Args != nil || p.Tags["user"] != "7" {
		t.Errorf("listed as %+v, want no logs but a log_count, neither stack nor arguments, and the tag", p)
	}
}

func TestListIncludesWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.run(taskflow.WorkOf(func(ctx context.Context) error { taskflow.Logger(ctx).Info("hello"); panic("boom") }))
	s.runOK()
	got := s.list("/?include=logs,stacktrace&include=args")
	if string(got[0].Args) != `"a"` {
		t.Errorf("args %s, want \"a\"", got[0].Args)
	}
	if len(got[1].Logs) != got[1].LogCount || got[1].LogCount == 0 || got[1].Stack == nil {
		t.Errorf("got %+v, want logs and stack", got[1])
	}
	if only := s.list("/?include=stacktrace"); len(only[1].Logs) != 0 || only[0].Args != nil || only[1].Stack == nil {
		t.Errorf("include=stacktrace gives %+v", only)
	}
}

func TestListPagesThroughEverythingOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	var want []string
	for range 7 {
		want = append(want, s.runFail())
	}
	slices.Reverse(want)
	var got []string
	target := "/?limit=3&status=failed"
	for pages := 0; target != ""; pages++ {
		if pages > 7 {
			t.Fatal("the pages do not end")
		}
		w := s.get(target, http.StatusOK)
		page := decode[[]task](t, w)
		if len(page) > 3 {
			t.Fatalf("a page of %d tasks, want at most 3", len(page))
		}
		got = append(got, ids(page)...)
		link := w.Header().Get("Link")
		if link == "" {
			break
		}
		if !strings.HasPrefix(link, "<?") || !strings.HasSuffix(link, `>; rel="next"`) {
			t.Fatalf("Link %q, want a relative reference that is a query only", link)
		}
		target = "/" + strings.TrimSuffix(strings.TrimPrefix(link, "<"), `>; rel="next"`)
		if q, _ := url.Parse(target); q.Query().Get("status") != "failed" {
			t.Fatalf("Link %q lost the filter", link)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("all pages hold %v, want %v", got, want)
	}
}

func TestListFilters(t *testing.T) {
	t.Parallel()
	s := open(t)
	good := s.run(taskflow.WorkOf(ok.With("a")), taskflow.Tag("user", "7"), taskflow.Tag("note", "a,b:c"))
	bad := s.runFail()
	for _, tt := range []struct {
		query string
		want  []string
	}{
		{"", []string{bad, good}},
		{"status=failed", []string{bad}},
		{"status=failed,success", []string{bad, good}},
		{"status=failed&status=success", []string{bad, good}},
		{"status=pending", []string{}},
		{"func_name=ok", []string{good}},
		{"func_name=o", []string{}},
		{"q=BROKEN", []string{bad}},
		{"q=" + good[:20], nil},
		{"tag=user:7", []string{good}},
		{"tag=user", []string{good}},
		{"tag=user:8", []string{}},
		{"tag=user:7&tag=note:a,b:c", []string{good}},
		{"source=manual", []string{bad, good}},
		{"source=scheduled", []string{}},
		{"since=5m", []string{bad, good}},
		{"since=2000-01-01T00:00:00Z&until=2001-01-01T00:00:00Z", []string{}},
		{"since=2000-01-01T00:00:00+01:00", []string{bad, good}},
		{"since=999999999999999999999999d", []string{bad, good}},
		{"until=9999-12-31T23:59:59Z", []string{bad, good}},
		{"until=1h", []string{}},
		{"limit=1", []string{bad}},
		{"limit=0", []string{bad}},
		{"limit=-5", []string{bad}},
		{"limit=99999999999999999999999", []string{bad, good}},
		{"limit=5000&include=args", []string{bad, good}},
		{"cursor=" + bad, []string{good}},
	} {
		got := ids(s.list("/?" + tt.query))
		if tt.want == nil {
			if !slices.Contains(got, good) {
				t.Errorf("?%s: got %v, want %s among them", tt.query, got, good)
			}
		} else if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("?%s: got %v, want %v", tt.query, got, tt.want)
		}
	}
}

func TestListRefusesWhatItCannotUnderstand(t *testing.T) {
	t.Parallel()
	s := open(t)
	for query, names := range map[string]string{
		"limit=ten":                          "limit",
		"limit=1.5":                          "limit",
		"limit=%D9%A3":                       "limit", // an Arabic digit
		"limit=1&limit=2":                    "limit",
		"cursor=abc":                         "cursor",
		"cursor=%27%3B--":                    "cursor",
		"status=done":                        "status",
		"since=yesterday":                    "since",
		"since=1h%0A":                        "since",
		"since=%D9%A3h":                      "since",
		"since=-1h":                          "since",
		"until=2026-13-01T00:00:00Z":         "until",
		"include=everything":                 "include",
		"tag=:7":                             "tag",
		"tag=a:1&tag=a:2":                    "tag",
		"q=" + strings.Repeat("x", 201):      "q",
		"q=%00":                              "q",
		"func_name=%ff":                      "func_name",
		"tag=%ff":                            "tag",
		"q=%zz":                              "query string",
		strings.Repeat("tag=a&", 11):         "tag",
		"source=" + strings.Repeat("x", 201): "source",
		"source=cron":                        "manual, retry, scheduled",
		"source=manual,cron":                 "cron",
		"since=1h&until=2h":                  "since",
		"since=1h&until=1h":                  "until",
		"priority=101":                       "priority",
	} {
		if got := detail(t, s.get("/?"+query, http.StatusBadRequest)); !strings.Contains(got, names) {
			t.Errorf("?%s: refused with %q, which does not name %s", query, got, names)
		}
	}
}

func TestBrowserIsSentToThePage(t *testing.T) {
	t.Parallel()
	s := open(t)
	for target, want := range map[string]string{"": "./tasks/dashboard", "/": "dashboard", "/?status=failed": "dashboard", "?limit=1": "./tasks/dashboard"} {
		w := s.get(target, http.StatusSeeOther, browser)
		if got := w.Header().Get("Location"); got != want {
			t.Errorf("/tasks%s: Location %q, want %q", target, got, want)
		}
	}
	for _, accept := range []string{"", "*/*", "application/json", "application/json, text/html;q=0.5", "text/html;q=0.1, */*"} {
		if got := s.get("", http.StatusOK, header("Accept", accept)).Header().Get("Content-Type"); got != "application/json" {
			t.Errorf("Accept %q: Content-Type %q, want application/json", accept, got)
		}
	}
}

func TestTaskIsShownWithLogAndStack(t *testing.T) {
	t.Parallel()
	s := open(t)
	id := s.run(taskflow.WorkOf(func(ctx context.Context) error { taskflow.Logger(ctx).Info("hello"); panic("boom") }))
	got := decode[task](t, s.get("/"+id, http.StatusOK))
	if got.ID != id || got.Status != "failed" || got.Stack == nil || len(got.Logs) == 0 || !strings.Contains(got.Logs[0], "hello") {
		t.Errorf("got %+v", got)
	}
	id = s.runOK()
	if got := decode[task](t, s.get("/"+id, http.StatusOK)); got.Args != nil {
		t.Errorf("arguments %s are shown unasked", got.Args)
	}
	if got := decode[task](t, s.get("/"+id+"?include=args", http.StatusOK)); string(got.Args) != `"a"` {
		t.Errorf("arguments %s, want \"a\"", got.Args)
	}
	s.get("/"+id+"?include=nothing", http.StatusBadRequest)
}

func TestUnknownTasksAndPathsAreNotFound(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, at := range []string{
		"/" + taskflow.NewID(time.Unix(1, 0)), "/nonsense", "/%00", "/%ff%fe", "/..", "/a/b/c", "/a/b", "//", "/%2e%2e/x",
		"/'%20OR%201=1", "/%7Bid%7D", "/dashboard/none.js", "/auth/login", "/dashboard/../metrics",
	} {
		if got := detail(t, s.get(at, http.StatusNotFound)); got == "" {
			t.Errorf("GET %s: no detail", at)
		}
	}
	s.post("/"+taskflow.NewID(time.Unix(1, 0))+"/retry", http.StatusNotFound)
	s.post("/nonsense/cancel", http.StatusNotFound)
	s.post("/auth/logout", http.StatusNotFound)
}

func TestWrongMethodsAreAnsweredWithTheRightOnes(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, tt := range []struct{ method, at, allow string }{
		{"POST", "/", "GET, HEAD"}, {"PUT", "/metrics", "GET, HEAD"}, {"GET", "/history", "DELETE"}, {"GET", "/x/retry", "POST"},
		{"DELETE", "/x", "GET, HEAD"}, {"GET", "/bulk-retry", "POST"}, {"HEAD", "/dashboard/stream", "GET"}, {"OPTIONS", "/audit", "GET, HEAD"},
	} {
		w := s.do(tt.method, tt.at, http.StatusMethodNotAllowed)
		if got := w.Header().Get("Allow"); got != tt.allow {
			t.Errorf("%s %s: Allow %q, want %q", tt.method, tt.at, got, tt.allow)
		}
	}
	s.do("HEAD", "/metrics", http.StatusOK)
}

func TestSlashAtTheEndIsRedirectedRelatively(t *testing.T) {
	t.Parallel()
	s := open(t)
	if got := s.get("/dashboard/?x=1", http.StatusTemporaryRedirect).Header().Get("Location"); got != "../dashboard?x=1" {
		t.Errorf("Location %q, want ../dashboard?x=1", got)
	}
}

func TestWorksUnderAnyPrefix(t *testing.T) {
	t.Parallel()
	s := open(t)
	id := s.runOK()
	for _, prefix := range []string{"", "/tasks", "/admin/background jobs/v1"} {
		srv := httptest.NewServer(http.StripPrefix(prefix, s.h))
		defer srv.Close()
		for _, at := range []string{"/", "/metrics", "/" + id, "/dashboard", s.asset(".js"), s.asset(".css")} {
			res, err := srv.Client().Get(srv.URL + (&url.URL{Path: prefix}).String() + at)
			if err != nil {
				t.Fatal(err)
			}
			if err := res.Body.Close(); err != nil {
				t.Error(err)
			}
			if res.StatusCode != http.StatusOK {
				t.Errorf("%s under %q: status %d", at, prefix, res.StatusCode)
			}
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+(&url.URL{Path: prefix}).String(), nil)
		if err != nil {
			t.Fatal(err)
		}
		browser(req)
		res, err := srv.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if err := res.Body.Close(); err != nil {
			t.Error(err)
		}
		if want := prefix + "/dashboard"; res.Request.URL.Path != want || res.StatusCode != http.StatusOK {
			t.Errorf("a browser at %q ends at %q (%d), want %q", prefix, res.Request.URL.Path, res.StatusCode, want)
		}
	}
}
