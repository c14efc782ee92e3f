package dashboard_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// layered names its file in errors, as SQLite does.
type layered struct{ *memory.Backend }

func (l layered) Get(ctx context.Context, id string) (taskflow.Record, error) {
	r, err := l.Backend.Get(ctx, id)
	if err != nil {
		err = fmt.Errorf("sqlite: get: tasks.db: %w", err)
	}
	return r, err
}

// A refusal says what is wrong with which task. Through which functions the error came, and the name of the file, are for the log.
func TestRefusalsAreToldWithoutLayers(t *testing.T) {
	t.Parallel()
	s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(ok, fail), taskflow.WithBackend(layered{memory.New()})})
	unknown, done := taskflow.NewID(time.Now()), s.runOK()
	for _, tt := range []struct {
		method, path string
		status       int
		want         string
	}{
		{http.MethodGet, "/" + unknown, http.StatusNotFound, "task not found: " + unknown},
		{http.MethodGet, "/" + unknown + "/family", http.StatusNotFound, "task not found: " + unknown},
		{http.MethodPost, "/" + unknown + "/retry", http.StatusNotFound, "task not found: " + unknown},
		{http.MethodPost, "/" + unknown + "/cancel", http.StatusNotFound, "task not found: " + unknown},
		{http.MethodPost, "/" + done + "/retry", http.StatusBadRequest, "task cannot be retried: only failed, interrupted and cancelled tasks can be, and " + done + " is success"},
		{http.MethodPost, "/" + done + "/cancel", http.StatusBadRequest, done + ": task cannot be cancelled: it is success already"},
		{http.MethodPost, "/schedules/nightly/run", http.StatusNotFound, `schedule not found: "nightly"`},
		{http.MethodGet, "/x", http.StatusNotFound, `task not found: "x" is not a task id (a UUID like 01890a5d-ac96-774b-bcce-b302099a8057)`},
	} {
		if got := detail(t, s.do(tt.method, tt.path, tt.status)); got != tt.want {
			t.Errorf("%s %s: %q, want %q", tt.method, tt.path, got, tt.want)
		}
	}
}
