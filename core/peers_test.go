package taskflow_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

const lease = 15 * time.Second // the default

// takeOverTime is within how long a dead instance's tasks are another's: its lease and one more heartbeat.
const takeOverTime = lease + lease/3 + time.Second

func TestAnotherInstanceTakesOverWhatADeadOneHeld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		ran := map[string]int{}
		var mu sync.Mutex
		define := func(block bool) []taskflow.Definition {
			fn := func(name string) func(context.Context, int) error {
				return func(ctx context.Context, _ int) error {
					mu.Lock()
					ran[name]++
					mu.Unlock()
					if block {
						<-ctx.Done()
						return context.Cause(ctx)
					}
					return nil
				}
			}
			return []taskflow.Definition{
				taskflow.Define("once", fn("once")), taskflow.Define("again", fn("again"), taskflow.Idempotent()), taskflow.Define("later", fn("later")),
			}
		}
		first := define(true)
		dies, wire := c.instance(taskflow.WithTasks(first...))
		survives, _ := c.instance(taskflow.WithTasks(define(false)...))
		var ids []string
		for i, d := range first {
			call := d.(taskflow.Task[int]).With(i)
			var opts []taskflow.AddOption
			if d.Name() == "later" {
				opts = append(opts, taskflow.Delay(time.Minute))
			}
			h, err := dies.Submit(t.Context(), call, opts...)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, h.ID())
		}
		synctest.Wait()
		wire.cut.Store(true)
		time.Sleep(takeOverTime)
		synctest.Wait()
		for i, want := range []taskflow.Status{taskflow.StatusInterrupted, taskflow.StatusSuccess} {
			r := c.history(ids[i])
			if r.Status != want || r.Owner != survives.Instance() || r.Crashes != 1 {
				t.Errorf("%s is %s (%s) of %s after %d crashes, want %s of %s", r.Name, r.Status, r.Error, r.Owner, r.Crashes, want, survives.Instance())
			}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if r := c.history(ids[2]); r.Status != taskflow.StatusSuccess || r.Crashes != 0 {
			t.Errorf("the task that waited is %s after %d crashes", r.Status, r.Crashes)
		}
		wire.cut.Store(false) // the dead one ends what it runs, as far as this process is concerned
		time.Sleep(lease)
		mu.Lock()
		defer mu.Unlock()
		if ran["once"] != 1 || ran["again"] != 2 || ran["later"] != 1 {
			t.Errorf("runs: %v", ran)
		}
	})
}

func TestAPausedInstanceFindsItsLeaseLostAndOverwritesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		cause := make(chan error, 1)
		slow := taskflow.Define("slow", func(ctx context.Context, _ int) error {
			<-ctx.Done()
			cause <- context.Cause(ctx)
			return nil // it claims success, too late
		})
		paused, wire := c.instance(taskflow.WithTasks(slow))
		other, _ := c.instance(taskflow.WithTasks(taskflow.Define("slow", task[int])))
		was := paused.Instance()
		h, err := paused.Submit(t.Context(), slow.With(1))
		if err != nil {
			t.Fatal(err)
		}
		waits, err := paused.Submit(t.Context(), slow.With(2), taskflow.Delay(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		wire.cut.Store(true)
		time.Sleep(takeOverTime)
		synctest.Wait()
		wire.cut.Store(false)
		time.Sleep(lease)
		synctest.Wait()
		wantErr(t, <-cause, taskflow.ErrLeaseLost)
		wantErr(t, h.Wait(t.Context()), taskflow.ErrLeaseLost)
		wantErr(t, waits.Wait(t.Context()), taskflow.ErrLeaseLost)
		if r := c.history(h.ID()); r.Status != taskflow.StatusInterrupted || r.Owner != other.Instance() {
			t.Errorf("the history says %s of %s, want interrupted of %s", r.Status, r.Owner, other.Instance())
		}
		if r, err := paused.Get(t.Context(), h.ID()); err != nil || r.Status != taskflow.StatusInterrupted {
			t.Errorf("the paused instance shows %s, %v", r.Status, err)
		}
		if r, err := paused.Get(t.Context(), waits.ID()); err != nil || r.Owner != other.Instance() {
			t.Errorf("the waiting task is %s's, %v; want %s's", r.Owner, err, other.Instance())
		}
		if paused.Instance() == was {
			t.Error("it goes on under the name that others take for dead")
		}
		again, err := paused.Submit(t.Context(), slow.With(3), taskflow.Delay(time.Hour))
		if err != nil || again.Record().Owner != paused.Instance() {
			t.Errorf("a new task is %s's, %v", again.Record().Owner, err)
		}
	})
}

