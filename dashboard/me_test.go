package dashboard_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/taskflow-go/taskflow/dashboard"
)

type me struct {
	User, Role, Title, Framework string
	Auth                         bool
	ExpiresAt                    string `json:"expires_at"`
	InstanceID                   string `json:"instance_id"`
	Capabilities                 []string
}

func TestMeTellsRoleAndSession(t *testing.T) {
	t.Parallel()
	hash := cheapHash(t, "secret")
	users := []dashboard.Option{dashboard.User("ada", hash), dashboard.Viewer("bob", hash), dashboard.Title("Jobs"), dashboard.Framework("gin")}
	for _, tt := range []struct {
		name string
		opts []dashboard.Option
		user string
		role string
	}{
		{"an operator", users, "ada", "operator"},
		{"a viewer", users, "bob", "viewer"},
		{"somebody on this machine", nil, "", "operator"},
		{"anybody, when it is public", []dashboard.Option{dashboard.Public()}, "", "operator"},
		{"anybody, when it is public to look at", []dashboard.Option{dashboard.PublicViewer()}, "", "viewer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, tt.opts...)
			var session []change
			if tt.user != "" {
				session = append(session, cookie(s.login(tt.user, "secret")))
			}
			got := decode[me](t, s.get("/me", http.StatusOK, session...))
			if got.User != tt.user || got.Role != tt.role || got.Auth != (tt.user != "") || (got.ExpiresAt != "") != got.Auth {
				t.Errorf("got %+v, want user %q with role %s", got, tt.user, tt.role)
			}
			if got.InstanceID != s.m.Instance() || !strings.Contains(strings.Join(got.Capabilities, " "), "delete") {
				t.Errorf("got %+v, want this instance, which can delete", got)
			}
			if tt.user != "" && (got.Title != "Jobs" || got.Framework != "gin") {
				t.Errorf("got %+v, want what the options say", got)
			}
		})
	}
}

// TestViewersChangeNothing asks the handler itself what there is to change, so that a new route is in the test.
func TestViewersChangeNothing(t *testing.T) {
	t.Parallel()
	hash := cheapHash(t, "secret")
	private := open(t, dashboard.User("ada", hash), dashboard.Viewer("bob", hash))
	public := open(t, dashboard.PublicViewer())
	for name, tt := range map[string]struct {
		s       *site
		session change
	}{
		"a viewer's session":    {private, cookie(private.login("bob", "secret"))},
		"open to look at":       {public, from("203.0.113.7:4711")},
		"open, on this machine": {public, from("127.0.0.1:4711")},
	} {
		s, tried := tt.s, 0
		id := s.runFail()
		for path, methods := range s.h.Routes() {
			path = strings.ReplaceAll(path, "{id}", id)
			for _, method := range methods {
				if method == http.MethodGet || strings.HasPrefix(path, "/auth/") {
					continue
				}
				tried++
				w := s.do(method, path+"?value=1&unit=min&since=all", http.StatusForbidden, tt.session, jsonBody(`{"task_ids":["`+id+`"],"action":"delete"}`))
				if text := detail(t, w); !strings.Contains(text, "viewer") || !strings.Contains(text, "dashboard.User") {
					t.Errorf("%s: %s %s: %q names neither the role nor the way out", name, method, path, text)
				}
				if role := decode[struct{ Role string }](t, w).Role; role != "viewer" {
					t.Errorf("%s: %s %s: role %q", name, method, path, role)
				}
			}
		}
		if tried < 5 {
			t.Errorf("%s: only %d routes tried", name, tried)
		}
		if got := decode[task](t, s.get("/"+id, http.StatusOK, tt.session)); got.RetriedBy != nil {
			t.Errorf("%s: the task was retried", name)
		}
	}
	private.post("/auth/logout", http.StatusSeeOther, cookie(private.login("bob", "secret"))) // which is theirs to do
}
