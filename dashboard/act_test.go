package dashboard_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

type acted struct {
	ID   string `json:"task_id"`
	Task task
}

func TestRetryAddsANewTask(t *testing.T) {
	t.Parallel()
	s := open(t)
	old := s.run(taskflow.WorkOf(fail.With("a")), taskflow.Tag("user", "7"))
	got := decode[acted](t, s.post("/"+old+"/retry", http.StatusOK))
	if got.ID == old || got.Task.ID != got.ID || got.Task.RetryOf == nil || *got.Task.RetryOf != old || got.Task.Source != "retry" ||
		got.Task.Tags["user"] != "7" || got.Task.Args != nil {
		t.Errorf("retry of %s answers %+v", old, got)
	}
	if kept := decode[task](t, s.get("/"+old, http.StatusOK)); kept.Status != "failed" || kept.RetriedBy == nil || *kept.RetriedBy != got.ID {
		t.Errorf("the old record is %+v, want failed and retried by %s", kept, got.ID)
	}
	trail := s.trail()
	if len(trail) != 1 || trail[0].Action != "retry" || trail[0].TaskID != old || trail[0].Actor != "anonymous" ||
		trail[0].Remote != "127.0.0.1" || trail[0].Detail["new_task_id"] != got.ID {
		t.Errorf("audit trail %+v", trail)
	}
}

func TestRetryIsRefused(t *testing.T) {
	t.Parallel()
	s := open(t)
	done := s.runOK()
	if got := detail(t, s.post("/"+done+"/retry", http.StatusBadRequest)); !strings.Contains(got, "success") {
		t.Errorf("refused with %q, want the status in it", got)
	}
	closure := s.run(taskflow.WorkOf(func() error { return errBroken }))
	if got := detail(t, s.post("/"+closure+"/retry", http.StatusConflict)); !strings.Contains(got, "Define") {
		t.Errorf("refused with %q, want what to do", got)
	}
	if trail := s.trail(); len(trail) != 0 {
		t.Errorf("refusals are in the audit trail: %+v", trail)
	}
}

func TestRetryIsUnavailableAfterStop(t *testing.T) {
	t.Parallel()
	s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(fail)})
	id := s.runFail()
	if err := s.m.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := s.post("/"+id+"/retry", http.StatusServiceUnavailable)
	if w.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	s.post("/bulk-retry", http.StatusServiceUnavailable, jsonBody(`{"task_ids":["`+id+`"]}`))
	s.post("/retry-failed?since=all", http.StatusServiceUnavailable)
}

func TestCancel(t *testing.T) {
	t.Parallel()
	s := open(t)
	running := s.m.Add(taskflow.WorkOf(hold.With("")))
	waiting := s.m.Add(taskflow.WorkOf(ok.With("")), taskflow.Delay(time.Hour))
	if got := decode[acted](t, s.post("/"+waiting.ID()+"/cancel", http.StatusOK)); got.ID != waiting.ID() || got.Task.Status != "cancelled" {
		t.Errorf("cancel of a waiting task answers %+v", got)
	}
	decode[acted](t, s.post("/"+running.ID()+"/cancel", http.StatusOK))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := running.Wait(ctx); err == nil || ctx.Err() != nil {
		t.Fatalf("the running task ended with %v, want cancelled", err)
	}
	got := decode[task](t, s.get("/"+running.ID(), http.StatusOK))
	if got.Status != "cancelled" || got.Error == nil || !strings.Contains(*got.Error, "anonymous") {
		t.Errorf("the running task is %+v, want cancelled by anonymous", got)
	}
	if got := detail(t, s.post("/"+running.ID()+"/cancel", http.StatusBadRequest)); !strings.Contains(got, "cancelled") {
		t.Errorf("a second cancel is refused with %q", got)
	}
	if trail := s.trail(); len(trail) != 2 || trail[0].Action != "cancel" || trail[1].TaskID != waiting.ID() {
		t.Errorf("audit trail %+v", trail)
	}
}

func TestCancelOfATaskThatOnlyTheBackendHas(t *testing.T) {
	t.Parallel()
	s := open(t)
	id := s.runOK()
	s2 := openWith(t, []taskflow.ManagerOption{taskflow.WithBackend(backendWith(t, id))})
	if got := detail(t, s2.post("/"+id+"/cancel", http.StatusBadRequest)); !strings.Contains(got, "success") {
		t.Errorf("refused with %q, want the status in it", got)
	}
}
