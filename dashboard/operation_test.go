package dashboard_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
)

type operation struct {
	ID            string `json:"operation_id"`
	Action, State string
	Matched, Done int
	Skipped       int
	Reasons       map[string]int `json:"skipped_reasons"`
	Failed        int
	Error, Actor  string
	NewTaskIDs    []string `json:"new_task_ids"`
	EndedAt       string   `json:"ended_at"`
	ETA           *float64 `json:"eta_seconds"`
}

type bulkPreview struct {
	Matched, Skipped int
	Exact            bool
	Samples          []task
	Reasons          map[string]int `json:"skipped_reasons"`
}

// begin starts an operation.
func (s *site) begin(body string, changes ...change) operation {
	s.t.Helper()
	w := s.post("/bulk", http.StatusAccepted, append(changes, jsonBody(body))...)
	return decode[struct{ Operation operation }](s.t, w).Operation
}

func (s *site) operation(id string, changes ...change) operation {
	s.t.Helper()
	return decode[operation](s.t, s.get("/operations/"+id, http.StatusOK, changes...))
}

// ended polls until the operation has ended.
func (s *site) ended(id string, changes ...change) operation {
	s.t.Helper()
	for end := time.Now().Add(10 * time.Second); ; {
		o := s.operation(id, changes...)
		if o.State != "running" {
			return o
		}
		if time.Now().After(end) {
			s.t.Fatalf("operation %+v does not end", o)
		}
		<-time.After(2 * time.Millisecond)
	}
}

func quoted(ids ...string) string { return `["` + strings.Join(ids, `","`) + `"]` }

func TestBulkPreviewSaysWhatWouldBeDone(t *testing.T) {
	t.Parallel()
	s := open(t)
	a, b, good := s.runFail(), s.runFail(), s.runOK()
	closure := s.run(taskflow.WorkOf(func() error { return errBroken }))
	waitFinal(t, s, decode[acted](t, s.post("/"+a+"/retry", http.StatusOK)).ID)
	unknown := taskflow.NewID(time.Now())
	for _, tt := range []struct {
		name, body string
		matched    int
		reasons    map[string]int
		samples    []string // what must be among them
	}{
		{"ids", `"action":"retry","task_ids":` + quoted(a, b, good, closure, unknown, "nonsense", b), 7,
			map[string]int{"already_retried": 1, "not_retryable": 1, "not_registered": 1, "not_found": 2, "duplicate": 1}, []string{b}},
		{"no ids", `"action":"retry","task_ids":[]`, 0, map[string]int{}, nil},
		{"retry by filter", `"action":"retry","filter":{"func_name":"fail"}`, 3, map[string]int{"already_retried": 1}, []string{b}},
		{"cancel by filter", `"action":"cancel","filter":{}`, 0, map[string]int{}, nil},
		{"delete by filter", `"action":"delete","filter":{"status":["success"]}`, 1, map[string]int{}, []string{good}},
		{"a status that the action is not for", `"action":"delete","filter":{"status":["pending"]}`, 0, map[string]int{}, nil},
		{"several sources", `"action":"delete","filter":{"source":["retry","scheduled"]}`, 1, map[string]int{}, nil},
	} {
		got := decode[bulkPreview](t, s.post("/bulk", http.StatusOK, jsonBody(`{`+tt.body+`,"dry_run":true}`)))
		skipped := 0
		for reason, n := range tt.reasons {
			if skipped += n; got.Reasons[reason] != n {
				t.Errorf("%s: %s: %d, want %d", tt.name, reason, got.Reasons[reason], n)
			}
		}
		if got.Matched != tt.matched || got.Skipped != skipped || !got.Exact {
			t.Errorf("%s: got %+v, want %d matched and %d skipped", tt.name, got, tt.matched, skipped)
		}
		for _, id := range tt.samples {
			if !slices.Contains(ids(got.Samples), id) {
				t.Errorf("%s: %s is not among the samples", tt.name, id)
			}
		}
	}
	if got := s.list("/"); len(got) != 5 {
		t.Errorf("a dry run has changed something: %d tasks, want 5", len(got))
	}
	if all := decode[[]operation](t, s.get("/operations", http.StatusOK)); len(all) != 0 {
		t.Errorf("a dry run is among the operations: %+v", all)
	}
}

