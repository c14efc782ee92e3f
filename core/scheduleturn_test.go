package taskflow_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// lone is a task that notices when it runs twice at once.
type lone struct {
	running, most, runs atomic.Int32
}

func (l *lone) call(takes time.Duration) taskflow.Call {
	return taskflow.Define("lone", func(ctx context.Context, _ struct{}) error {
		l.runs.Add(1)
		if n := l.running.Add(1); n > l.most.Load() {
			l.most.Store(n)
		}
		defer l.running.Add(-1)
		select {
		case <-time.After(takes):
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}).With(struct{}{})
}

func TestTwoInstancesDoNotBeginARunAtTheSameMoment(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var l lone
		c := newCluster(t)
		var wg sync.WaitGroup
		var busy, begun atomic.Int32
		for range 3 {
			m, w := c.instance(taskflow.WithSchedule("hourly", taskflow.Every(time.Hour), l.call(time.Minute)))
			w.slow.Store(int64(300 * time.Millisecond)) // the answer is old when it comes
			wg.Go(func() {
				switch _, err := m.RunSchedule(t.Context(), "hourly"); {
				case err == nil:
					begun.Add(1)
				case errors.Is(err, taskflow.ErrScheduleBusy):
					busy.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if begun.Load() != 1 || busy.Load() != 2 || l.runs.Load() != 1 {
			t.Errorf("%d have begun a run, %d were told that there is one, and %d run; want 1, 2 and 1", begun.Load(), busy.Load(), l.runs.Load())
		}
	})
}

// Slots, slots that wait, and people on three instances come all the time, and what an instance hears of the others is always a little old.
func TestRunsOfAScheduleDoNotOverlap(t *testing.T) {
	t.Parallel()
	for _, policy := range []taskflow.OverlapPolicy{taskflow.OverlapSkip, taskflow.OverlapQueue} {
		t.Run(string(policy), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var l lone
				c := newCluster(t)
				var wg sync.WaitGroup
				for i := range 3 {
					m, w := c.instance(taskflow.WithSchedule("often", taskflow.Every(5*time.Second), l.call(4900*time.Millisecond), taskflow.Overlap(policy)))
					w.slow.Store(int64(200 * time.Millisecond))
					wg.Go(func() {
						for range 60 {
							time.Sleep(time.Duration(4700+100*i) * time.Millisecond)
							if _, err := m.RunSchedule(t.Context(), "often"); err != nil && !errors.Is(err, taskflow.ErrScheduleBusy) {
								t.Error(err)
							}
						}
					})
				}
				wg.Wait()
				if l.most.Load() != 1 || l.runs.Load() < 20 {
					t.Errorf("%d ran at once, and %d in all; want one at once, and 20 at least", l.most.Load(), l.runs.Load())
				}
			})
		})
	}
}

// An instance that cannot give up its turn tries again, and one that dies holds up nobody for longer than its lease.
func TestATurnThatIsNotPassedOn(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		mend   func(*wire)
		within time.Duration
	}{
		"is passed on later":             {func(w *wire) { time.Sleep(3 * time.Second); w.kept.Store(false) }, 2 * time.Second},
		"is free when its instance dies": {func(w *wire) { w.cut.Store(true) }, takeOverTime},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var l lone
				c := newCluster(t)
				with := taskflow.WithSchedule("hourly", taskflow.Every(time.Hour), l.call(time.Second))
				m, w := c.instance(with)
				other, _ := c.instance(with)
				w.kept.Store(true)
				if _, err := m.RunSchedule(t.Context(), "hourly"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(2 * time.Second) // the run has ended
				began := time.Now()
				_, err := other.RunSchedule(t.Context(), "hourly")
				if wantErr(t, err, taskflow.ErrScheduleBusy); time.Since(began) != 5*time.Second {
					t.Errorf("it took %v to say so, want 5 s", time.Since(began))
				}
				tt.mend(w)
				time.Sleep(tt.within)
				if _, err := other.RunSchedule(t.Context(), "hourly"); err != nil {
					t.Error(err)
				}
				w.cut.Store(false)
			})
		})
	}
}

// A backend that does not answer is no former run that has not ended.
func TestRunScheduleWhenTheBackendHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var l lone
		m, w := newCluster(t).instance(taskflow.WithSchedule("hourly", taskflow.Every(time.Hour), l.call(time.Second)))
		w.deaf.Store(true)
		began := time.Now()
		_, err := m.RunSchedule(t.Context(), "hourly")
		wantErr(t, err, context.DeadlineExceeded)
		if errors.Is(err, taskflow.ErrScheduleBusy) || time.Since(began) != 5*time.Second {
			t.Errorf("RunSchedule: %v after %v", err, time.Since(began))
		}
		w.deaf.Store(false)
		if _, err := m.RunSchedule(t.Context(), "hourly"); err != nil {
			t.Error(err)
		}
	})
}

// A slot that waits looks each second whether the former run has ended. Only when it has does that cost the turn, which is written.
func TestASlotThatWaitsTakesTheTurnWhenItIsItsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var l lone
		with := taskflow.WithSchedule("slow", taskflow.Every(time.Minute), l.call(10*time.Minute), taskflow.Overlap(taskflow.OverlapQueue))
		_, w := newCluster(t).instance(with)
		time.Sleep(2*time.Minute + time.Second)
		before := w.reservations.Load()
		time.Sleep(50 * time.Second)
		if n := w.reservations.Load() - before; n != 0 {
			t.Errorf("%d reservations within 50 s, in which a slot waited for the former run", n)
		}
		time.Sleep(9 * time.Minute)
		if l.runs.Load() != 2 {
			t.Errorf("%d runs after 12 min, want 2", l.runs.Load())
		}
	})
}

// The turn is lost with the lease. Who gets a new lease while it looks for the former run looks once more.
func TestATurnThatIsLostWithTheLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var l lone
		c := newCluster(t)
		with := taskflow.WithSchedule("hourly", taskflow.Every(time.Hour), l.call(time.Minute))
		m, w := c.instance(with)
		other, _ := c.instance(with)
		time.Sleep(4 * time.Second)
		w.slow.Store(int64(3 * time.Second)) // the heartbeat is at 5 s
		asked := make(chan error)
		go func() {
			_, err := m.RunSchedule(context.Background(), "hourly")
			asked <- err
		}()
		time.Sleep(500 * time.Millisecond)
		if err := c.backend.Leave(t.Context(), m.Instance()); err != nil { // as others do when a lease is over
			t.Fatal(err)
		}
		if _, err := other.RunSchedule(t.Context(), "hourly"); err != nil {
			t.Fatal(err)
		}
		wantErr(t, <-asked, taskflow.ErrScheduleBusy)
		if l.most.Load() != 1 {
			t.Errorf("%d ran at once", l.most.Load())
		}
	})
}
