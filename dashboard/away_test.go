package dashboard_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// away is a backend that cannot be reached while it is switched off.
type away struct {
	*memory.Backend

	off atomic.Bool
}

func (a *away) err() error {
	if a.off.Load() {
		return fmt.Errorf("query: %w", &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused by db.internal")})
	}
	return nil
}

func (a *away) Query(ctx context.Context, q taskflow.Query) (taskflow.Page, error) {
	if err := a.err(); err != nil {
		return taskflow.Page{}, err
	}
	return a.Backend.Query(ctx, q)
}

func (a *away) Get(ctx context.Context, id string) (taskflow.Record, error) {
	if err := a.err(); err != nil {
		return taskflow.Record{}, err
	}
	return a.Backend.Get(ctx, id)
}

func (a *away) GetPending(ctx context.Context, id string) (taskflow.Record, error) {
	if err := a.err(); err != nil {
		return taskflow.Record{}, err
	}
	return a.Backend.GetPending(ctx, id)
}

func TestStorageThatIsAwayIsSaidSo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		old := time.Now().Add(-time.Hour)
		known := make([]string, 20)
		for i := range known {
			known[i] = taskflow.NewID(old.Add(time.Duration(i) * time.Second))
		}
		b := &away{Backend: backendWith(t, known...)}
		s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(fail), taskflow.WithBackend(b)})
		broken := s.begin(`{"action":"retry","task_ids":` + quoted(known[1:]...) + `,"spread_seconds":190}`)
		short := s.begin(`{"action":"retry","filter":{"until":"` + old.Add(3*time.Second).UTC().Format(time.RFC3339) + `"},"spread_seconds":60}`)
		time.Sleep(time.Second)
		b.off.Store(true)
		for method, target := range map[string]string{http.MethodGet: "/", http.MethodPost: "/bulk"} {
			w := s.do(method, target, http.StatusServiceUnavailable, jsonBody(`{"action":"retry","filter":{},"dry_run":true}`))
			if text := detail(t, w); !strings.Contains(text, "storage") || strings.Contains(text, "db.internal") || w.Header().Get("Retry-After") == "" {
				t.Errorf("%s %s: %q, want that the storage is away, when to try again, and no name of a host", method, target, text)
			}
		}
		time.Sleep(5 * time.Minute)
		got := s.operation(broken.ID)
		if got.State != "failed" || got.Failed != 5 || got.Done != 1 || strings.Contains(got.Error, "db.internal") || got.Error == "" {
			t.Errorf("got %+v, want it failed after five errors, and no name of a host", got)
		}
		b.off.Store(false)
		if got := s.operation(short.ID); got.State == "running" {
			t.Errorf("got %+v, want it ended", got)
		}
	})
}

// unanswering is a backend whose server does not answer, as the backends of this module say it.
type unanswering struct{ *memory.Backend }

func (unanswering) Query(context.Context, taskflow.Query) (taskflow.Page, error) {
	return taskflow.Page{}, fmt.Errorf("query on db.internal: %w", taskflow.ErrUnavailable)
}

func TestServerThatDoesNotAnswerIsSaidSo(t *testing.T) {
	t.Parallel()
	s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(fail), taskflow.WithBackend(unanswering{memory.New()})})
	for _, target := range []string{"/", "/failures", "/problems", "/export?format=csv", "/count?priority=1"} {
		if text := detail(t, s.get(target, http.StatusServiceUnavailable)); strings.Contains(text, "db.internal") {
			t.Errorf("%s: %q shows a host", target, text)
		}
	}
}
