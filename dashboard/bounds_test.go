package dashboard_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// countsReads counts the unfinished tasks that are read one by one.
type countsReads struct {
	*memory.Backend

	reads atomic.Int32
}

func (b *countsReads) GetPending(ctx context.Context, id string) (taskflow.Record, error) {
	b.reads.Add(1)
	return b.Backend.GetPending(ctx, id)
}

func TestProblemsReadFewTasksOneByOne(t *testing.T) {
	t.Parallel()
	b, now := &countsReads{Backend: memory.New()}, time.Now()
	if err := b.Join(t.Context(), taskflow.Instance{ID: "other"}, time.Hour); err != nil {
		t.Fatal(err)
	}
	var records []taskflow.Record
	for i := range 1000 {
		at := now.Add(-3*time.Hour - time.Duration(i)*time.Second)
		records = append(records, taskflow.Record{ID: taskflow.NewID(at), Name: "slow", Status: taskflow.StatusRunning, Owner: "other", Pool: "default",
			CreatedAt: at, StartTime: at, Attempts: 2, Durable: true})
	}
	if err := b.PutPending(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	s := openWith(t, []taskflow.ManagerOption{taskflow.WithBackend(b)})
	got := decode[problemAnswer](t, s.get("/problems", http.StatusOK))
	if n := b.reads.Load(); n > 100 || got.Complete {
		t.Errorf("%d tasks were read one by one, complete: %v; want 100 at most, and that it says that these are not all", n, got.Complete)
	}
}

// A filter that is looked for in each record is short.
func TestManySourcesAreRefused(t *testing.T) {
	t.Parallel()
	s := open(t)
	query := strings.Repeat("source=x&", 11)
	for _, at := range []string{"/?", "/count?", "/export?format=csv&"} {
		if text := detail(t, s.get(at+query, http.StatusBadRequest)); !strings.Contains(text, "source") {
			t.Errorf("%s: %q does not name it", at, text)
		}
	}
	body := `{"action":"retry","filter":{"source":[` + strings.Repeat(`"x",`, 10) + `"x"]}}`
	detail(t, s.post("/bulk", http.StatusBadRequest, jsonBody(body)))
}

func TestWhatIsRedirectedIsEscaped(t *testing.T) {
	t.Parallel()
	s := open(t)
	for target, want := range map[string]string{
		"/a%3Fb%23c/": "../a%3Fb%23c", "/a%0D%0AX-Injected:%201/": "../a%0D%0AX-Injected:%201", "/%E2%82%AC%20/?x=1": "../%E2%82%AC%20?x=1",
		"/javascript:alert(1)/": "../javascript:alert%281%29",
	} {
		if got := s.get(target, http.StatusTemporaryRedirect).Header().Get("Location"); got != want {
			t.Errorf("%q leads to %q, want %q", target, got, want)
		}
	}
}
