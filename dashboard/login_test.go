package dashboard_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
	"golang.org/x/crypto/bcrypt"
)

func form(user, password string) change {
	body := url.Values{"username": {user}, "password": {password}}.Encode()
	return func(r *http.Request) {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	}
}

// login logs in and returns the cookie.
func (s *site) login(user, password string, changes ...change) *http.Cookie {
	s.t.Helper()
	return onlyCookie(s.t, s.post("/auth/login", http.StatusSeeOther, append(changes, form(user, password))...))
}

func onlyCookie(t *testing.T, w *httptest.ResponseRecorder) *http.Cookie {
	t.Helper()
	cookies := w.Result().Cookies()
	if len(cookies) != 1 {
		t.Fatalf("%d cookies, want 1", len(cookies))
	}
	return cookies[0]
}

func TestWithUsersNothingIsServedWithoutSession(t *testing.T) {
	t.Parallel()
	s := open(t, dashboard.User("ada", cheapHash(t, "secret")))
	id := s.runFail()
	for path, methods := range s.h.Routes() {
		for _, method := range methods {
			if path == "/auth/login" || path == "/dashboard/assets/{file}" { // the login must look like something
				continue
			}
			at := strings.Replace(path, "{id}", id, 1)
			w := s.do(method, at, http.StatusUnauthorized)
			if detail(t, w) == "" || w.Header().Get("WWW-Authenticate") == "" {
				t.Errorf("%s %s: no detail or no WWW-Authenticate", method, at)
			}
			s.do(method, at, http.StatusUnauthorized, cookie(&http.Cookie{Name: "taskflow_token", Value: "x"}))
		}
	}
	s.get("/nothing/at/all", http.StatusUnauthorized)
	for at, want := range map[string]string{"/dashboard": "auth/login", "/": "auth/login", "": "./tasks/auth/login"} {
		if got := s.get(at, http.StatusSeeOther, browser).Header().Get("Location"); got != want {
			t.Errorf("a browser at %q is sent to %q, want %q", at, got, want)
		}
	}
	if got := s.post("/auth/logout", http.StatusSeeOther, browser).Header().Get("Location"); got != "login" {
		t.Errorf("a browser that logs out without a session is sent to %q, want login", got)
	}
	s.get(s.asset(".css"), http.StatusOK)
}

func TestLoginAndLogout(t *testing.T) {
	t.Parallel()
	s := open(t, dashboard.User("ada", cheapHash(t, "secret")), dashboard.SessionTTL(time.Hour))
	if body := s.get("/auth/login", http.StatusOK).Body.String(); !strings.Contains(body, `<form method="post" action="login">`) {
		t.Errorf("the login page has no form: %s", body)
	}
	w := s.post("/auth/login", http.StatusSeeOther, form("ada", "secret"))
	if got := w.Header().Get("Location"); got != "../dashboard" {
		t.Errorf("Location %q, want ../dashboard", got)
	}
	c := onlyCookie(t, w)
	if !c.HttpOnly || c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.MaxAge != 3600 || !strings.HasPrefix(c.Name, "taskflow_") {
		t.Errorf("cookie %+v", c)
	}
	s.get("/dashboard", http.StatusOK, cookie(c))
	s.get("/auth/login", http.StatusSeeOther, cookie(c))
	s.do(http.MethodDelete, "/history?value=1&unit=day", http.StatusOK, cookie(c))
	other := s.login("ada", "secret")
	if other.Value == c.Value {
		t.Error("two logins give the same cookie")
	}

	s.get("/auth/logout", http.StatusMethodNotAllowed, cookie(c))
	out := s.post("/auth/logout", http.StatusSeeOther, cookie(c))
	if gone := onlyCookie(t, out); gone.Name != c.Name || gone.Value != "" || gone.MaxAge >= 0 || out.Header().Get("Location") != "login" {
		t.Errorf("logout sets %+v and goes to %q", gone, out.Header().Get("Location"))
	}
	s.get("/metrics", http.StatusUnauthorized, cookie(c))
	s.get("/metrics", http.StatusOK, cookie(other))
	var actions []string
	for _, e := range s.trail(cookie(other)) {
		actions = append(actions, e.Action+" by "+e.Actor)
	}
	if got, want := strings.Join(actions, ", "), "logout by ada, login by ada, delete_history by ada, login by ada"; got != want {
		t.Errorf("audit trail: %s; want %s", got, want)
	}
}

