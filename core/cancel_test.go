package taskflow_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func TestCancelWhateverItWaitsFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := started(t, taskflow.WithConcurrency(1))
		blocker := add(m, untilCancelled)
		retrying := add(m, func() error { return errFlaky }, taskflow.Retry(1, taskflow.Constant(time.Hour)), taskflow.Pool("default"), taskflow.Priority(1))
		if _, err := m.Cancel(t.Context(), blocker.ID(), ""); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		blocker = add(m, untilCancelled)
		synctest.Wait()
		for name, h := range map[string]taskflow.Handle{
			"its turn": add(m, func() { t.Error("ran") }), "its delay": add(m, func() { t.Error("ran") }, taskflow.Delay(time.Minute)), "its retry": retrying,
		} {
			r, err := m.Cancel(t.Context(), h.ID(), "not needed")
			if err != nil || r.Status != taskflow.StatusCancelled || r.Error != "task cancelled: not needed" {
				t.Errorf("waiting for %s: %s %q %v", name, r.Status, r.Error, err)
			}
			wantErr(t, h.Wait(t.Context()), taskflow.ErrCancelled)
		}
		if _, err := m.Cancel(t.Context(), blocker.ID(), ""); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		for _, p := range m.Pools() {
			if p.Waiting != 0 || p.Running != 0 {
				t.Errorf("the pool holds %+v", p)
			}
		}
	})
}

func TestCancelARunningTask(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := started(t)
		var cause error
		heeds := add(m, func(ctx context.Context) error {
			<-ctx.Done()
			cause = context.Cause(ctx)
			return ctx.Err()
		}, taskflow.Retry(5, nil))
		release := make(chan struct{})
		ignores := add(m, func() { <-release })
		synctest.Wait()
		for _, h := range []taskflow.Handle{heeds, ignores} {
			if _, err := m.Cancel(t.Context(), h.ID(), "by hand"); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		wantErr(t, cause, taskflow.ErrCancelled)
		r := wantStatus(t, heeds, taskflow.StatusCancelled)
		if r.Attempts != 1 {
			t.Errorf("a cancelled task was tried %d times", r.Attempts)
		}
		wantStatus(t, ignores, taskflow.StatusRunning)
		close(release)
		synctest.Wait()
		r = wantStatus(t, ignores, taskflow.StatusSuccess)
		if log := strings.Join(r.Logs, "\n"); !strings.Contains(log, "cancellation requested: taskflow: task cancelled: by hand") || !strings.Contains(log, "ran to its end") {
			t.Errorf("the log does not say that it ignored the cancellation: %q", log)
		}
		_, err := m.Cancel(t.Context(), heeds.ID(), "")
		wantErr(t, err, taskflow.ErrNotCancellable)
	})
}

func TestRetryMakesANewTask(t *testing.T) {
	t.Parallel()
	var fail bool
	greet := taskflow.Define("greet", func(_ context.Context, name string) error {
		if fail {
			return errFlaky
		}
		return nil
	})
	b := newSix()
	m := started(t, taskflow.WithTasks(greet), taskflow.WithBackend(b), taskflow.WithPool("slow", 1))
	fail = true
	old := add(m, greet.With("Ada"), taskflow.Tag("user", "7"), taskflow.Priority(9), taskflow.Pool("slow"))
	<-old.Done()
	fail = false
	h, err := m.Retry(t.Context(), old.ID())
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	r, before := h.Record(), old.Record()
	if r.ID == before.ID || r.RetryOf != before.ID || r.Source != taskflow.SourceRetry || string(r.Args) != `"Ada"` || r.Tags["user"] != "7" || r.Priority != 9 || r.Pool != "slow" {
		t.Errorf("the new task is %+v", r)
	}
	if before.Status != taskflow.StatusFailed || before.RetriedBy != r.ID {
		t.Errorf("the old task is %+v", before)
	}
	_, err = m.Retry(t.Context(), h.ID())
	wantErr(t, err, taskflow.ErrNotRetryable)
	if err := m.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if stored, _ := b.stored(old.ID()); stored.RetriedBy != r.ID {
		t.Errorf("the stored old record does not know its retry: %+v", stored)
	}
}

func TestRetryOfWhatCannotBeCalledAgain(t *testing.T) {
	t.Parallel()
	m := started(t)
	closure := add(m, func() error { return errFlaky })
	stranger := add(m, taskflow.Define("stranger", func(context.Context, int) error { return errFlaky }).With(1))
	for _, h := range []taskflow.Handle{closure, stranger} {
		<-h.Done()
		_, err := m.Retry(t.Context(), h.ID())
		wantErr(t, err, taskflow.ErrNotRegistered)
	}
	p, err := m.List(t.Context(), taskflow.Query{})
	if err != nil || len(p.Records) != 2 {
		t.Errorf("%d tasks after two refused retries, %v", len(p.Records), err)
	}
}

// leaving is a backend whose reader goes away once it has what it asked for.
type leaving struct {
	*six
	leave context.CancelFunc
}

func (b *leaving) Load(ctx context.Context) ([]taskflow.Record, error) {
	defer b.leave()
	return b.six.Load(ctx)
}

func TestARetryIsLinkedThoughItsCallerHasGone(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	b := &leaving{newSix(), cancel}
	old := taskflow.Record{ID: taskflow.NewID(time.Now().Add(-time.Hour)), Name: "count", Status: taskflow.StatusFailed, Args: []byte("5")}
	b.history[old.ID] = old
	m := started(t, taskflow.WithBackend(b), taskflow.WithTasks(taskflow.Define("count", task[int])))
	h, err := m.Retry(ctx, old.ID)
	if err != nil {
		t.Fatal(err)
	}
	if stored, _ := b.stored(old.ID); stored.RetriedBy != h.ID() {
		t.Errorf("the old record does not know its retry: %+v", stored)
	}
}

func TestRetryOfARecordThatOnlyTheBackendHas(t *testing.T) {
	t.Parallel()
	b := newSix()
	old := taskflow.Record{ID: taskflow.NewID(time.Now().Add(-time.Hour)), Name: "old_name", Status: taskflow.StatusInterrupted, Args: []byte("5"), Tags: map[string]string{"a": "b"}}
	b.history[old.ID] = old
	var got []int
	count := taskflow.Define("count", func(_ context.Context, n int) error { got = append(got, n); return nil }, taskflow.Aliases("old_name"))
	m := started(t, taskflow.WithBackend(b), taskflow.WithTasks(count))
	h, err := m.Retry(t.Context(), old.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Wait(t.Context()); err != nil || !slices.Equal(got, []int{5}) {
		t.Errorf("ran with %v, %v", got, err)
	}
	if stored, _ := b.stored(old.ID); stored.RetriedBy != h.ID() {
		t.Errorf("the old record does not know its retry: %+v", stored)
	}
}
