package dashboard_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
)

type replayed struct {
	Dispatched, Skipped int
	Results             []struct {
		Original string `json:"original_task_id"`
		New      string `json:"new_task_id"`
	}
	Reasons map[string]int `json:"skipped_reasons"`
	More    bool
	Cursor  string
}

func (r replayed) originals() []string {
	all := []string{}
	for _, x := range r.Results {
		all = append(all, x.Original)
	}
	return all
}

// backendWith is a backend whose history holds records of these ids that failed, but the first, which succeeded.
func backendWith(t *testing.T, ids ...string) *memory.Backend {
	t.Helper()
	b := memory.New()
	var all []taskflow.Record
	for i, id := range ids {
		ms, err := strconv.ParseInt(id[:8]+id[9:13], 16, 64) // a UUIDv7 begins with its time
		if err != nil {
			t.Fatal(err)
		}
		r := taskflow.Record{ID: id, Name: "fail", Status: taskflow.StatusFailed, Source: "manual", Pool: "default",
			CreatedAt: time.UnixMilli(ms), Args: []byte(`"a"`)}
		if i == 0 {
			r.Status = taskflow.StatusSuccess
		}
		all = append(all, r)
	}
	if _, err := b.Save(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	return b
}

func idList(t *testing.T, ids ...string) change {
	t.Helper()
	b, err := json.Marshal(map[string][]string{"task_ids": append([]string{}, ids...)})
	if err != nil {
		t.Fatal(err)
	}
	return jsonBody(string(b))
}

func TestBulkRetryCountsWhatItSkips(t *testing.T) {
	t.Parallel()
	s := open(t)
	a, b, good := s.runFail(), s.runFail(), s.runOK()
	closure := s.run(taskflow.WorkOf(func() error { return errBroken }))
	got := decode[replayed](t, s.post("/bulk-retry", http.StatusOK, idList(t, a, a, b, good, closure, "nonsense", a)))
	if got.Dispatched != 2 || got.Skipped != 5 || !slices.Equal(got.originals(), []string{a, b}) {
		t.Errorf("got %+v, want %s and %s retried once each", got, a, b)
	}
	for reason, n := range map[string]int{"duplicate": 2, "not_retryable": 1, "not_registered": 1, "not_found": 1} {
		if got.Reasons[reason] != n {
			t.Errorf("%s: %d skipped, want %d", reason, got.Reasons[reason], n)
		}
	}
	if trail := s.trail(); len(trail) != 1 || trail[0].Action != "bulk_retry" || trail[0].Detail["dispatched"] != 2.0 {
		t.Errorf("audit trail %+v", trail)
	}
	if got := decode[replayed](t, s.post("/bulk-retry", http.StatusOK, idList(t))); got.Dispatched != 0 || got.Skipped != 0 {
		t.Errorf("an empty list gives %+v", got)
	}
}

func TestBulkRetrySentAgainRetriesNothingTwice(t *testing.T) {
	t.Parallel()
	s := open(t)
	a, b := s.runFail(), s.runFail()
	waitFinal(t, s, decode[acted](t, s.post("/"+a+"/retry", http.StatusOK)).ID)
	got := decode[replayed](t, s.post("/bulk-retry", http.StatusOK, idList(t, a, b)))
	if !slices.Equal(got.originals(), []string{b}) || got.Skipped != 1 || got.Reasons["already_retried"] != 1 {
		t.Errorf("got %+v, want %s retried and %s skipped, which was retried by hand", got, b, a)
	}
	again := decode[replayed](t, s.post("/bulk-retry", http.StatusOK, idList(t, a, b)))
	if again.Dispatched != 0 || again.Skipped != 2 || again.Reasons["already_retried"] != 2 {
		t.Errorf("sent again: %+v, want both skipped", again)
	}
	s.post("/"+a+"/retry", http.StatusOK) // one task, asked for by name, is repeated as often as that
}

// slow is a backend whose records are read slowly enough for requests at once to read the same.
type slow struct{ *memory.Backend }

func (s slow) Get(ctx context.Context, id string) (taskflow.Record, error) {
	r, err := s.Backend.Get(ctx, id)
	time.Sleep(10 * time.Millisecond)
	return r, err
}

func TestBulkRetriesAtOnceRetryEachTaskOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		later := time.Now().Add(-time.Hour)
		ids := []string{taskflow.NewID(later), taskflow.NewID(later), taskflow.NewID(later)}
		s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(fail), taskflow.WithBackend(slow{backendWith(t, ids...)})})
		var wg sync.WaitGroup
		answers := make([]*httptest.ResponseRecorder, 4)
		for i := range answers {
			r := newRequest(t.Context(), http.MethodPost, "/bulk-retry", []change{idList(t, ids[1:]...)})
			answers[i] = httptest.NewRecorder()
			wg.Go(func() { s.h.ServeHTTP(answers[i], r) })
		}
		wg.Wait()
		dispatched := 0
		for _, w := range answers {
			dispatched += decode[replayed](t, w).Dispatched
		}
		if dispatched != 2 {
			t.Errorf("four requests at once retried %d times, want each of the two tasks once", dispatched)
		}
	})
}

