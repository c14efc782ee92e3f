package dashboard_test

import (
	"crypto/tls"
	"net/http"
	"strings"
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
)

func TestWithoutUsersOnlyThisMachineIsServed(t *testing.T) {
	t.Parallel()
	s := open(t)
	for name, c := range map[string]change{
		"IPv4 loopback": from("127.0.0.1:1"), "other loopback": from("127.9.9.9:1"), "IPv6 loopback": from("[::1]:1"),
		"mapped loopback": from("[::ffff:127.0.0.1]:1"), "host is an address": host("127.0.0.1:80"), "host is IPv6": host("[::1]:80"),
		"name below localhost": host("app.localhost"), "a local page": header("Origin", "http://localhost:8080"),
		"a local page by address": both(host("[::1]:80"), header("Origin", "http://[::1]:80")),
	} {
		t.Run(name, func(t *testing.T) { s := *s; s.t = t; s.get("/metrics", http.StatusOK, c) })
	}
	for name, c := range map[string]change{
		"another machine": from("192.0.2.1:1"), "private network": from("10.0.0.1:1"), "unix socket": from("@"), "no address": from(""),
		"forwarded for": header("X-Forwarded-For", "127.0.0.1"), "forwarded": header("Forwarded", "for=127.0.0.1"),
		"real address": header("X-Real-IP", "127.0.0.1"), "via": header("Via", "1.1 proxy"),
		"a name that points here": host("evil.example:8080"), "a name like an address": host("127.0.0.1.evil.example"),
		"nginx as it comes": both(host("127.0.0.1:8080"), func(r *http.Request) { r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.0", 1, 0 }),
		"a page elsewhere":  both(header("Origin", "https://tasks.example"), header("Sec-Fetch-Site", "same-origin")),
		"an opaque page":    both(header("Origin", "null"), header("Sec-Fetch-Site", "same-origin")),
	} {
		t.Run(name, func(t *testing.T) {
			s := *s
			s.t = t
			for _, at := range []string{"/", "/metrics", "/dashboard", "/dashboard/assets/app.js", "/dashboard/stream", "/openapi.json", "/nothing"} {
				if got := detail(t, s.get(at, http.StatusForbidden, c)); !strings.Contains(got, "dashboard.Public()") || !strings.Contains(got, "dashboard.User") {
					t.Errorf("%s: refused with %q, which does not say how to open it", at, got)
				}
			}
			s.post("/retry-failed?since=all", http.StatusForbidden, c)
		})
	}
}

func TestPublicServesEverybody(t *testing.T) {
	t.Parallel()
	s := open(t, dashboard.Public())
	s.get("/metrics", http.StatusOK, from("192.0.2.1:1"), header("X-Forwarded-For", "198.51.100.1"), host("tasks.example"))
	s.do(http.MethodDelete, "/history?value=1&unit=day", http.StatusOK, from("192.0.2.1:1"), header("X-Forwarded-For", "198.51.100.1"))
	if trail := s.trail(); trail[0].Remote != "192.0.2.1 (forwarded for 198.51.100.1)" {
		t.Errorf("remote %q", trail[0].Remote)
	}
}

func TestChangesFromAnotherOriginAreRefused(t *testing.T) {
	t.Parallel()
	s := open(t, dashboard.Public(), dashboard.TrustedOrigin("https://admin.example"))
	id := s.runFail()
	for _, c := range map[string]change{
		"cross-site": header("Sec-Fetch-Site", "cross-site"), "same-site": header("Sec-Fetch-Site", "same-site"),
		"old browser": header("Origin", "https://evil.example"), "opaque origin": header("Origin", "null"),
	} {
		for _, r := range [][2]string{
			{"POST", "/" + id + "/retry"}, {"POST", "/" + id + "/cancel"}, {"POST", "/bulk-retry"}, {"POST", "/retry-failed?since=all"},
			{"DELETE", "/history?value=1&unit=min"}, {"POST", "/auth/login"}, {"POST", "/auth/logout"},
		} {
			s.do(r[0], r[1], http.StatusForbidden, c)
		}
		s.get("/metrics", http.StatusOK, c) // reading is the browser's same-origin policy
	}
	if got := decode[task](t, s.get("/"+id, http.StatusOK)); got.RetriedBy != nil {
		t.Error("a refused request has retried the task")
	}
	s.do(http.MethodDelete, "/history?value=1&unit=day", http.StatusOK, header("Sec-Fetch-Site", "same-origin"))
	s.do(http.MethodDelete, "/history?value=1&unit=day", http.StatusOK, header("Origin", "https://admin.example"), header("Sec-Fetch-Site", "cross-site"))
}

func TestEveryAnswerHasSecurityHeaders(t *testing.T) {
	t.Parallel()
	s := open(t, dashboard.User("ada", cheapHash(t, "secret")))
	asset := s.asset(".css")
	for at, want := range map[string]int{"/auth/login": http.StatusOK, asset: http.StatusOK, "/metrics": http.StatusUnauthorized, "/nothing": http.StatusUnauthorized} {
		head := s.get(at, want).Header()
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
			"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		} {
			if got := head.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", at, name, got, want)
			}
		}
		if got := head.Get("Cache-Control"); got != "no-store" && at != asset {
			t.Errorf("%s: Cache-Control %q, want no-store", at, got)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	m, err := taskflow.New()
	if err != nil {
		t.Fatal(err)
	}
	good := cheapHash(t, "x")
	for names, opts := range map[string][]dashboard.Option{
		"SessionTTL":                 {dashboard.SessionTTL(0)},
		"MaxViewers":                 {dashboard.MaxViewers(0)},
		"Heartbeat":                  {dashboard.Heartbeat(0)},
		"WriteTimeout":               {dashboard.WriteTimeout(-time.Second)},
		"TrustedOrigin":              {dashboard.TrustedOrigin("example.com/path")},
		"Title":                      {dashboard.Title("")},
		"option is nil":              {nil},
		`User("")`:                   {dashboard.User("", good)},
		`User("ada"): given twice`:   {dashboard.User("ada", good), dashboard.User("ada", good)},
		"Framework":                  {dashboard.Framework(strings.Repeat("x", 41))},
		`Viewer("ada"): given twice`: {dashboard.User("ada", good), dashboard.Viewer("ada", good)},
		`Viewer("plain"): this is`:   {dashboard.Viewer("plain", "hunter2hunter2")},
		"Public and User contradict": {dashboard.Viewer("ada", good), dashboard.PublicViewer()},
		"Public and User":            {dashboard.User("ada", good), dashboard.Public()},
		`User("plain"): this is not`: {dashboard.User("plain", "hunter2hunter2")},
		`User("empty"): the hash is empty: is the variable set`: {dashboard.User("empty", "")},
		`User("md5")`:      {dashboard.User("md5", "$1$abc$def")},
		`User("short")`:    {dashboard.User("short", good[:50])},
		`User("cost")`:     {dashboard.User("cost", strings.Replace(good, "$04$", "$31$", 1))},
		`User("expanded")`: {dashboard.User("expanded", "=19=64,t=1,p=1")}, // by a shell, as variables
		`User("memory")`:   {dashboard.User("memory", "$argon2id$v=19$m=99999999,t=1,p=1$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5a2V5")},
		`User("version")`:  {dashboard.User("version", "$argon2id$v=16$m=64,t=1,p=1$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5a2V5")},
		`User("argon2i")`:  {dashboard.User("argon2i", "$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5a2V5")},
	} {
		_, err := dashboard.New(m, opts...)
		if err == nil || !strings.Contains(err.Error(), names) {
			t.Errorf("New gives %v, want an error with %q", err, names)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error shows what may be a password: %v", err)
		}
	}
	if _, err := dashboard.New(nil); err == nil {
		t.Error("New(nil) gives no error")
	}
	if err := m.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func both(a, b change) change { return func(r *http.Request) { a(r); b(r) } }

func overTLS(r *http.Request) { r.TLS = &tls.ConnectionState{} }
