package cli

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func TestCancelATaskThatNobodyHolds(t *testing.T) {
	t.Parallel()
	tl, s, b := opened(t)
	reservation := taskflow.Reservation{Key: s.waiting.Key, TaskID: s.waiting.ID, Owner: holder, Retention: time.Hour}
	if got := must[string](t)(b.ReserveKey(t.Context(), reservation)); got != s.waiting.ID {
		t.Fatalf("the key is %s's", got)
	}
	tl.run("cancel", "--reason", "ordered twice", "redis://shop", s.waiting.ID).want(t, exitOK, `
TASK                                  FUNC    STATUS     NOTE
019ca929-92c0-7000-8000-000000000000  resize  cancelled  nobody held it
`, "")
	r := must[taskflow.Record](t)(b.Get(t.Context(), s.waiting.ID))
	if r.Status != taskflow.StatusCancelled || r.Error != "task cancelled: ordered twice" || r.EndTime.IsZero() || !r.RunAt.IsZero() || string(r.Args) != `"x"` {
		t.Errorf("the record is %+v", r)
	}
	if _, err := b.GetPending(t.Context(), s.waiting.ID); !errors.Is(err, taskflow.ErrNotFound) {
		t.Errorf("it is pending still: %v", err)
	}
	reservation.TaskID = "another"
	if got := must[string](t)(b.ReserveKey(t.Context(), reservation)); got != "another" {
		t.Errorf("its key is %s's still", got)
	}
	trail := must[[]taskflow.AuditEntry](t)(b.Audit(t.Context(), "", 10))
	if len(trail) != 1 || trail[0].Action != "cancel" || trail[0].TaskID != s.waiting.ID || trail[0].Detail["reason"] != "ordered twice" {
		t.Errorf("the audit trail is %+v", trail)
	}
}

// obeys is a backend with an instance that cancels a task as soon as it is told to.
type obeys struct {
	storage
	t     *testing.T
	saved taskflow.Record
}

func (o obeys) Post(ctx context.Context, body []byte) error {
	var msg struct{ Cancel, Reason string }
	if err := json.Unmarshal(body, &msg); err != nil || msg.Cancel != o.saved.ID || msg.Reason != "enough" {
		o.t.Errorf("the message is %q", body)
	}
	if _, err := o.Save(ctx, []taskflow.Record{o.saved}); err != nil {
		return err
	}
	return o.storage.Post(ctx, body)
}

func TestCancelATaskThatAnInstanceHolds(t *testing.T) {
	t.Parallel()
	for _, live := range []bool{false, true} {
		tl, s, _ := opened(t)
		task := s.running
		if live {
			task = s.memoryOnly
		}
		ended := task
		ended.Status, ended.EndTime, ended.Error = taskflow.StatusCancelled, noon, "task cancelled: enough"
		tl.wrap = func(b storage) storage { return obeys{b, t, ended} }
		r := tl.run("cancel", "--reason", "enough", "redis://shop", task.ID)
		if r.code != exitOK || !strings.Contains(r.out, "cancelled  by instance "+holder) || r.err != "" {
			t.Errorf("%s: %+v", task.Name, r)
		}
		if r := tl.run("cancel", "--json", "redis://shop", task.ID); r.code != exitFailed || r.err != task.ID+": it is cancelled already\n" {
			t.Errorf("again: %+v", r)
		}
	}
}

func TestCancelOfATaskThatGoesOn(t *testing.T) {
	t.Parallel()
	tl, s, b := opened(t)
	_, position, err := b.Receive(t.Context(), "", 1)
	noError(t, err)
	r := tl.run("cancel", "--wait", "1ms", "redis://shop", s.running.ID)
	if r.code != exitOK || !strings.Contains(r.out, "running  instance "+holder+" was told; it has not ended yet") {
		t.Errorf("%+v", r)
	}
	bodies, _, err := b.Receive(t.Context(), position, 10)
	if err != nil || len(bodies) != 1 || string(bodies[0]) != string(taskflow.CancelMessage(s.running.ID, "")) {
		t.Errorf("the messages are %q, %v", bodies, err)
	}
}

