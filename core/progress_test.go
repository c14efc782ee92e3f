package taskflow_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
)

func get(t *testing.T, m *taskflow.Manager, id string) taskflow.Record {
	t.Helper()
	r, err := m.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestProgressIsShownAndKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := memory.New()
		m := started(t, taskflow.WithBackend(b), taskflow.WithWindow(0))
		sub := m.Subscribe()
		defer sub.Close()
		h := add(m, func(ctx context.Context) error {
			taskflow.Progress(ctx, 0, 100, taskflow.ProgressUnit("rows"), taskflow.ProgressMessage(strings.Repeat("é", 200)))
			for i := range 60 {
				time.Sleep(100 * time.Millisecond)
				taskflow.Progress(ctx, int64(i+1), 100)
			}
			return taskflow.SetResult(ctx, map[string]int{"rows": 60})
		})
		time.Sleep(5*time.Second + 50*time.Millisecond)
		p := get(t, m, h.ID()).Progress
		if p == nil || p.Done != 50 || p.Total != 100 || p.Unit != "rows" || len(p.Message) > taskflow.MaxProgressBytes {
			t.Fatalf("while it runs: %+v, want 50 of 100 rows, and a message that was cut", p)
		}
		if p.Rate < 9.9 || p.Rate > 10.1 || p.Remaining == nil || *p.Remaining < 4.9 || *p.Remaining > 5.1 {
			t.Errorf("rate %v, remaining %v; want 10 a second and 5 s", p.Rate, p.Remaining)
		}
		<-h.Done()
		time.Sleep(time.Second)
		r := get(t, m, h.ID()) // from the backend
		if r.Progress == nil || r.Progress.Done != 60 || r.Progress.Remaining != nil || string(r.Result) != `{"rows":60}` {
			t.Errorf("in the end: %+v, result %s", r.Progress, r.Result)
		}
		told := 0
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		for {
			events, _, err := sub.Next(ended, nil)
			if err != nil {
				break
			}
			for _, e := range events {
				if e.Kind == taskflow.EventProgress {
					told++
				}
			}
		}
		if told < 15 || told > 26 { // 6 s, four times a second at most
			t.Errorf("%d reports were published of 61", told)
		}
		page, err := m.List(t.Context(), taskflow.Query{})
		if err != nil || page.Records[0].Result != nil {
			t.Errorf("a listing has the result: %v, %v", page.Records, err)
		}
	})
}

func TestProgressAndResultOutsideATask(t *testing.T) {
	t.Parallel()
	taskflow.Progress(t.Context(), 1, 2)
	if err := taskflow.SetResult(t.Context(), "fine"); err != nil {
		t.Error(err)
	}
	wantErr(t, taskflow.SetResult(t.Context(), func() {}), taskflow.ErrResult)
	wantErr(t, taskflow.SetResult(t.Context(), strings.Repeat("x", taskflow.MaxResultBytes)), taskflow.ErrResult)
}

func TestWhatIsSaidAfterTheEndIsNotHeard(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := started(t)
		var late context.Context
		h := add(m, func(ctx context.Context) { late = ctx })
		<-h.Done()
		taskflow.Progress(late, 1, 1)
		if err := taskflow.SetResult(late, 1); err != nil {
			t.Error(err)
		}
		child := taskflow.Add(late, func() {})
		<-child.Done()
		if r := get(t, m, h.ID()); !reflect.DeepEqual(r.RecordExtra, taskflow.RecordExtra{}) {
			t.Errorf("the finished record has become %+v", r.RecordExtra)
		}
		if r := get(t, m, child.ID()); r.ParentID != h.ID() {
			t.Errorf("the child's parent is %q", r.ParentID)
		}
	})
}

func TestTasksKnowTheirFamily(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		child := taskflow.Define("child", func(context.Context, int) error { return nil })
		m := started(t, taskflow.WithBackend(memory.New()), taskflow.WithTasks(child), taskflow.WithWindow(0))
		var ids []string
		h := add(m, func(ctx context.Context) error {
			ids = append(ids, taskflow.Add(ctx, func() {}).ID(), taskflow.Add(ctx, child.With(1)).ID())
			s, err := taskflow.Submit(ctx, child.With(2))
			ids = append(ids, s.ID())
			for i := range taskflow.MaxChildren {
				taskflow.Add(ctx, child.With(i))
			}
			return err
		})
		<-h.Done()
		time.Sleep(time.Second)
		r := get(t, m, h.ID())
		if len(r.Children) != taskflow.MaxChildren || !slices.Equal(r.Children[:3], ids) || r.ParentID != "" {
			t.Errorf("parent %q, %d children that begin with %v; want %d that begin with %v", r.ParentID, len(r.Children), r.Children[:3], taskflow.MaxChildren, ids)
		}
		for _, id := range ids {
			if c := get(t, m, id); c.ParentID != h.ID() || len(c.Children) != 0 {
				t.Errorf("%s has the parent %q and the children %v", id, c.ParentID, c.Children)
			}
		}
	})
}

