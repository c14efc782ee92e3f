package tasks_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
	tasks "github.com/taskflow-go/taskflow/adapters/nethttp"
)

func TestProgrammerErrorsPanicWithWhatToWrite(t *testing.T) {
	t.Parallel()
	m := adaptertest.NewManager(t)
	for name, tc := range map[string]struct {
		do   func()
		want string
	}{
		"Add without a request":      {func() { tasks.Add(nil, func() {}) }, "tasks.Add: there is no request"},
		"Add to a bare request":      {func() { tasks.Add(httptest.NewRequest("GET", "/", nil), func() {}) }, "write tasks.Middleware(m)(mux) where mux is served"},
		"Middleware without manager": {func() { tasks.Middleware(nil) }, "pass what taskflow.New returned"},
		"Attach without a server":    {func() { tasks.Attach(nil, m) }, "tasks.Attach: the server is nil"},
		"Mount without a router":     {func() { tasks.Mount(nil, m, "/tasks") }, `tasks.Mount("/tasks"): the router is nil`},
		"Mount without a manager":    {func() { tasks.Mount(http.NewServeMux(), nil, "/tasks") }, `tasks.Mount("/tasks"): the manager is nil`},
	} {
		func() {
			defer func() {
				if p := fmt.Sprint(recover()); !strings.Contains(p, tc.want) {
					t.Errorf("%s: panic %q, want it to say %q", name, p, tc.want)
				}
			}()
			tc.do()
		}()
	}
}