// TestCancelOfATaskOfADeadInstance: nobody is there to be told, so the row is freed and cancelled.
func TestCancelOfATaskOfADeadInstance(t *testing.T) {
	t.Parallel()
	tl, s, b := opened(t)
	tl.wrap = func(b storage) storage { return b }
	dead := s.instance()
	dead.ID = "0190dddd-0000-7000-8000-000000000003"
	noError(t, b.Join(t.Context(), dead, time.Millisecond))
	row := at(time.Minute, "orphan", taskflow.StatusPending)
	row.Owner = dead.ID
	noError(t, b.PutPending(t.Context(), []taskflow.Record{row}))
	for { // until the lease is over, by the backend's clock
		if gone := must[[]string](t)(b.Expire(t.Context())); len(gone) > 0 {
			break
		}
	}
	noError(t, b.PutPending(t.Context(), []taskflow.Record{row})) // held by somebody who is no instance any more
	if r := tl.run("cancel", "redis://shop", row.ID); r.code != exitOK || !strings.Contains(r.out, "nobody held it") {
		t.Errorf("%+v", r)
	}
}

// snatches is a backend in which another instance claims a free row first.
type snatches struct{ obeys }

func (s snatches) PutPending(ctx context.Context, records []taskflow.Record) error {
	if _, err := s.storage.(taskflow.Claimer).Claim(ctx, holder, []string{records[0].Name}, 10); err != nil {
		return err
	}
	return s.storage.PutPending(ctx, records)
}

// claims lets a wrapped backend be claimed from.
type claims struct {
	storage
	taskflow.Claimer
}

func TestCancelLosesARaceAndAsksTheWinner(t *testing.T) {
	t.Parallel()
	tl, s, b := opened(t)
	ended := s.waiting
	ended.Status, ended.EndTime, ended.Owner = taskflow.StatusCancelled, noon, holder
	tl.wrap = func(st storage) storage { return snatches{obeys{claims{st, b}, t, ended}} }
	if r := tl.run("cancel", "--reason", "enough", "redis://shop", s.waiting.ID); r.code != exitOK || !strings.Contains(r.out, "by instance "+holder) {
		t.Errorf("%+v", r)
	}
}

// lateClaim is a backend in which an instance looks for free rows right before a record is saved.
type lateClaim struct {
	storage
	claimer taskflow.Claimer
	t       *testing.T
}

func (l lateClaim) Save(ctx context.Context, records []taskflow.Record) (int, error) {
	if got, err := l.claimer.Claim(ctx, holder, []string{records[0].Name}, 10); err != nil || len(got) != 0 {
		l.t.Errorf("an instance claimed %v, %v while the task was being cancelled", got, err)
	}
	return l.storage.Save(ctx, records)
}

func TestCancelHoldsTheTaskMeanwhile(t *testing.T) {
	t.Parallel()
	tl, s, b := opened(t)
	tl.wrap = func(st storage) storage { return lateClaim{st, b, t} }
	if r := tl.run("cancel", "redis://shop", s.waiting.ID); r.code != exitOK || !strings.Contains(r.out, "nobody held it") {
		t.Errorf("%+v", r)
	}
}

func TestCancelOfSeveral(t *testing.T) {
	t.Parallel()
	tl, s, _ := opened(t)
	r := tl.run("cancel", "--json", "redis://shop", s.sent.ID, "nonsense", s.waiting.ID)
	if r.code != exitFailed || !strings.Contains(r.err, s.sent.ID+": it is success already\n") || !strings.Contains(r.err, `nonsense: "nonsense" is no task id`) {
		t.Errorf("%+v", r)
	}
	if lines := r.lines(t); len(lines) != 1 || lines[0]["task_id"] != s.waiting.ID || lines[0]["status"] != "cancelled" {
		t.Errorf("%v", lines)
	}
}

func TestPrune(t *testing.T) {
	t.Parallel()
	tl, s, b := opened(t)
	tl.run("prune", "--older", "95m", "redis://shop").want(t, exitOK,
		"3 finished tasks added before 2026-03-01 10:25:00 would be deleted. Nothing is done without --yes.", "")
	tl.run("prune", "redis://shop", "--older", "95m", "--json").want(t, exitOK,
		`{"before":"2026-03-01T10:25:00.002Z","exact":true,"would_delete":3}`, "")
	if n := len(must[[]taskflow.Record](t)(b.Load(t.Context()))); n != 5 {
		t.Fatalf("a preview left %d of 5", n)
	}
	tl.run("prune", "--older", "95m", "--yes", "redis://shop").want(t, exitOK, "3 finished tasks added before 2026-03-01 10:25:00 deleted.", "")
	left := must[taskflow.Page](t)(b.Query(t.Context(), taskflow.Query{Limit: 10})).Records
	if ids(left...) != ids(s.interrupted, s.cancelled) {
		t.Errorf("left are %s", ids(left...))
	}
	if n := len(must[[]taskflow.Record](t)(b.LoadPending(t.Context()))); n != 2 {
		t.Errorf("%d unfinished tasks are left, want 2", n)
	}
	trail := must[[]taskflow.AuditEntry](t)(b.Audit(t.Context(), "", 10))
	if len(trail) != 1 || trail[0].Action != "delete_history" || trail[0].Detail["deleted"] != 3 {
		t.Errorf("the audit trail is %+v", trail)
	}
	tl.run("prune", "--older", "52w", "redis://shop").want(t, exitOK, "0 finished tasks added before 2025-03-02 12:00:00 would be deleted.", "")
	tl.run("prune", "--older", "4w", "--yes", "--json", "redis://shop").want(t, exitOK, `{"before":"2026-02-01T12:00:00.006Z","deleted":0}`, "")
}