func TestBulkRetryRefusesBadBodies(t *testing.T) {
	t.Parallel()
	s := open(t)
	many := make([]string, 1001)
	text := func(kind, body string) change {
		return func(r *http.Request) { jsonBody(body)(r); r.Header.Set("Content-Type", kind) }
	}
	for _, tt := range []struct {
		name string
		body change
		want int
	}{
		{"no body", func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }, http.StatusBadRequest},
		{"malformed", jsonBody(`{"task_ids":[`), http.StatusBadRequest},
		{"two values", jsonBody(`{"task_ids":[]} {}`), http.StatusBadRequest},
		{"nested deeply", jsonBody(strings.Repeat("[", 100_000)), http.StatusBadRequest},
		{"invalid UTF-8", jsonBody("{\"task_ids\":[\"\xff\"]}"), http.StatusBadRequest},
		{"empty object", jsonBody(`{}`), http.StatusUnprocessableEntity},
		{"null", jsonBody(`{"task_ids":null}`), http.StatusUnprocessableEntity},
		{"wrong type", jsonBody(`{"task_ids":7}`), http.StatusUnprocessableEntity},
		{"wrong element type", jsonBody(`{"task_ids":[1]}`), http.StatusUnprocessableEntity},
		{"an array", jsonBody(`[]`), http.StatusUnprocessableEntity},
		{"no content type", text("", `{"task_ids":[]}`), http.StatusUnsupportedMediaType},
		{"a form", text("application/x-www-form-urlencoded", `task_ids=x`), http.StatusUnsupportedMediaType},
		{"plain text", text("text/plain", `{"task_ids":[]}`), http.StatusUnsupportedMediaType},
		{"too many ids", idList(t, many...), http.StatusRequestEntityTooLarge},
		{"too large", jsonBody(`{"task_ids":["` + strings.Repeat("x", 1<<20) + `"]}`), http.StatusRequestEntityTooLarge},
		{"too large without saying so", func(r *http.Request) {
			jsonBody(strings.Repeat(" ", 1<<20+1))(r)
			r.ContentLength = -1
		}, http.StatusRequestEntityTooLarge},
		{"a gigabyte announced", func(r *http.Request) { jsonBody(`{`)(r); r.ContentLength = 1 << 30 }, http.StatusRequestEntityTooLarge},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := *s
			s.t = t
			if detail(t, s.post("/bulk-retry", tt.want, tt.body)) == "" {
				t.Error("no detail")
			}
		})
	}
}

func TestRetryFailedReplaysEachFailureOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	a, b := s.runFail(), s.runFail()
	s.runOK()
	alone := decode[acted](t, s.post("/"+a+"/retry", http.StatusOK)).ID
	waitFinal(t, s, alone)
	got := decode[replayed](t, s.post("/retry-failed?since=6h&func_name=fail", http.StatusOK))
	// a was retried by hand; its repetition failed too and is a failure of its own
	if want := []string{alone, b}; !slices.Equal(got.originals(), want) || got.Reasons["already_retried"] != 1 || got.More {
		t.Fatalf("got %+v, want %v retried and %s skipped", got, want, a)
	}
	for _, r := range got.Results {
		waitFinal(t, s, r.New)
	}
	again := decode[replayed](t, s.post("/retry-failed?since=all", http.StatusOK))
	for _, id := range again.originals() {
		if id == a || id == b || id == alone {
			t.Errorf("%s is replayed a second time", id)
		}
	}
	if again.Dispatched != 2 {
		t.Errorf("%d retried, want the 2 repetitions that failed", again.Dispatched)
	}
	if trail := s.trail(); trail[0].Action != "retry_failed" || trail[0].Detail["since"] != "all" {
		t.Errorf("audit trail %+v", trail)
	}
}