func TestAnInstanceCutOffFromTheOthersEndsWhatIsDurableByItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		slow := taskflow.Define("slow", func(ctx context.Context, _ int) error { return untilCancelled(ctx) })
		cut, wire := c.instance(taskflow.WithTasks(slow))
		_, _ = c.instance()
		time.Sleep(lease) // each has heard of the other
		h, err := cut.Submit(t.Context(), slow.With(1))
		if err != nil {
			t.Fatal(err)
		}
		memory := add(cut, untilCancelled)
		wire.cut.Store(true)
		began := time.Now()
		wantErr(t, h.Wait(t.Context()), taskflow.ErrLeaseLost)
		if took := time.Since(began); took > lease+2*time.Second { // others may have it from the end of the lease on
			t.Errorf("it was given up after %v", took)
		}
		wantStatus(t, memory, taskflow.StatusRunning) // nobody else can have it
		wire.cut.Store(false)
		time.Sleep(lease)
		if _, err := cut.Cancel(t.Context(), memory.ID(), ""); err != nil {
			t.Error(err)
		}
	})
}

func TestALoneInstanceKeepsItsTasksWhileTheBackendIsAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		slow := taskflow.Define("slow", func(ctx context.Context, _ int) error {
			select {
			case <-time.After(10 * time.Minute):
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		})
		m, wire := c.instance(taskflow.WithTasks(slow))
		h, err := m.Submit(t.Context(), slow.With(1))
		if err != nil {
			t.Fatal(err)
		}
		wire.cut.Store(true)
		time.Sleep(5 * time.Minute)
		if m.DegradedSince().IsZero() {
			t.Error("it does not say that the backend is away")
		}
		wire.cut.Store(false)
		if err := h.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		time.Sleep(lease)
		if r := c.history(h.ID()); r.Status != taskflow.StatusSuccess {
			t.Errorf("stored as %s", r.Status)
		}
		if at := m.DegradedSince(); !at.IsZero() {
			t.Errorf("the backend is back, and it still says that it is away since %v", at)
		}
	})
}

func TestATaskThatKillsItsProcessThreeTimesIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		var ran atomic.Int32
		deadly := taskflow.Define("deadly", func(ctx context.Context, _ int) error { ran.Add(1); return untilCancelled(ctx) }, taskflow.Idempotent())
		var id string
		for i := range 4 {
			m, wire := c.instance(taskflow.WithTasks(deadly))
			if i == 0 {
				h, err := m.Submit(t.Context(), deadly.With(1))
				if err != nil {
					t.Fatal(err)
				}
				id = h.ID()
			}
			time.Sleep(takeOverTime)
			synctest.Wait()
			wire.cut.Store(true)
			defer wire.cut.Store(false)
		}
		last, _ := c.instance(taskflow.WithTasks(deadly))
		time.Sleep(takeOverTime)
		r, err := last.Get(t.Context(), id)
		if err != nil || r.Status != taskflow.StatusFailed || r.Crashes != 3 || ran.Load() != 3 {
			t.Errorf("after %d runs it is %s (%s) with %d crashes, %v", ran.Load(), r.Status, r.Error, r.Crashes, err)
		}
	})
}