func TestOperationRetriesWhatAFilterSelects(t *testing.T) {
	t.Parallel()
	s := open(t)
	a, b := s.runFail(), s.runFail()
	s.runOK()
	first := s.begin(`{"action":"retry","filter":{"status":["failed"]}}`)
	got := s.ended(first.ID)
	if got.State != "done" || got.Matched != 2 || got.Done != 2 || got.Skipped != 0 || got.EndedAt == "" || len(got.NewTaskIDs) != 2 || got.Actor != "anonymous" {
		t.Errorf("got %+v, want both retried", got)
	}
	for _, id := range got.NewTaskIDs { // which fail as well: they are not retried by the operation that has made them
		waitFinal(t, s, id)
	}
	if n := len(s.list("/?func_name=fail")); n != 4 {
		t.Errorf("%d tasks, want two and their retries", n)
	}
	for _, id := range []string{a, b} {
		if rec := decode[task](t, s.get("/"+id, http.StatusOK)); rec.RetriedBy == nil {
			t.Errorf("%s does not name its retry", id)
		}
	}
	trail := s.trail()
	if len(trail) != 2 || trail[0].Action != "operation_end" || trail[1].Action != "operation_start" || trail[0].Detail["done"] != 2.0 || trail[1].Detail["by"] != "filter" {
		t.Errorf("audit trail %+v", trail)
	}
	if all := decode[[]operation](t, s.get("/operations", http.StatusOK)); len(all) != 1 || all[0].ID != first.ID {
		t.Errorf("operations %+v", all)
	}
}

func TestOperationsOnChosenTasks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t)
		good, bad := s.runOK(), s.runFail()
		live := s.m.Add(taskflow.WorkOf(hold.With("")))
		waitStatus(t, s, live.ID(), "running")
		unknown := taskflow.NewID(time.Now())
		cancelled := s.ended(s.begin(`{"action":"cancel","task_ids":` + quoted(good, live.ID(), unknown) + `}`).ID)
		if cancelled.Done != 1 || cancelled.Reasons["not_cancellable"] != 1 || cancelled.Reasons["not_found"] != 1 {
			t.Errorf("cancel: %+v", cancelled)
		}
		waitStatus(t, s, live.ID(), "cancelled")
		other := s.m.Add(taskflow.WorkOf(hold.With("")))
		waitStatus(t, s, other.ID(), "running")
		time.Sleep(time.Second) // the backend has the history now; what it does not have yet cannot be deleted
		deleted := s.ended(s.begin(`{"action":"delete","task_ids":` + quoted(good, bad, live.ID(), other.ID(), unknown) + `}`).ID)
		if deleted.Done != 3 || deleted.Reasons["not_finished"] != 1 || deleted.Reasons["not_found"] != 1 {
			t.Errorf("delete: %+v", deleted)
		}
		if left := ids(s.list("/")); !slices.Equal(left, []string{other.ID()}) {
			t.Errorf("left are %v, want only %s, which runs", left, other.ID())
		}
	})
}