func TestCookieIsSecureOverTLS(t *testing.T) {
	t.Parallel()
	s := open(t, dashboard.User("ada", cheapHash(t, "secret")))
	for name, secure := range map[string]change{
		"TLS": overTLS, "TLS at the proxy": header("X-Forwarded-Proto", "https"), "TLS at the first proxy": header("X-Forwarded-Proto", "https, http"),
		"Forwarded": header("Forwarded", `for="[2001:db8::1]:4711"; Proto="HTTPS";by=192.0.2.1, for=10.0.0.1;proto=http`),
	} {
		c := s.login("ada", "secret", secure)
		if !c.Secure || !strings.HasPrefix(c.Name, "__Host-taskflow_") || c.Path != "/" {
			t.Errorf("%s: cookie %+v, want it secure and with the prefix __Host-", name, c)
		}
		s.get("/metrics", http.StatusOK, secure, cookie(c))
	}
	for name, plain := range map[string]change{
		"no TLS at the proxy": header("X-Forwarded-Proto", "http"), "Forwarded without TLS": header("Forwarded", "proto=http, proto=https"),
		"Forwarded without proto": header("Forwarded", "for=https;https"),
	} {
		if c := s.login("ada", "secret", plain); c.Secure || strings.HasPrefix(c.Name, "__Host-") {
			t.Errorf("%s: cookie %+v, which the browser would not send back", name, c)
		}
	}
}

func TestSessionsAreNotAccepted(t *testing.T) {
	t.Parallel()
	b := memory.New()
	with := []taskflow.ManagerOption{taskflow.WithBackend(shared{b})}
	hash := cheapHash(t, "secret")
	s := openWith(t, with, dashboard.User("ada", hash), dashboard.User("bob", cheapHash(t, "other")))
	c := s.login("ada", "secret")

	t.Run("when forged", func(t *testing.T) {
		s := *s
		s.t = t
		for i := 0; i < len(c.Value); i += 7 {
			forged := *c
			forged.Value = c.Value[:i] + string(rune('A'+(c.Value[i]+1)%26)) + c.Value[i+1:]
			if forged.Value != c.Value {
				s.get("/metrics", http.StatusUnauthorized, cookie(&forged))
			}
		}
		for _, value := range []string{"", "x", c.Value[:len(c.Value)/2], c.Value + c.Value, strings.Repeat("A", 5000)} {
			forged := *c
			forged.Value = value
			s.get("/metrics", http.StatusUnauthorized, cookie(&forged))
		}
	})
	t.Run("by a program with another key", func(t *testing.T) {
		openWith(t, nil, dashboard.User("ada", hash)).get("/metrics", http.StatusUnauthorized, cookie(c))
	})
	t.Run("when the user is gone", func(t *testing.T) {
		openWith(t, with, dashboard.User("bob", hash)).get("/metrics", http.StatusUnauthorized, cookie(c))
	})
	t.Run("when the password was changed", func(t *testing.T) {
		openWith(t, with, dashboard.User("ada", cheapHash(t, "secret"))).get("/metrics", http.StatusUnauthorized, cookie(c))
	})
	t.Run("but by another instance they are", func(t *testing.T) {
		openWith(t, with, dashboard.User("ada", hash)).get("/metrics", http.StatusOK, cookie(c))
	})
}

// shared is a backend that several managers use one after the other: the first one's stop does not close it.
type shared struct{ *memory.Backend }

func (shared) Close() error { return nil }

func TestSessionExpires(t *testing.T) {
	t.Parallel()
	hash := cheapHash(t, "secret")
	synctest.Test(t, func(t *testing.T) {
		s := open(t, dashboard.User("ada", hash), dashboard.SessionTTL(time.Hour))
		c := s.login("ada", "secret")
		time.Sleep(59 * time.Minute)
		s.get("/metrics", http.StatusOK, cookie(c))
		time.Sleep(2 * time.Minute)
		s.get("/metrics", http.StatusUnauthorized, cookie(c))
	})
}