func TestARequeuedTaskThatWasRunningAtACrashIsNotRunAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		var ran atomic.Int32
		send := taskflow.Define("send", func(ctx context.Context, _ int) error { ran.Add(1); return untilCancelled(ctx) }, taskflow.Requeue())
		first, _ := c.instance(taskflow.WithTasks(send))
		h := add(first, send.With(1), taskflow.Delay(time.Second))
		if err := first.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, wire := c.instance(taskflow.WithTasks(send))
		time.Sleep(lease)
		wire.cut.Store(true)
		defer wire.cut.Store(false)
		_, _ = c.instance(taskflow.WithTasks(send))
		time.Sleep(takeOverTime)
		if r := c.history(h.ID()); r.Status != taskflow.StatusInterrupted || ran.Load() != 1 {
			t.Errorf("after %d runs it is %s (%s)", ran.Load(), r.Status, r.Error)
		}
	})
}

func TestTasksWhoseClaimWasNotHeardOfAreFound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		var ran atomic.Int32
		send := taskflow.Define("send", func(context.Context, int) error { ran.Add(1); return nil })
		_, wire := c.instance(taskflow.WithTasks(send))
		stops, _ := c.instance(taskflow.WithTasks(send))
		h, err := stops.Submit(t.Context(), send.With(1), taskflow.Delay(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		wire.mute.Store(true)
		if err := stops.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(lease)
		if r := c.history(h.ID()); r.Status != taskflow.StatusSuccess || ran.Load() != 1 {
			t.Errorf("it is %s after %d runs", r.Status, ran.Load())
		}
	})
}

func TestAnInstanceTakesOverFromItsFormerSelf(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		gate := make(chan struct{})
		send := taskflow.Define("send", func(context.Context, int) error { <-gate; return nil })
		again := taskflow.Define("again", task[int], taskflow.Idempotent())
		m, wire := c.instance(taskflow.WithTasks(send, again))
		_, _ = c.instance() // knows neither name
		time.Sleep(lease)
		once, err := m.Submit(t.Context(), send.With(1))
		if err != nil {
			t.Fatal(err)
		}
		twice, err := m.Submit(t.Context(), again.With(1))
		if err != nil {
			t.Fatal(err)
		}
		wire.hold.Store(true)
		wire.cut.Store(true)
		close(gate) // both are done, and the backend does not hear of it
		time.Sleep(2 * lease)
		if _, err := m.Submit(t.Context(), again.With(2)); err == nil {
			t.Error("accepted without a lease")
		}
		wire.cut.Store(false)
		time.Sleep(lease) // the rows are claimed under the new name, while the records of the old one still wait to be stored
		wire.hold.Store(false)
		time.Sleep(lease)
		for h, want := range map[taskflow.Handle]taskflow.Status{once: taskflow.StatusInterrupted, twice: taskflow.StatusSuccess} {
			if r := c.history(h.ID()); r.Status != want {
				t.Errorf("%s is %s, want %s", r.Name, r.Status, want)
			}
			if r, err := m.Get(t.Context(), h.ID()); err != nil || r.Status != want {
				t.Errorf("%s is shown as %s, %v, want %s", r.Name, r.Status, err, want)
			}
		}
		if rows, err := c.backend.LoadPending(t.Context()); err != nil || len(rows) != 0 {
			t.Errorf("left are %d rows, %v", len(rows), err)
		}
	})
}

func TestARetriedTaskIsFencedAsItsFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		cause := make(chan error, 2)
		slow := taskflow.Define("slow", func(ctx context.Context, _ int) error { <-ctx.Done(); cause <- context.Cause(ctx); return nil })
		paused, wire := c.instance(taskflow.WithTasks(slow))
		first, err := paused.Submit(t.Context(), slow.With(1), taskflow.Delay(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := paused.Cancel(t.Context(), first.ID(), ""); err != nil {
			t.Fatal(err)
		}
		h, err := paused.Retry(t.Context(), first.ID())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.instance(taskflow.WithTasks(slow))
		time.Sleep(lease)
		wire.cut.Store(true)
		time.Sleep(takeOverTime)
		wire.cut.Store(false)
		time.Sleep(lease)
		wantErr(t, <-cause, taskflow.ErrLeaseLost)
		if r := c.history(h.ID()); r.Status != taskflow.StatusInterrupted {
			t.Errorf("the history says %s, want interrupted", r.Status)
		}
	})
}

