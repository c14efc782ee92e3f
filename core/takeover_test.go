package taskflow_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// An instance that takes long to take over much keeps its lease meanwhile, and what it took over.
func TestATakeOverThatTakesLongKeepsTheLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		const waiting = 3500
		var ran atomic.Int64
		define := func() taskflow.Task[int] {
			return taskflow.Define("work", func(context.Context, int) error { ran.Add(1); return nil })
		}
		work := define()
		dies, way := c.instance(taskflow.WithTasks(work))
		for i := range waiting {
			if _, err := dies.Submit(t.Context(), work.With(i), taskflow.Delay(time.Minute)); err != nil {
				t.Fatal(err)
			}
		}
		c.instance() // so that the other one is not alone, and must not run on after its lease
		survives := started(t, taskflow.WithBackend(&wire{Backend: c.backend, lag: 20 * time.Second}), taskflow.WithTasks(define()))
		name := survives.Instance()
		way.cut.Store(true)
		time.Sleep(5 * time.Minute)
		if survives.Instance() != name {
			t.Error("it has lost its lease meanwhile")
		}
		if n := ran.Load(); n != waiting {
			t.Errorf("%d tasks ran, of %d", n, waiting)
		}
		way.cut.Store(false)
		time.Sleep(takeOverTime)
	})
}

// From the moment in which its lease is over, and not only when it finds that out, an instance writes nothing that is durable.
func TestNothingIsWrittenUnderALeaseThatIsOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		work := taskflow.Define("work", task[int])
		m, way := c.instance(taskflow.WithTasks(work))
		c.instance()
		time.Sleep(lease)
		synctest.Wait()
		way.dumb.Store(true)
		defer way.dumb.Store(false)
		time.Sleep(lease + time.Second/2) // it looks each second, and will find that out at the next
		_, err := m.Submit(t.Context(), work.With(1))
		wantErr(t, err, taskflow.ErrLeaseLost)
	})
}

// Two instances that stop one after the other save what waits, each its own.
func TestEachInstanceSavesItsOwnAtItsStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		var ran atomic.Int64
		define := func(name string) taskflow.Task[int] {
			return taskflow.Define(name, func(context.Context, int) error { ran.Add(1); return nil }, taskflow.Requeue())
		}
		// each with a task of its own: what the other one saves stays where it is
		one, two := define("one"), define("two")
		first, _ := c.instance(taskflow.WithTasks(one))
		second, _ := c.instance(taskflow.WithTasks(two))
		for m, work := range map[*taskflow.Manager]taskflow.Task[int]{first: one, second: two} {
			add(m, work.With(1), taskflow.Delay(time.Hour))
			if _, err := m.Submit(t.Context(), work.With(2), taskflow.Delay(time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		for _, m := range []*taskflow.Manager{first, second} {
			if err := m.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		c.instance(taskflow.WithTasks(define("one"), define("two")))
		time.Sleep(2 * time.Hour)
		if n := ran.Load(); n != 4 {
			t.Errorf("%d of 4 tasks ran after the next start", n)
		}
	})
}

// A process that dies costs a task an attempt, but none of the retries that its policy grants.
func TestACrashUsesNoRetry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		var runs atomic.Int64
		define := func(hang bool) taskflow.Task[int] {
			return taskflow.Define("work", func(ctx context.Context, _ int) error {
				if runs.Add(1); hang {
					return untilCancelled(ctx)
				}
				return errFlaky
			}, taskflow.Idempotent(), taskflow.Retry(1, taskflow.Constant(time.Second)))
		}
		work := define(true)
		dies, way := c.instance(taskflow.WithTasks(work))
		h, err := dies.Submit(t.Context(), work.With(1))
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		c.instance(taskflow.WithTasks(define(false)))
		way.cut.Store(true)
		time.Sleep(takeOverTime + 10*time.Second)
		r := c.history(h.ID())
		if n := runs.Load(); n != 3 || r.Attempts != 3 || r.Crashes != 1 || r.RetriesUsed() != 1 || r.Status != taskflow.StatusFailed {
			t.Errorf("%d runs; %s after %d attempts, %d crashes, %d retries", n, r.Status, r.Attempts, r.Crashes, r.RetriesUsed())
		}
		way.cut.Store(false)
		time.Sleep(lease)
	})
}
