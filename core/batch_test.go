package taskflow_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func TestABatchHoldsItsTasksUntilRelease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := started(t)
		b := m.NewBatch()
		held := b.Add(t.Context(), taskflow.WorkOf(func() {}))
		eager := b.Add(t.Context(), taskflow.WorkOf(func() {}), taskflow.Eager())
		synctest.Wait()
		wantStatus(t, held, taskflow.StatusPending)
		wantStatus(t, eager, taskflow.StatusSuccess)
		if b.Empty() {
			t.Error("the batch says that nothing waits")
		}
		b.Release()
		synctest.Wait()
		wantStatus(t, held, taskflow.StatusSuccess)
		late := b.Add(t.Context(), taskflow.WorkOf(func() {}))
		synctest.Wait()
		wantStatus(t, late, taskflow.StatusSuccess)
		if !b.Empty() {
			t.Error("the batch says that something waits")
		}
	})
}

func TestDiscardDropsWhatWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := started(t)
		b := m.NewBatch()
		held := b.Add(t.Context(), taskflow.WorkOf(func() { t.Error("ran") }))
		boom := errors.New("handler panicked")
		b.Discard(boom)
		b.Release() // too late
		late := b.Add(t.Context(), taskflow.WorkOf(func() { t.Error("ran") }))
		eager := b.Add(t.Context(), taskflow.WorkOf(func() {}), taskflow.Eager())
		synctest.Wait()
		for _, h := range []taskflow.Handle{held, late} {
			wantErr(t, h.Wait(t.Context()), taskflow.ErrDiscarded)
			wantStatus(t, h, taskflow.StatusCancelled)
		}
		wantErr(t, held.Wait(t.Context()), boom)
		wantErr(t, late.Rejected(), taskflow.ErrDiscarded)
		if held.Rejected() != nil {
			t.Errorf("an accepted task says that it was refused: %v", held.Rejected())
		}
		wantStatus(t, eager, taskflow.StatusSuccess)
	})
}

func TestReleaseAfterDiscardOfACancelledTask(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := started(t)
		b := m.NewBatch()
		h := b.Add(t.Context(), taskflow.WorkOf(func() { t.Error("ran") }))
		if _, err := m.Cancel(t.Context(), h.ID(), "changed my mind"); err != nil {
			t.Fatal(err)
		}
		b.Release()
		synctest.Wait()
		if r := wantStatus(t, h, taskflow.StatusCancelled); r.Error != "task cancelled: changed my mind" {
			t.Errorf("the record says %q", r.Error)
		}
	})
}

func TestConcurrentAddAndReleaseLoseNothing(t *testing.T) {
	t.Parallel()
	m := started(t)
	var ran atomic.Int64
	var all sync.WaitGroup
	for range 100 {
		b := m.NewBatch()
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 5 {
					all.Add(1)
					b.Add(t.Context(), taskflow.WorkOf(func() { ran.Add(1); all.Done() }))
				}
			})
		}
		wg.Go(b.Release)
		wg.Go(b.Release)
		wg.Wait()
	}
	all.Wait()
	if ran.Load() != 2000 {
		t.Errorf("%d of 2000 ran", ran.Load())
	}
}

func TestBatchInAContext(t *testing.T) {
	t.Parallel()
	m := created(t)
	if taskflow.BatchFrom(t.Context()) != nil {
		t.Error("a batch from nowhere")
	}
	var b taskflow.Batch
	b.Init(m)
	if got := taskflow.BatchFrom(taskflow.ContextWithBatch(t.Context(), &b)); got != &b || got.Manager() != m {
		t.Error("another batch came back")
	}
}