func TestRetryFailedFilters(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.runFail()
	for _, target := range []string{"/retry-failed?since=all&func_name=other", "/retry-failed?since=0h", "/retry-failed?since=2199-01-01T00:00:00Z"} {
		if got := decode[replayed](t, s.post(target, http.StatusOK)); got.Dispatched != 0 {
			t.Errorf("%s retried %d tasks, want none", target, got.Dispatched)
		}
	}
	if got := decode[replayed](t, s.post("/retry-failed?since=999999999d", http.StatusOK)); got.Dispatched != 1 {
		t.Errorf("%+v, want one task retried", got)
	}
}

func TestRetryFailedRefuses(t *testing.T) {
	t.Parallel()
	s := open(t)
	id := s.runFail()
	for _, query := range []string{"", "since=", "since=bad", "since=1h%0A", "since=%D9%A3h", "since=-1d", "since=1h&since=2h", "since=all&func_nmae=x", "since=all&cursor=x"} {
		if detail(t, s.post("/retry-failed?"+query, http.StatusBadRequest)) == "" {
			t.Errorf("?%s: no detail", query)
		}
	}
	if got := decode[task](t, s.get("/"+id, http.StatusOK)); got.RetriedBy != nil {
		t.Error("a refused request has retried a task")
	}
}

func TestRetryFailedIsBoundedAndGoesOn(t *testing.T) {
	t.Parallel()
	ids := []string{taskflow.NewID(time.Now().Add(-time.Hour))}
	for i := range 1500 {
		ids = append(ids, taskflow.NewID(time.Now().Add(-time.Hour+time.Duration(i+1)*time.Millisecond)))
	}
	s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(fail), taskflow.WithBackend(backendWith(t, ids...))})
	first := decode[replayed](t, s.post("/retry-failed?since=2h", http.StatusOK))
	if first.Dispatched != 1000 || !first.More || first.Cursor == "" {
		t.Fatalf("dispatched %d, more %t, cursor %q; want 1000 and that there is more", first.Dispatched, first.More, first.Cursor)
	}
	second := decode[replayed](t, s.post("/retry-failed?since=2h&cursor="+first.Cursor, http.StatusOK))
	if second.Dispatched != 500 || second.More || second.Cursor != "" {
		t.Errorf("then dispatched %d, more %t, cursor %q; want the other 500 and no more", second.Dispatched, second.More, second.Cursor)
	}
}

func TestBulkRetryStopsAtAFullQueue(t *testing.T) {
	t.Parallel()
	later := time.Now().Add(-time.Hour)
	ids := []string{taskflow.NewID(later), taskflow.NewID(later), taskflow.NewID(later), taskflow.NewID(later)}
	s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(fail, hold), taskflow.WithBackend(backendWith(t, ids...)),
		taskflow.WithConcurrency(1), taskflow.WithQueueSize(2)})
	running := s.m.Add(taskflow.WorkOf(hold.With("")))
	waitStatus(t, s, running.ID(), "running")
	s.m.Add(taskflow.WorkOf(hold.With("")))
	got := decode[replayed](t, s.post("/bulk-retry", http.StatusOK, idList(t, ids[1:]...)))
	if got.Dispatched != 1 || got.Reasons["queue_full"] != 2 {
		t.Errorf("got %+v, want one retried and two skipped because the queue is full", got)
	}
	w := s.post("/bulk-retry", http.StatusServiceUnavailable, idList(t, ids[2]))
	if w.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

func waitFinal(t *testing.T, s *site, id string) {
	t.Helper()
	waitStatus(t, s, id, "success", "failed", "interrupted", "cancelled")
}

// waitStatus polls until the task has one of the statuses.
func waitStatus(t *testing.T, s *site, id string, statuses ...string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; {
		r, err := s.m.Get(t.Context(), id)
		if err == nil && slices.Contains(statuses, string(r.Status)) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("task %s is %s (%v), want one of %v", id, r.Status, err, statuses)
		}
		<-time.After(2 * time.Millisecond)
	}
}