func TestWhatIsBeingTakenOverCanBeListed(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	again := taskflow.Define("again", task[int], taskflow.Idempotent())
	once := taskflow.Define("once", task[int])
	m, _ := c.instance(taskflow.WithTasks(again, once), taskflow.WithLease(150*time.Millisecond))
	const each = 500
	looking, stop := context.WithCancel(t.Context())
	var lookers sync.WaitGroup
	defer lookers.Wait()
	defer stop()
	for range 3 {
		lookers.Go(func() { // for the race detector
			for looking.Err() == nil {
				if _, err := m.List(looking, taskflow.Query{Limit: 1000}); err != nil && looking.Err() == nil {
					t.Error(err)
				}
			}
		})
	}
	for range 5 {
		var rows []taskflow.Record
		for i := range each {
			rows = append(rows, taskflow.Record{
				ID: taskflow.NewID(time.Now()), Name: []string{"again", "once"}[i%2], Status: taskflow.StatusRunning, CreatedAt: time.Now(), StartTime: time.Now(),
				Attempts: 1, Args: []byte("1"), Durable: true, Owner: "a dead one", Pool: taskflow.DefaultPool, Source: taskflow.SourceManual,
			})
		}
		if err := c.backend.PutPending(t.Context(), rows); err != nil {
			t.Fatal(err)
		}
		live := taskflow.Query{Filter: taskflow.Filter{Statuses: []taskflow.Status{taskflow.StatusPending, taskflow.StatusRunning}}, Limit: 1000}
		for left := each; left > 0; {
			p, err := m.List(t.Context(), live)
			if err != nil {
				t.Fatal(err)
			}
			left = len(p.Records)
		}
	}
	stop()
	lookers.Wait()
	if err := m.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	s, err := c.backend.Stats(t.Context())
	if err != nil || s.Counts[taskflow.StatusSuccess] != 5*each/2 || s.Counts[taskflow.StatusInterrupted] != 5*each/2 {
		t.Errorf("the history has %v, %v; want %d successes and as many interrupted", s.Counts, err, 5*each/2)
	}
}

func TestTasksOfUnknownNamesWaitAndAreNamedAtStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		old := taskflow.Define("old_name", task[int])
		first, _ := c.instance(taskflow.WithTasks(old))
		h, err := first.Submit(t.Context(), old.With(1), taskflow.Delay(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		if err := first.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		var out lockedBuffer
		second, _ := c.instance(taskflow.WithLogger(slog.New(slog.NewTextHandler(&out, nil))))
		if text := out.String(); !strings.Contains(text, "task=old_name count=1") {
			t.Errorf("the log does not name the task that waits: %s", text)
		}
		time.Sleep(lease)
		if r, err := second.Get(t.Context(), h.ID()); err != nil || r.Status != taskflow.StatusPending || r.Owner != "" {
			t.Errorf("it is %s, of %q, %v", r.Status, r.Owner, err)
		}
		_, _ = c.instance(taskflow.WithTasks(taskflow.Define("new_name", task[int], taskflow.Aliases("old_name"))))
		time.Sleep(lease)
		if r := c.history(h.ID()); r.Status != taskflow.StatusSuccess {
			t.Errorf("under its alias it is %s", r.Status)
		}
	})
}

func TestWhatAStoppedInstanceSavesIsRunByAnotherThatRunsAlready(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		send := taskflow.Define("send", task[int])
		stops, _ := c.instance(taskflow.WithTasks(send))
		_, _ = c.instance(taskflow.WithTasks(taskflow.Define("send", task[int])))
		h, err := stops.Submit(t.Context(), send.With(1), taskflow.Delay(10*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		if err := stops.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(lease)
		if r := c.history(h.ID()); r.Status != taskflow.StatusSuccess {
			t.Errorf("it is %s", r.Status)
		}
	})
}