func TestOperationSpreadsAndNoticesWhatHasChanged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t)
		a, b, c := s.runFail(), s.runFail(), s.runFail()
		time.Sleep(time.Second)
		o := s.begin(`{"action":"retry","filter":{},"spread_seconds":90}`)
		time.Sleep(time.Second)
		first := s.operation(o.ID)
		if first.State != "running" || first.Done != 1 || first.ETA == nil || *first.ETA < 80 {
			t.Errorf("after a second: %+v, want one retried and nearly 90 s to go", first)
		}
		s.post("/"+b+"/retry", http.StatusOK) // by hand, meanwhile
		time.Sleep(2 * time.Minute)
		got := s.operation(o.ID)
		if got.State != "done" || got.Done != 2 || got.Reasons["already_retried"] != 1 {
			t.Errorf("in the end: %+v, want two retried and one skipped, which was retried by hand", got)
		}
		for _, id := range []string{a, c} {
			if rec := decode[task](t, s.get("/"+id, http.StatusOK)); rec.RetriedBy == nil {
				t.Errorf("%s was not retried", id)
			}
		}
	})
}

func TestOperationIsStopped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t)
		for range 4 {
			s.runFail()
		}
		time.Sleep(time.Second)
		o := s.begin(`{"action":"retry","filter":{},"spread_seconds":3600}`)
		time.Sleep(time.Minute)
		s.post("/operations/"+o.ID+"/stop", http.StatusOK)
		synctest.Wait()
		got := s.operation(o.ID)
		if got.State != "stopped" || got.Done != 1 || got.Error == "" || got.EndedAt == "" {
			t.Errorf("got %+v, want it stopped after one", got)
		}
		again := decode[operation](t, s.post("/operations/"+o.ID+"/stop", http.StatusOK))
		if again.EndedAt != got.EndedAt {
			t.Errorf("stopped again: %+v, want it as it was", again)
		}
		var actions []string
		for _, e := range s.trail() {
			actions = append(actions, e.Action)
		}
		slices.Sort(actions)
		if want := []string{"operation_end", "operation_start", "operation_stop"}; !slices.Equal(actions, want) {
			t.Errorf("audit trail %v, want %v", actions, want)
		}
	})
}

func TestOperationEndsWithTheManager(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*site) error{
		"the manager stops":  func(s *site) error { return s.m.Stop(s.t.Context()) },
		"the handler closes": func(s *site) error { return s.h.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := open(t)
				s.runFail()
				s.runFail()
				time.Sleep(time.Second)
				o := s.begin(`{"action":"retry","filter":{},"spread_seconds":3600}`)
				time.Sleep(time.Second)
				if err := end(s); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if got := s.operation(o.ID); got.State != "stopped" || got.Done != 1 || !strings.Contains(got.Error, "stopping") {
					t.Errorf("got %+v, want it stopped after one", got)
				}
				detail(t, s.post("/bulk", http.StatusServiceUnavailable, jsonBody(`{"action":"retry","task_ids":[]}`)))
			})
		})
	}
}

func TestOperationOutlivesTheSessionThatBeganIt(t *testing.T) {
	t.Parallel()
	hash := cheapHash(t, "secret")
	synctest.Test(t, func(t *testing.T) {
		s := open(t, dashboard.User("ada", hash), dashboard.SessionTTL(time.Minute))
		s.runFail()
		s.runFail()
		time.Sleep(time.Second)
		session := cookie(s.login("ada", "secret"))
		o := s.begin(`{"action":"retry","filter":{},"spread_seconds":600}`, session)
		time.Sleep(2 * time.Minute)
		s.get("/operations/"+o.ID, http.StatusUnauthorized, session)
		s.post("/operations/"+o.ID+"/stop", http.StatusUnauthorized, session)
		time.Sleep(10 * time.Minute)
		got := s.operation(o.ID, cookie(s.login("ada", "secret")))
		if got.State != "done" || got.Done != 2 || got.Actor != "ada" {
			t.Errorf("got %+v, want it done, by ada", got)
		}
	})
}

func TestOperationWaitsForRoomInTheQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		old := time.Now().Add(-time.Hour)
		ids := []string{taskflow.NewID(old), taskflow.NewID(old), taskflow.NewID(old)}
		s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(fail, hold), taskflow.WithBackend(backendWith(t, ids...)),
			taskflow.WithConcurrency(1), taskflow.WithQueueSize(1)})
		running := s.m.Add(taskflow.WorkOf(hold.With("")))
		synctest.Wait()
		o := s.begin(`{"action":"retry","task_ids":` + quoted(ids[1:]...) + `}`)
		time.Sleep(10 * time.Second)
		if got := s.operation(o.ID); got.State != "running" || got.Done != 1 {
			t.Errorf("with a full queue: %+v, want it to wait after one", got)
		}
		s.post("/"+running.ID()+"/cancel", http.StatusOK)
		time.Sleep(2 * time.Second)
		if got := s.operation(o.ID); got.State != "done" || got.Done != 2 {
			t.Errorf("with room: %+v, want both retried", got)
		}
	})
}

func TestOperationsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		old := time.Now().Add(-time.Hour)
		var ids []string
		for range 9 {
			ids = append(ids, taskflow.NewID(old))
		}
		s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(fail, hold), taskflow.WithBackend(backendWith(t, ids...)),
			taskflow.WithConcurrency(1), taskflow.WithQueueSize(1)})
		s.m.Add(taskflow.WorkOf(hold.With("")))
		synctest.Wait()
		s.m.Add(taskflow.WorkOf(hold.With(""))) // the queue is full: retries wait
		for _, id := range ids[1:] {
			s.begin(`{"action":"retry","task_ids":` + quoted(id) + `}`)
		}
		if text := detail(t, s.post("/bulk", http.StatusConflict, jsonBody(`{"action":"retry","filter":{}}`))); !strings.Contains(text, "stop") {
			t.Errorf("%q does not say what to do", text)
		}
		for _, o := range decode[[]operation](t, s.get("/operations", http.StatusOK)) {
			s.post("/operations/"+o.ID+"/stop", http.StatusOK)
		}
		synctest.Wait()
		for range 60 {
			s.begin(`{"action":"retry","task_ids":[]}`)
			synctest.Wait()
		}
		if n := len(decode[[]operation](t, s.get("/operations", http.StatusOK))); n != 50 {
			t.Errorf("%d operations are kept, want 50", n)
		}
	})
}

func TestBulkRefuses(t *testing.T) {
	t.Parallel()
	s := open(t)
	id := s.runFail()
	many := make([]string, 1001)
	for _, tt := range []struct {
		body  string
		want  int
		names string
	}{
		{`{"action":"retry"}`, http.StatusUnprocessableEntity, "task_ids"},
		{`{"task_ids":["` + id + `"]}`, http.StatusUnprocessableEntity, "action"},
		{`{"action":"explode","task_ids":[]}`, http.StatusUnprocessableEntity, "explode"},
		{`{"action":"retry","task_ids":[],"filter":{}}`, http.StatusUnprocessableEntity, "either"},
		{`{"action":"retry","filter":{"stauts":["failed"]}}`, http.StatusUnprocessableEntity, "stauts"},
		{`{"action":"retry","fitler":{}}`, http.StatusUnprocessableEntity, "fitler"},
		{`{"action":"retry","filter":{"status":["fialed"]}}`, http.StatusBadRequest, "fialed"},
		{`{"action":"retry","filter":{"status":7}}`, http.StatusUnprocessableEntity, "status"},
		{`{"action":"retry","filter":{"since":"yesterday"}}`, http.StatusBadRequest, "since"},
		{`{"action":"retry","filter":{"tag":[":x"]}}`, http.StatusBadRequest, "tag"},
		{`{"action":"retry","filter":{"q":"` + strings.Repeat("x", 201) + `"}}`, http.StatusBadRequest, "200"},
		{`{"action":"retry","filter":{"failure_group":"xyz"}}`, http.StatusBadRequest, "failure_group"},
		{`{"action":"retry","filter":{"priority":1.5}}`, http.StatusBadRequest, "priority"},
		{`{"action":"retry","filter":[]}`, http.StatusUnprocessableEntity, "shape"},
		{`{"action":"retry","task_ids":[1]}`, http.StatusUnprocessableEntity, "shape"},
		{`{"action":"retry","task_ids":[],"spread_seconds":86401}`, http.StatusUnprocessableEntity, "86400"},
		{`{"action":"retry","task_ids":[],"spread_seconds":-1}`, http.StatusUnprocessableEntity, "spread_seconds"},
		{`{"action":"delete","task_ids":[],"spread_seconds":1}`, http.StatusUnprocessableEntity, "retry only"},
		{`{"action":"retry","task_ids":` + quoted(many...) + `}`, http.StatusRequestEntityTooLarge, "1000"},
		{`{"action":`, http.StatusBadRequest, "JSON"},
	} {
		if text := detail(t, s.post("/bulk", tt.want, jsonBody(tt.body))); !strings.Contains(text, tt.names) {
			t.Errorf("%.60s: %q does not name %q", tt.body, text, tt.names)
		}
	}
	s.get("/operations/nonsense", http.StatusNotFound)
	s.post("/operations/nonsense/stop", http.StatusNotFound)
	s.get("/operations/", http.StatusTemporaryRedirect)
	if got := decode[task](t, s.get("/"+id, http.StatusOK)); got.RetriedBy != nil {
		t.Error("a refused request has retried a task")
	}
}

