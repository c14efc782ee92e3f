package taskflow_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// stopWithin stops m with that drain time and returns what Stop said and how long it took, in fake time.
func stopWithin(m *taskflow.Manager, drain time.Duration) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	begin := time.Now()
	err := m.Stop(ctx)
	return time.Since(begin), err
}

func TestStopWaitsForWhatCanEndInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := started(t, taskflow.WithConcurrency(1))
		running := add(m, func() { time.Sleep(10 * time.Second) })
		queued := add(m, func() { time.Sleep(10 * time.Second) })
		delayed := add(m, func() {}, taskflow.Delay(25*time.Second))
		late := add(m, func() { t.Error("ran") }, taskflow.Delay(time.Hour))
		took, err := stopWithin(m, time.Minute)
		if err != nil || took != 25*time.Second {
			t.Errorf("Stop: %v after %v", err, took)
		}
		for _, h := range []taskflow.Handle{running, queued, delayed} {
			wantStatus(t, h, taskflow.StatusSuccess)
		}
		wantErr(t, late.Wait(t.Context()), taskflow.ErrInterrupted)
		wantErr(t, late.Wait(t.Context()), taskflow.ErrStopped)
		if r := wantStatus(t, late, taskflow.StatusInterrupted); r.Error != "task interrupted: manager stopped before it was due to start" {
			t.Errorf("the record says %q", r.Error)
		}
	})
}

func TestWhenTheDrainTimeIsOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := started(t, taskflow.WithConcurrency(2), taskflow.WithStopGrace(5*time.Second))
		var cause error
		heeds := add(m, func(ctx context.Context) error { <-ctx.Done(); cause = context.Cause(ctx); return ctx.Err() }, taskflow.Retry(3, nil))
		release := make(chan struct{})
		ignores := add(m, func() { <-release })
		queued := add(m, func() { t.Error("ran") })
		synctest.Wait()
		took, err := stopWithin(m, time.Minute)
		wantErr(t, err, context.DeadlineExceeded)
		if took != time.Minute+5*time.Second || !strings.Contains(err.Error(), "2 tasks were still running") || !strings.Contains(err.Error(), "1 of them did not return") {
			t.Errorf("Stop: %v after %v", err, took)
		}
		wantErr(t, cause, taskflow.ErrStopped)
		wantStatus(t, heeds, taskflow.StatusInterrupted)
		wantStatus(t, queued, taskflow.StatusInterrupted)
		if r := wantStatus(t, ignores, taskflow.StatusInterrupted); !strings.Contains(r.Error, "did not return within 5s") {
			t.Errorf("the record says %q", r.Error)
		}
		close(release)
		synctest.Wait()
		wantStatus(t, ignores, taskflow.StatusInterrupted) // its late return changes nothing
	})
}

func TestARetryThatComesTooLateIsInterrupted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := started(t)
		h := add(m, func() error { time.Sleep(10 * time.Second); return errFlaky }, taskflow.Retry(1, taskflow.Constant(time.Hour)))
		soon := add(m, func() error { time.Sleep(10 * time.Second); return errFlaky }, taskflow.Retry(1, taskflow.Constant(time.Second)))
		took, err := stopWithin(m, time.Minute)
		if err != nil || took != 21*time.Second {
			t.Errorf("Stop: %v after %v", err, took)
		}
		if r := wantStatus(t, h, taskflow.StatusInterrupted); !strings.Contains(r.Error, "before the next retry; last error: flaky") {
			t.Errorf("the record says %q", r.Error)
		}
		if r := wantStatus(t, soon, taskflow.StatusFailed); r.Attempts != 2 {
			t.Errorf("%d attempts", r.Attempts)
		}
	})
}

func TestARequestInFlightMayAddUntilStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := started(t)
		b := m.NewBatch()
		m.BeginShutdown()
		m.BeginShutdown()
		<-m.Draining()
		h := b.Add(t.Context(), taskflow.WorkOf(func() {}))
		go func() {
			time.Sleep(time.Second) // its response is sent while Stop waits
			b.Release()
		}()
		took, err := stopWithin(m, time.Minute)
		if err != nil || took != time.Second {
			t.Errorf("Stop: %v after %v", err, took)
		}
		wantStatus(t, h, taskflow.StatusSuccess)
	})
}

func TestStopOfAManagerThatNeverStarted(t *testing.T) {
	t.Parallel()
	m := created(t, taskflow.WithBackend(newSix()))
	h := add(m, func() { t.Error("ran") })
	if err := m.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	wantErr(t, h.Wait(t.Context()), taskflow.ErrInterrupted)
}

func TestASecondStopWaitsForTheFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := started(t)
		add(m, func() { time.Sleep(time.Minute) })
		first := make(chan error, 1)
		go func() { first <- m.Stop(context.Background()) }()
		synctest.Wait()
		_, err := stopWithin(m, time.Second)
		wantErr(t, err, context.DeadlineExceeded)
		if err := m.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-first; err != nil {
			t.Error(err)
		}
	})
}

