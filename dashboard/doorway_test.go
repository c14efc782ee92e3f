package dashboard_test

import (
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/taskflow-go/taskflow/dashboard"
)

// At the mount a browser gets a page that asks for its script there, since nobody but the browser knows where that is: nothing in it but the link for
// those without scripts depends on what the server takes for the path. The adapters' suite looks at it through proxies.
func TestBrowserIsLedToThePage(t *testing.T) {
	t.Parallel()
	const title = `Jobs & "more" <b>`
	hash := cheapHash(t, "secret")
	for name, s := range map[string]*site{
		"without users": open(t, dashboard.Title(title)),
		"not logged in": open(t, dashboard.Title(title), dashboard.User("ada", hash)), // the page asks for the login
	} {
		for target, guess := range map[string]string{"": "./tasks/dashboard", "/": "dashboard", "/?status=failed": "dashboard", "?limit=1": "./tasks/dashboard"} {
			w := s.get(target, http.StatusOK, browser)
			body := w.Body.String()
			if !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") || w.Header().Get("Vary") != "Accept" || !strings.Contains(body, "<title>"+html.EscapeString(title)+"</title>") {
				t.Errorf("%s, /tasks%s: %s %v", name, target, body, w.Header())
			}
			if !strings.Contains(body, `<a href="`+guess+`">`) {
				t.Errorf("%s, /tasks%s: without scripts it leads elsewhere than to %s: %s", name, target, guess, body)
			}
			src := regexp.MustCompile(`<script src="([^"]*)"></script>`).FindStringSubmatch(body)
			if src == nil || !strings.HasPrefix(src[1], "?") {
				t.Fatalf("%s, /tasks%s: it asks for no script at its own path: %s", name, target, body)
			}
			script := s.get("/"+src[1], http.StatusOK)
			const want = `location.replace(location.pathname.replace(/\/*$/, "/dashboard") + location.hash);`
			if got := strings.TrimSpace(script.Body.String()); got != want || script.Header().Get("Content-Type") != "text/javascript; charset=utf-8" {
				t.Errorf("%s: the script is %s: %s, want %s", name, script.Header().Get("Content-Type"), got, want)
			}
		}
	}
}

func TestTheDoorwayShowsNothingElseWithoutASession(t *testing.T) {
	t.Parallel()
	s := open(t, dashboard.User("ada", cheapHash(t, "secret")))
	id := s.runFail()
	for _, target := range []string{"", "/", "/?doorway&status=failed", "/?doorway=1", "/?status=failed"} {
		s.get(target, http.StatusUnauthorized)
		if w := s.get(target, http.StatusOK, browser); strings.Contains(w.Body.String(), id) || strings.Contains(w.Body.String(), "fail") {
			t.Errorf("a browser at /tasks%s is shown %s", target, w.Body)
		}
	}
	s.post("/?doorway", http.StatusUnauthorized)
	s.get("/dashboard?doorway", http.StatusUnauthorized)
	far := open(t) // for clients on the same machine
	far.get("/?doorway", http.StatusForbidden, from("192.0.2.1:1"))
	far.get("/", http.StatusForbidden, from("192.0.2.1:1"), browser)
}