func TestDeletionNeedsABackendThatCan(t *testing.T) {
	t.Parallel()
	type plain struct{ taskflow.Backend }
	s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(fail), taskflow.WithBackend(plain{memory.New()})})
	detail(t, s.post("/bulk", http.StatusNotImplemented, jsonBody(`{"action":"delete","filter":{}}`)))
	got := decode[me](t, s.get("/me", http.StatusOK))
	if slices.Contains(got.Capabilities, "delete") {
		t.Errorf("capabilities %v", got.Capabilities)
	}
	none := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(fail)}) // memory is all there is
	id := none.runFail()
	if o := none.ended(none.begin(`{"action":"delete","task_ids":` + quoted(id) + `}`).ID); o.Done != 1 {
		t.Errorf("without a backend: %+v, want it deleted", o)
	}
}

func TestDeleteHistoryIsTriedFirst(t *testing.T) {
	t.Parallel()
	old := time.Now().Add(-time.Hour)
	known := []string{taskflow.NewID(old), taskflow.NewID(old), taskflow.NewID(old)}
	s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(fail), taskflow.WithBackend(backendWith(t, known...))})
	type tried struct {
		Would   *int `json:"would_delete"`
		Exact   bool
		Samples []task
	}
	for target, want := range map[string]int{"value=30&unit=min": 3, "value=2&unit=hour": 0} {
		got := decode[tried](t, s.do(http.MethodDelete, "/history?dry_run=true&"+target, http.StatusOK))
		if got.Would == nil || *got.Would != want || !got.Exact || len(got.Samples) != want {
			t.Errorf("%s: %+v, want %d", target, got, want)
		}
	}
	detail(t, s.do(http.MethodDelete, "/history?value=1&unit=min&dry_run=maybe", http.StatusBadRequest))
	if n := len(s.list("/")); n != 3 {
		t.Errorf("%d tasks are left, want all 3", n)
	}
	if len(s.trail()) != 0 {
		t.Error("what was only tried is in the audit trail")
	}
}

// What will be skipped has no share of the time that the others are spread over.
func TestASpreadIsOverWhatIsRetried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t)
		for range 10 {
			id := s.runFail()
			s.post("/"+id+"/retry", http.StatusOK)
		}
		time.Sleep(time.Second)
		o := s.begin(`{"action":"retry","filter":{},"spread_seconds":100}`) // the ten retries, which have failed, too
		time.Sleep(45 * time.Second)
		if got := s.operation(o.ID); got.Done != 5 {
			t.Errorf("%d retried after 45 of 100 s, want 5 of 10", got.Done)
		}
	})
}