func TestRequeue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var got []string
		run := func(_ context.Context, s string) error {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, s)
			return nil
		}
		keep := taskflow.Define("keep", run, taskflow.Requeue())
		drop := taskflow.Define("drop", run)
		b := newSix()
		m := started(t, taskflow.WithBackend(b), taskflow.WithTasks(keep, drop), taskflow.WithConcurrency(1))
		blocker := add(m, untilCancelled)
		synctest.Wait()
		batch := m.NewBatch()
		kept := []taskflow.Handle{
			add(m, keep.With("queued"), taskflow.Tag("user", "7"), taskflow.Priority(5)),
			add(m, keep.With("delayed"), taskflow.Delay(time.Hour)),
			batch.Add(t.Context(), taskflow.WorkOf(keep.With("held"))),
		}
		dropped := add(m, drop.With("dropped"))
		go func() { time.Sleep(time.Second); _, _ = m.Cancel(t.Context(), blocker.ID(), "") }()
		if took, err := stopWithin(m, 10*time.Second); err != nil || took != time.Second {
			t.Errorf("Stop: %v after %v", err, took)
		}
		batch.Release() // its response comes too late
		for _, h := range kept {
			wantErr(t, h.Wait(t.Context()), taskflow.ErrRequeued)
			wantStatus(t, h, taskflow.StatusPending)
		}
		wantStatus(t, dropped, taskflow.StatusSuccess) // there was time for it
		if len(b.pending) != 3 || b.count() != 2 {
			t.Fatalf("%d pending and %d finished are stored", len(b.pending), b.count())
		}

		// The next process knows the task by its name.
		mu.Lock()
		got = nil
		mu.Unlock()
		next := started(t, taskflow.WithBackend(b), taskflow.WithTasks(keep))
		synctest.Wait()
		mu.Lock()
		if len(got) != 2 || len(b.pending) != 0 {
			t.Errorf("after the restart %q ran, %d are still pending", got, len(b.pending))
		}
		mu.Unlock()
		time.Sleep(2 * time.Hour)
		for _, h := range kept {
			r, err := next.Get(t.Context(), h.ID())
			if err != nil || r.Status != taskflow.StatusSuccess || !r.CreatedAt.Equal(h.Record().CreatedAt) {
				t.Errorf("%s: %+v, %v", h.ID(), r, err)
			}
		}
		if r, _ := next.Get(t.Context(), kept[0].ID()); r.Tags["user"] != "7" || r.Priority != 5 || !r.Requeue {
			t.Errorf("the requeued task lost what the call said: %+v", r)
		}
	})
}

func TestATaskThatIsDrainedMayAddWhatIsToFollow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newSix()
		next := taskflow.Define("next", task[int], taskflow.Requeue())
		m := started(t, taskflow.WithBackend(b), taskflow.WithTasks(next))
		var kept, refused taskflow.Handle
		add(m, func(ctx context.Context) {
			time.Sleep(time.Second)
			kept = taskflow.Add(ctx, next.With(1))
			refused = taskflow.Add(ctx, func() { t.Error("ran") })
		})
		synctest.Wait()
		if took, err := stopWithin(m, time.Minute); err != nil || took != time.Second {
			t.Errorf("Stop: %v after %v", err, took)
		}
		wantErr(t, kept.Wait(t.Context()), taskflow.ErrRequeued)
		wantErr(t, refused.Rejected(), taskflow.ErrStopped)
		if len(b.pending) != 1 || b.pending[0].Name != "next" {
			t.Errorf("saved %+v", b.pending)
		}
		late := add(m, next.With(2))
		wantErr(t, late.Rejected(), taskflow.ErrStopped)
	})
}

func TestWithRequeueKeepsEveryRegisteredTask(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newSix()
		plain := taskflow.Define("plain", task[int])
		m := started(t, taskflow.WithBackend(b), taskflow.WithTasks(plain), taskflow.WithRequeue())
		h := add(m, plain.With(1), taskflow.Delay(time.Hour))
		closure := add(m, func() { t.Error("ran") }, taskflow.Delay(time.Hour))
		if _, err := stopWithin(m, time.Second); err != nil {
			t.Error(err)
		}
		wantErr(t, h.Wait(t.Context()), taskflow.ErrRequeued)
		wantErr(t, closure.Wait(t.Context()), taskflow.ErrInterrupted)
		if !m.Tasks()[0].Requeue {
			t.Error("the task is listed as not kept")
		}
	})
}

func TestAStoredTaskOfAnUnknownNameStaysStored(t *testing.T) {
	t.Parallel()
	b := newSix()
	gone := taskflow.Record{ID: taskflow.NewID(time.Now()), Name: "gone", Status: taskflow.StatusPending, Args: []byte("1"), Requeue: true}
	b.pending = []taskflow.Record{gone}
	m := started(t, taskflow.WithBackend(b))
	if err := m.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(b.pending) != 1 || b.pending[0].ID != gone.ID || b.count() != 0 {
		t.Errorf("pending %+v, %d finished", b.pending, b.count())
	}
}

func TestStartFailsWhenTheBackendDoes(t *testing.T) {
	t.Parallel()
	broken := errors.New("no such folder")
	m := created(t, taskflow.WithBackend(&unopenable{six: newSix(), err: broken}))
	wantErr(t, m.Start(t.Context()), broken)
	if err := m.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

type unopenable struct {
	*six
	err error
}

func (b *unopenable) Open(context.Context) error { return b.err }
