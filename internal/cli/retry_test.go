package cli

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// waitingNow are the unfinished tasks with the given source, oldest first.
func waitingNow(t *testing.T, b *memory.Backend) (found []taskflow.Record) {
	t.Helper()
	for _, r := range must[[]taskflow.Record](t)(b.LoadPending(t.Context())) {
		if r.Source == taskflow.SourceRetry {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, func(a, b taskflow.Record) int { return strings.Compare(a.ID, b.ID) })
	return found
}

func TestRetryAddsATaskThatAnyInstanceMayClaim(t *testing.T) {
	t.Parallel()
	tl, s, b := opened(t)
	r := tl.run("retry", "redis://shop", s.failed.ID, s.cancelled.ID, s.failed.ID)
	again := waitingNow(t, b)
	if len(again) != 2 {
		t.Fatalf("%d new tasks, want 2: %+v", len(again), r)
	}
	r.want(t, exitOK, `
TASK                                  FUNC        RETRIED AS
019ca8d7-2d00-7000-8000-000000000000  send_email  `+again[0].ID+`
019ca8f2-a440-7000-8000-000000000000  resize      `+again[1].ID+`
`, "2 tasks retried. What is new waits for an instance that has registered its name; 1 is running now.")
	want := taskflow.Record{
		ID: again[0].ID, CreatedAt: again[0].CreatedAt, Name: "send_email", Status: taskflow.StatusPending, Source: taskflow.SourceRetry, RetryOf: s.failed.ID,
		Pool: "default", Priority: 5, Tags: map[string]string{"user": "bob"}, MaxRetries: 2, Args: s.failed.Args, Requeue: true, Durable: true,
	}
	if !reflect.DeepEqual(again[0], want) {
		t.Errorf("the new task is\n%+v, want\n%+v", again[0], want)
	}
	claimed := must[[]taskflow.Record](t)(b.Claim(t.Context(), "other", []string{"send_email", "resize"}, 10))
	if len(claimed) != 3 { // the shop's own waiting task too
		t.Errorf("%d tasks were claimed, want 3", len(claimed))
	}
	old := must[taskflow.Record](t)(b.Get(t.Context(), s.failed.ID))
	if old.RetriedBy != again[0].ID || old.Status != taskflow.StatusFailed || old.Owner != holder || len(old.Logs) != 2 {
		t.Errorf("the old record is %+v", old)
	}
	trail := must[[]taskflow.AuditEntry](t)(b.Audit(t.Context(), "", 10))
	if len(trail) != 2 || trail[1].Action != "retry" || trail[1].TaskID != s.failed.ID || trail[1].Actor != "ada" || trail[1].Remote != "command line on laptop" {
		t.Errorf("the audit trail is %+v", trail)
	}
}

func TestRetryAsJSON(t *testing.T) {
	t.Parallel()
	tl, s, b := opened(t)
	lines := tl.run("retry", "--json", "redis://shop", s.failed.ID).lines(t)
	if again := waitingNow(t, b); len(again) != 1 || len(lines) != 1 || lines[0]["original_task_id"] != s.failed.ID || lines[0]["new_task_id"] != again[0].ID {
		t.Errorf("%v, %+v", lines, again)
	}
}

func TestRetryOfWhatCannotBeRetried(t *testing.T) {
	t.Parallel()
	tl, s, b := opened(t)
	noArgs := at(time.Minute, "old", taskflow.StatusFailed)
	noArgs.Args = nil
	must[int](t)(b.Save(t.Context(), []taskflow.Record{noArgs}))
	for id, want := range map[string]string{
		s.sent.ID:                              "it is success: only failed, interrupted and cancelled tasks can be retried",
		s.waiting.ID:                           "it is pending: only",
		s.memoryOnly.ID:                        "it is running: only",
		s.closure.ID:                           "it was a function without a name (web/signup.go:42), which cannot be called again",
		noArgs.ID:                              "its arguments were never stored",
		"0190ffff-0000-7000-8000-000000000000": "there is no task of this id",
		"x":                                    `"x" is no task id`,
	} {
		if r := tl.run("retry", "redis://shop", id); r.code != exitFailed || !strings.HasPrefix(r.err, id+": "+want) || r.out != "" {
			t.Errorf("%s: %+v, want %s", id, r, want)
		}
	}
	if again := waitingNow(t, b); len(again) != 0 {
		t.Errorf("there are new tasks: %+v", again)
	}
	r := tl.run("retry", "redis://shop", s.sent.ID, s.failed.ID)
	if r.code != exitFailed || len(waitingNow(t, b)) != 1 || !strings.Contains(r.err, "1 task retried.") {
		t.Errorf("one that can be and one that cannot: %+v", r)
	}
}

func TestRetryByFilterCountsFirst(t *testing.T) {
	t.Parallel()
	tl, s, b := opened(t)
	tl.run("retry", "--status", "failed,cancelled", "redis://shop").want(t, exitOK,
		"2 tasks would be retried; 1 skipped: of functions without a name. Nothing is done without --yes.", "")
	tl.run("retry", "--status", "failed", "--json", "redis://shop").want(t, exitOK, `{"already_retried":0,"not_registered":1,"would_retry":1}`, "")
	if again := waitingNow(t, b); len(again) != 0 {
		t.Fatalf("there are new tasks: %+v", again)
	}
	r := tl.run("retry", "--status", "failed,cancelled", "--yes", "redis://shop")
	again := waitingNow(t, b)
	if r.code != exitOK || len(again) != 2 || again[0].RetryOf != s.cancelled.ID || again[1].RetryOf != s.failed.ID {
		t.Errorf("%+v, %+v", r, again)
	}
	if want := "2 tasks retried; 1 skipped: of functions without a name. What is new"; !strings.HasPrefix(r.err, want) {
		t.Errorf("stderr %q, want %q", r.err, want)
	}
	tl.run("retry", "--status", "failed,cancelled", "--yes", "redis://shop").want(t, exitOK, "",
		"0 tasks retried; 2 skipped: retried before; 1 skipped: of functions without a name.")
	tl.run("retry", "--status", "failed", "--func", "none", "redis://shop").want(t, exitOK, "0 tasks would be retried.", "")
	if n := len(waitingNow(t, b)); n != 2 {
		t.Errorf("%d new tasks, want 2 as before", n)
	}
}

func TestRetryByFilterGoesThroughManyPages(t *testing.T) {
	t.Parallel()
	tl := newTool(t)
	b := tl.store("redis://shop")
	var failed []taskflow.Record
	for n := range 2*together + 30 {
		failed = append(failed, at(time.Duration(n+1)*time.Second, "f", taskflow.StatusFailed))
	}
	must[int](t)(b.Save(t.Context(), failed))
	r := tl.run("retry", "--status", "failed", "--yes", "--json", "redis://shop")
	again := waitingNow(t, b)
	if r.code != exitOK || len(again) != len(failed) || len(r.lines(t)) != len(failed) {
		t.Fatalf("exit code %d, %d new tasks, %d lines; want 0, %d, %d\n%s", r.code, len(again), len(r.lines(t)), len(failed), len(failed), r.err)
	}
	if !strings.Contains(r.err, "name; none is running now.") {
		t.Errorf("stderr: %s", r.err)
	}
	for i := range failed { // the newest first, as they are listed
		if again[i].RetryOf != failed[i].ID {
			t.Fatalf("new task %d repeats %s, want %s", i, again[i].RetryOf, failed[i].ID)
		}
	}
}

// retriedMeanwhile is a backend in which somebody repeats a task between its listing and its reading.
type retriedMeanwhile struct{ storage }

func (r retriedMeanwhile) Get(ctx context.Context, id string) (taskflow.Record, error) {
	rec, err := r.storage.Get(ctx, id)
	rec.RetriedBy = holder
	return rec, err
}

func TestRetryByFilterLeavesWhatSomebodyElseHasRetried(t *testing.T) {
	t.Parallel()
	tl, _, b := opened(t)
	tl.wrap = func(st storage) storage { return retriedMeanwhile{st} }
	r := tl.run("retry", "--status", "failed", "--yes", "redis://shop")
	if n := len(waitingNow(t, b)); n != 0 || !strings.Contains(r.err, "0 tasks retried; 1 skipped: retried before") {
		t.Errorf("%d new tasks, %+v", n, r)
	}
}

// stops is a backend whose user presses Ctrl-C at the given number of PutPending.
type stops struct {
	storage
	left *int
	stop context.CancelFunc
}

func (s stops) PutPending(ctx context.Context, records []taskflow.Record) error {
	if err := s.storage.PutPending(ctx, records); err != nil {
		return err
	}
	if *s.left--; *s.left == 0 {
		s.stop()
	}
	return nil
}

func TestRetryInterruptedSaysWhatWasDone(t *testing.T) {
	t.Parallel()
	tl := newTool(t)
	b := tl.store("redis://shop")
	var failed []taskflow.Record
	for n := range 3 * together {
		failed = append(failed, at(time.Duration(n+1)*time.Second, "f", taskflow.StatusFailed))
	}
	must[int](t)(b.Save(t.Context(), failed))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	tl.wrap = func(b storage) storage { return stops{b, new(2), cancel} }
	r := tl.runWith(ctx, "retry", "--status", "failed", "--yes", "redis://shop")
	if r.code != exitFailed || strings.Count(r.out, "\n") != 201 || !strings.Contains(r.err, "200 tasks retried.") || !strings.HasSuffix(r.err, "interrupted\n") {
		t.Errorf("exit code %d, %d lines, stderr %q", r.code, strings.Count(r.out, "\n"), r.err)
	}
	tl.wrap = func(b storage) storage { return b }
	if r := tl.run("retry", "--status", "failed", "--yes", "redis://shop"); !strings.HasPrefix(r.err, "100 tasks retried; 200 skipped: retried before.") {
		t.Errorf("again: %s", r.err)
	}
	if n := len(waitingNow(t, b)); n != 300 {
		t.Errorf("%d new tasks, want 300", n)
	}
}

// refuses is a backend that does not take something.
type refuses struct {
	storage
	pending, save, audit error
}

func (r refuses) PutPending(ctx context.Context, records []taskflow.Record) error {
	if r.pending != nil {
		return r.pending
	}
	return r.storage.PutPending(ctx, records)
}

func (r refuses) Save(ctx context.Context, records []taskflow.Record) (int, error) {
	if r.save != nil {
		return 0, r.save
	}
	return r.storage.Save(ctx, records)
}

func (r refuses) AppendAudit(ctx context.Context, e taskflow.AuditEntry) error {
	if r.audit != nil {
		return r.audit
	}
	return r.storage.AppendAudit(ctx, e)
}

func TestRetryOnABackendThatRefuses(t *testing.T) {
	t.Parallel()
	errFull := errors.New("disk full")
	for _, tc := range []struct {
		name    string
		refuses refuses
		code    int
		want    string
		made    int
	}{
		{"the new task", refuses{pending: errFull}, exitFailed, "store the new tasks: disk full", 0},
		{"the link", refuses{save: errFull}, exitFailed, "the new tasks are stored, but their old records do not name them: disk full", 1},
		{"the audit trail", refuses{audit: errFull}, exitOK, "The audit trail lacks this retry: disk full", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tl, s, b := opened(t)
			tl.wrap = func(b storage) storage { tc.refuses.storage = b; return tc.refuses }
			r := tl.run("retry", "redis://shop", s.failed.ID)
			if r.code != tc.code || !strings.Contains(r.err, tc.want) || len(waitingNow(t, b)) != tc.made {
				t.Errorf("%+v, %d new tasks", r, len(waitingNow(t, b)))
			}
		})
	}
}