// partly is a backend that counts to its limit only, and deletes a part.
type partly struct{ storage }

func (partly) Count(context.Context, taskflow.Filter, int) (int, bool, error) {
	return 1500, false, nil
}
func (partly) DeleteBefore(context.Context, time.Time) (int, error) {
	return 500, errors.New("disk full")
}

func TestPruneThatEndsEarlySaysWhatItDid(t *testing.T) {
	t.Parallel()
	tl, _, _ := opened(t)
	tl.wrap = func(b storage) storage { return partly{b} }
	tl.run("prune", "--older", "1h", "redis://shop").want(t, exitOK,
		"At least 1,500 finished tasks added before 2026-03-01 11:00:00 would be deleted. Nothing is done without --yes.", "")
	tl.run("prune", "--older", "1h", "--yes", "redis://shop").want(t, exitFailed,
		"500 finished tasks added before 2026-03-01 11:00:00 deleted.", "taskflow prune: delete: disk full")
}

func TestCancelByFilters(t *testing.T) {
	t.Parallel()
	tl, s, b := opened(t)
	_, position, err := b.Receive(t.Context(), "", 1)
	noError(t, err)
	for _, tc := range []struct {
		flags []string
		out   string
	}{
		{[]string{"--status", "pending"}, "1 task would be cancelled. Nothing is done without --yes."},
		{[]string{"--instance", holder}, "2 tasks would be cancelled. Nothing is done without --yes."},
		{[]string{"--func", "report"}, "1 task would be cancelled. Nothing is done without --yes."},
		{[]string{"--priority", "7"}, "0 tasks would be cancelled."},
		{[]string{"--since", "25m", "--json"}, `{"would_cancel":2}`},
	} {
		tl.run(append([]string{"cancel"}, append(tc.flags, "redis://shop")...)...).want(t, exitOK, tc.out, "")
	}
	for flags, want := range map[string]string{"": "which tasks?", "--status=failed": "only pending and running tasks", "--priority=x": "write a number"} {
		if r := tl.run(strings.Fields("cancel " + flags + " redis://shop")...); r.code != exitUsage || !strings.Contains(r.err, want) {
			t.Errorf("%q: %+v, want %q", flags, r, want)
		}
	}
	if bodies, _, err := b.Receive(t.Context(), position, 10); err != nil || len(bodies) > 0 {
		t.Fatalf("without --yes %d messages were sent (%v)", len(bodies), err)
	}
	r := tl.run("cancel", "--until", "0s", "--yes", "--wait", "1ms", "redis://shop")
	if r.code != exitOK || strings.Count(r.out, "was told; it has not ended yet") != 2 || strings.Count(r.out, "nobody held it") != 1 {
		t.Errorf("%+v, want two told, and one that nobody held", r)
	}
	if bodies, _, err := b.Receive(t.Context(), position, 10); err != nil || len(bodies) != 2 {
		t.Errorf("%d messages were sent (%v), want one for each task that is held", len(bodies), err)
	}
	if r, err := b.Get(t.Context(), s.waiting.ID); err != nil || r.Status != taskflow.StatusCancelled {
		t.Errorf("the task that waited is %s (%v)", r.Status, err)
	}
}

// An instance that has obeyed by the time that its task is looked at is no failure.
func TestCancelByFiltersOfATaskThatEndsAtOnce(t *testing.T) {
	t.Parallel()
	tl, s, _ := opened(t)
	ended := s.running
	ended.Status, ended.EndTime, ended.Error = taskflow.StatusCancelled, noon, "task cancelled: enough"
	tl.wrap = func(b storage) storage { return obeys{b, t, ended} }
	r := tl.run("cancel", "--func", "report", "--reason", "enough", "--yes", "redis://shop")
	if r.code != exitOK || !strings.Contains(r.out, "cancelled  by instance "+holder) || r.err != "" {
		t.Errorf("%+v", r)
	}
}