func TestLoginIsRefused(t *testing.T) {
	t.Parallel()
	s := open(t, dashboard.User("ada", cheapHash(t, "secret")))
	raw := func(kind, body string) change {
		return func(r *http.Request) {
			r.Header.Set("Content-Type", kind)
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		}
	}
	const urlencoded = "application/x-www-form-urlencoded"
	for _, tt := range []struct {
		name string
		body change
		want int
	}{
		{"wrong password", form("ada", "Secret"), http.StatusUnauthorized},
		{"unknown user", form("eve", "secret"), http.StatusUnauthorized},
		{"no password", form("ada", ""), http.StatusUnprocessableEntity},
		{"no fields", raw(urlencoded, ""), http.StatusUnprocessableEntity},
		{"password too long", form("ada", strings.Repeat("x", 1025)), http.StatusBadRequest},
		{"name too long", form(strings.Repeat("x", 65), "secret"), http.StatusBadRequest},
		{"name not UTF-8", form("\xff", "secret"), http.StatusBadRequest},
		{"malformed form", raw(urlencoded, "username=%zz"), http.StatusBadRequest},
		{"JSON", raw("application/json", `{"username":"ada","password":"secret"}`), http.StatusUnsupportedMediaType},
		{"far too large", raw(urlencoded, strings.Repeat("x", 9000)), http.StatusRequestEntityTooLarge},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := *s
			s.t = t
			addr := from(fmt.Sprintf("192.0.2.%d:1", len(tt.name))) // each its own, so that none is slowed down
			if w := s.post("/auth/login", tt.want, tt.body, addr); detail(t, w) == "" || len(w.Result().Cookies()) > 0 {
				t.Errorf("no detail, or a cookie: %s", w.Body)
			}
			if tt.want == http.StatusUnauthorized {
				return
			}
			page := s.post("/auth/login", tt.want, tt.body, addr, browser)
			if !strings.HasPrefix(page.Header().Get("Content-Type"), "text/html") || !strings.Contains(page.Body.String(), `role="alert"`) {
				t.Errorf("a browser gets %s", page.Body)
			}
		})
	}
	c := s.login("ada", "secret")
	var failed []string
	for _, e := range s.trail(cookie(c)) {
		if e.Action == "login_failed" {
			failed = append(failed, fmt.Sprint(e.Actor, " ", e.Detail["user"]))
		}
	}
	if got := strings.Join(failed, ", "); got != "anonymous eve, anonymous ada" {
		t.Errorf("failed logins in the trail: %q", got)
	}
}

func TestPasswordsOfAllKinds(t *testing.T) {
	t.Parallel()
	const password = "пароль-密码-🔑"
	argon, err := dashboard.HashPassword(password)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := dashboard.HashPassword(password); err != nil || again == argon {
		t.Errorf("a second hash is the same (%v)", err)
	}
	as2y := strings.Replace(cheapHash(t, password), "$2a$", "$2y$", 1)
	long, err := bcrypt.GenerateFromPassword([]byte(strings.Repeat("x", 72)), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, dashboard.User("argon", argon), dashboard.User("bcrypt", cheapHash(t, password)),
		dashboard.User("php", as2y), dashboard.User("long", string(long)))
	for _, user := range []string{"argon", "bcrypt", "php"} {
		s.login(user, password)
		s.post("/auth/login", http.StatusUnauthorized, form(user, password+"x"))
	}
	s.login("long", strings.Repeat("x", 72))
	s.post("/auth/login", http.StatusUnauthorized, form("long", strings.Repeat("x", 73))) // bcrypt sees 72 bytes of it
	for _, bad := range []string{"", "1234567", "密码密码密码密", strings.Repeat("x", 1025)} {
		if _, err := dashboard.HashPassword(bad); err == nil || bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("HashPassword of %d bytes gives the error %v, want one that does not show the password", len(bad), err)
		}
	}
	for _, good := range []string{"12345678", "密码密码密码密码", strings.Repeat("x", 1024)} {
		if _, err := dashboard.HashPassword(good); err != nil {
			t.Error(err)
		}
	}
}

func TestSessionKeyThatCannotBeReadIsAnError(t *testing.T) {
	t.Parallel()
	s := openWith(t, []taskflow.ManagerOption{taskflow.WithBackend(memory.New())}, dashboard.User("ada", cheapHash(t, "secret")))
	if err := s.m.Stop(t.Context()); err != nil { // closes the backend
		t.Fatal(err)
	}
	if got := detail(t, s.get("/metrics", http.StatusInternalServerError)); strings.Contains(got, "secret") {
		t.Errorf("the detail %q tells too much", got)
	}
}