func TestAttemptsAreNoted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := started(t, taskflow.WithBackend(memory.New()), taskflow.WithWindow(0))
		n := 0
		began := time.Now()
		h := add(m, func(ctx context.Context) error {
			if n++; n == 1 {
				taskflow.Progress(ctx, 1, 2)
			}
			time.Sleep(time.Second)
			if n < 3 {
				return errors.New("not yet")
			}
			return nil
		}, taskflow.Retry(5, taskflow.Constant(10*time.Second)), taskflow.Delay(3*time.Second))
		time.Sleep(3*time.Second + 11*time.Second + 500*time.Millisecond)
		if log := get(t, m, h.ID()).AttemptLog; len(log) != 2 || !log[1].EndedAt.IsZero() || log[1].Number != 2 {
			t.Errorf("during the second: %+v", log)
		}
		<-h.Done()
		time.Sleep(time.Second)
		r := get(t, m, h.ID())
		at := func(s int) time.Time { return began.Add(time.Duration(s) * time.Second).UTC().Round(0) }
		want := []taskflow.Attempt{
			{Number: 1, StartedAt: at(3), EndedAt: at(4), Error: "not yet", Wait: 3},
			{Number: 2, StartedAt: at(14), EndedAt: at(15), Error: "not yet", Wait: 10},
			{Number: 3, StartedAt: at(25), EndedAt: at(26), Wait: 10},
		}
		if !reflect.DeepEqual(r.AttemptLog, want) {
			t.Errorf("got\n%+v, want\n%+v", r.AttemptLog, want)
		}
		if r.Progress != nil {
			t.Errorf("progress of the first attempt is left: %+v", r.Progress)
		}
		once := add(m, func() error { return errors.New("no") })
		<-once.Done()
		if r := get(t, m, once.ID()); len(r.AttemptLog) != 0 {
			t.Errorf("a task with one attempt has %+v: its own times say it all", r.AttemptLog)
		}
	})
}

func TestManyAttemptsKeepTheFirstAndTheLast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := started(t)
		h := add(m, func() error { return errors.New(strings.Repeat("x", 1000)) }, taskflow.Retry(99, taskflow.Constant(time.Second)))
		<-h.Done()
		log := get(t, m, h.ID()).AttemptLog
		var numbers []int
		for _, a := range log {
			numbers = append(numbers, a.Number)
			if len(a.Error) > 500 || a.EndedAt.IsZero() {
				t.Errorf("attempt %d: error of %d bytes, ended %v", a.Number, len(a.Error), a.EndedAt)
			}
		}
		if len(log) != 40 || numbers[19] != 20 || numbers[20] != 81 || numbers[39] != 100 {
			t.Errorf("kept are %v", numbers)
		}
	})
}

func TestAttemptsGoOnInAnotherProcess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		backend := memory.New()
		release := make(chan struct{})
		work := taskflow.Define("work", func(ctx context.Context, _ int) error {
			select {
			case <-ctx.Done():
				<-release
				return ctx.Err()
			case <-release:
				return nil
			}
		}, taskflow.Idempotent())
		dead := &wire{Backend: backend}
		first := started(t, taskflow.WithBackend(dead), taskflow.WithTasks(work), taskflow.WithLease(time.Second))
		h, err := first.Submit(t.Context(), work.With(1))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		second := started(t, taskflow.WithBackend(&wire{Backend: backend}), taskflow.WithTasks(work), taskflow.WithLease(time.Second))
		time.Sleep(time.Second)
		dead.cut.Store(true)
		time.Sleep(10 * time.Second)
		r := get(t, second, h.ID())
		if log := r.AttemptLog; r.Status != taskflow.StatusRunning || len(log) != 2 || log[0].Error == "" || !log[1].EndedAt.IsZero() {
			t.Errorf("taken over: %s, %+v; want a first attempt whose process ended, and a second", r.Status, log)
		}
		close(release)
		time.Sleep(time.Second)
		dead.cut.Store(false)
		time.Sleep(5 * time.Second)
	})
}

func TestLogsJSON(t *testing.T) {
	t.Parallel()
	extra := full().RecordExtra
	for name, r := range map[string]taskflow.Record{
		"nothing": {}, "a log": {Logs: []string{"a", "b"}}, "more": {RecordExtra: extra}, "both": {Logs: []string{"a"}, RecordExtra: extra},
	} {
		b, err := r.LogsJSON()
		if err != nil {
			t.Fatal(err)
		}
		back := taskflow.Record{Logs: []string{"old"}, RecordExtra: extra}
		if err := back.SetLogsJSON(b); err != nil || !reflect.DeepEqual(back, r) {
			t.Errorf("%s: %s comes back as %+v, %v", name, b, back, err)
		}
	}
	plain := taskflow.Record{Logs: []string{"a", "b"}}
	if b, err := plain.LogsJSON(); err != nil || string(b) != `["a","b"]` {
		t.Errorf("a log alone is %s, %v: earlier versions read an array", b, err)
	}
	for _, bad := range []string{`{`, `[1]`, `"x"`, `{"logs":7}`} {
		var r taskflow.Record
		if err := r.SetLogsJSON([]byte(bad)); err == nil {
			t.Errorf("%s is read as %+v", bad, r)
		}
	}
	var _ json.Marshaler = plain
}
