package taskflow_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// A task that begins while it is cancelled is either never run, or told by its context.
func TestCancelMeetsATaskThatBegins(t *testing.T) {
	t.Parallel()
	m := started(t, taskflow.WithConcurrency(4))
	for range 20_000 {
		begun := make(chan context.Context, 1)
		h := add(m, func(ctx context.Context) error {
			begun <- ctx
			<-ctx.Done()
			return ctx.Err()
		})
		if _, err := m.Cancel(t.Context(), h.ID(), "at once"); err != nil {
			t.Fatal(err)
		}
		wantErr(t, h.Wait(t.Context()), taskflow.ErrCancelled)
		select {
		case ctx := <-begun:
			if ctx.Err() == nil {
				t.Fatal("the task is recorded as cancelled and runs on under a live context")
			}
		default:
		}
	}
}

func TestAnObserverThatBlocksDoesNotHoldUpStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		block := make(chan struct{})
		m := created(t, taskflow.WithObserver(taskflow.ObserverFunc(func([]taskflow.Event, uint64) { <-block })))
		if err := m.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-add(m, func() {}).Done()
		took, err := stopWithin(m, time.Second)
		if err == nil || !strings.Contains(err.Error(), "an observer did not return") || took > 11*time.Second {
			t.Errorf("Stop: %v after %v", err, took)
		}
		close(block)
	})
}

func TestStopEndsAStartThatIsUnderWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := created(t, taskflow.WithBackend(&slowToOpen{newSix()}))
		starting := make(chan error, 1)
		go func() { starting <- m.Start(context.Background()) }()
		synctest.Wait()
		h := add(m, func() { t.Error("ran") })
		if took, err := stopWithin(m, time.Minute); err != nil || took != 0 {
			t.Errorf("Stop: %v after %v", err, took)
		}
		wantErr(t, <-starting, context.Canceled)
		wantErr(t, h.Wait(t.Context()), taskflow.ErrInterrupted)
	})
}

// slowToOpen opens when its context ends.
type slowToOpen struct{ *six }

func (b *slowToOpen) Open(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestAfterAFailedStartAddRefuses(t *testing.T) {
	t.Parallel()
	m := created(t, taskflow.WithBackend(&unopenable{newSix(), errFlaky}))
	wantErr(t, m.Start(t.Context()), errFlaky)
	wantErr(t, add(m, func() { t.Error("ran") }).Rejected(), taskflow.ErrStopped)
}

type chatty struct{ ctx context.Context }

func (e chatty) Error() string {
	taskflow.Logger(e.ctx).Info("asked for its text")
	return "chatty"
}

func TestAnErrorWhoseTextLogs(t *testing.T) {
	t.Parallel()
	m := started(t)
	h := add(m, func(ctx context.Context) error { return chatty{ctx} })
	<-h.Done()
	if r := wantStatus(t, h, taskflow.StatusFailed); r.Error != "chatty" {
		t.Errorf("the record says %q", r.Error)
	}
}

type generationKey int

func TestATaskThatAddsItselfKeepsNoGenerations(t *testing.T) {
	t.Parallel()
	m := started(t, taskflow.WithWindow(10))
	ctx := context.WithValue(t.Context(), requestKey{}, "request")
	b := m.NewBatch()
	const generations = 20_000
	done := make(chan struct{})
	var step func(context.Context) error
	n := 0
	step = func(ctx context.Context) error {
		if ctx.Value(requestKey{}) != "request" {
			t.Error("the request's values are lost")
		}
		if n++; n == generations {
			close(done)
			return nil
		}
		taskflow.Add(context.WithValue(ctx, generationKey(n), make([]byte, 50_000)), step) // would be 1 GB
		return nil
	}
	b.Add(ctx, taskflow.WorkOf(step))
	b.Release()
	<-done
	runtime.GC()
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	if mem.HeapAlloc > 500<<20 { // other tests run at the same time
		t.Errorf("%d generations hold %d MB", generations, mem.HeapAlloc>>20)
	}
}

func TestLongTimesDoNotOverflow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := started(t)
		for name, opt := range map[string]taskflow.AddOption{
			"delay":  taskflow.Delay(math.MaxInt64),
			"run at": taskflow.RunAt(time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)),
		} {
			h := add(m, func() { t.Errorf("%s: ran", name) }, opt)
			synctest.Wait()
			wantStatus(t, h, taskflow.StatusPending)
		}
		if err := add(m, func() {}, taskflow.Deadline(math.MaxInt64)).Wait(t.Context()); err != nil {
			t.Errorf("deadline: %v", err)
		}
		again := add(m, func() error { return taskflow.RetryAfter(math.MaxInt64, nil) }, taskflow.RetryWith(func(int, error) (time.Duration, bool) { return 0, true }))
		synctest.Wait()
		if r := wantStatus(t, again, taskflow.StatusPending); r.Attempts != 1 {
			t.Errorf("tried %d times", r.Attempts)
		}
		if _, err := stopWithin(m, time.Second); err != nil {
			t.Error(err)
		}
	})
}

func TestDroppedRequestsDoNotPileUpWhileTheBackendIsAway(t *testing.T) {
	t.Parallel()
	b := newSix()
	b.script(func([]taskflow.Record) error { return errFlaky })
	m := started(t, taskflow.WithBackend(b), taskflow.WithQueueSize(10), taskflow.WithWindow(100))
	for range 30_000 {
		batch := m.NewBatch()
		batch.Add(t.Context(), taskflow.WorkOf(func() {}))
		batch.Discard(nil)
	}
	kept := 0
	for q := (taskflow.Query{Limit: 1000}); ; {
		p, err := m.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if kept += len(p.Records); p.Next == "" {
			break
		}
		q.Before = p.Next
	}
	if kept > 12_000 {
		t.Errorf("%d dropped tasks are in memory, the backlog is 10,000", kept)
	}
	h := add(m, func() {}, taskflow.Delay(time.Hour))
	if h.Rejected() != nil {
		t.Errorf("they still count as waiting: %v", h.Rejected())
	}
	if _, err := m.Cancel(t.Context(), h.ID(), ""); err != nil {
		t.Error(err)
	}
	b.script(nil)
}

func TestLargeErrorsAreNotKept(t *testing.T) {
	t.Parallel()
	m := started(t)
	text := strings.Repeat("x", 1<<20)
	for i := range 300 {
		<-add(m, func() error { return fmt.Errorf("%d %s", i, text) }).Done()
	}
	runtime.GC()
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	if mem.HeapAlloc > 150<<20 {
		t.Errorf("300 errors of 1 MiB hold %d MB", mem.HeapAlloc>>20)
	}
}

func TestStopDrainsThroughAFullBacklog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newSix()
		b.script(func([]taskflow.Record) error { return errFlaky })
		m := created(t, taskflow.WithBackend(b), taskflow.WithConcurrency(2))
		if err := m.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 15_000 {
			add(m, func() {})
		}
		time.Sleep(time.Minute)
		took, err := stopWithin(m, 10*time.Minute)
		if took > 15*time.Second || err == nil || !strings.Contains(err.Error(), "15000 finished tasks could not be stored") {
			t.Errorf("Stop: %.200v after %v", err, took)
		}
	})
}

// flakyPending fails the first SavePending calls.
type flakyPending struct {
	*six
	fails int
}

func (b *flakyPending) SavePending(ctx context.Context, records []taskflow.Record) (int, error) {
	if b.fails--; b.fails >= 0 {
		return 0, errFlaky
	}
	return b.six.SavePending(ctx, records)
}

func TestWaitingTasksAreSavedInTheEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fails  int
		status taskflow.Status
		saved  int
	}{"after two failures": {2, taskflow.StatusPending, 1}, "or said to be lost": {1000, taskflow.StatusInterrupted, 0}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := &flakyPending{newSix(), c.fails}
				keep := taskflow.Define("keep", task[int], taskflow.Requeue())
				m := created(t, taskflow.WithBackend(b), taskflow.WithTasks(keep))
				if err := m.Start(t.Context()); err != nil {
					t.Fatal(err)
				}
				h := add(m, keep.With(1), taskflow.Delay(time.Hour))
				err := m.Stop(t.Context())
				if (err != nil) != (c.saved == 0) || len(b.pending) != c.saved {
					t.Errorf("Stop: %v, %d saved", err, len(b.pending))
				}
				<-h.Done()
				wantStatus(t, h, c.status)
				if errors.Is(h.Wait(t.Context()), taskflow.ErrRequeued) != (c.saved == 1) {
					t.Errorf("Wait: %v", h.Wait(t.Context()))
				}
			})
		})
	}
}

func TestRowsOfUnknownNamesAreNotOnlyInMemory(t *testing.T) {
	t.Parallel()
	b := newSix()
	b.pending = []taskflow.Record{{ID: taskflow.NewID(time.Now()), Name: "gone", Status: taskflow.StatusPending, Args: []byte("1")}}
	m := started(t, taskflow.WithBackend(b))
	b.mu.Lock()
	rows := len(b.pending)
	b.mu.Unlock()
	if rows != 1 || m.Instance() == "" {
		t.Errorf("%d rows while the manager runs", rows)
	}
}

func TestObserversHearOfTasksTakenOver(t *testing.T) {
	t.Parallel()
	b := newSix()
	for i, status := range []taskflow.Status{taskflow.StatusRunning, taskflow.StatusPending} {
		b.pending = append(b.pending, taskflow.Record{ID: taskflow.NewID(time.Now().Add(time.Duration(i) * time.Second)), Name: "k", Status: status, Attempts: 1, Args: []byte("1")})
	}
	var got []string
	o := taskflow.ObserverFunc(func(events []taskflow.Event, _ uint64) {
		for _, e := range events {
			got = append(got, fmt.Sprintf("%s %s", e.Kind, e.Task.Status))
		}
	})
	m := started(t, taskflow.WithBackend(b), taskflow.WithTasks(taskflow.Define("k", task[int])), taskflow.WithObserver(o))
	if err := m.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(got, "finished interrupted") || !slices.Contains(got, "added pending") {
		t.Errorf("told of %q", got)
	}
}

func TestARetriedTaskIsNotFinishedTwice(t *testing.T) {
	t.Parallel()
	var got []string
	o := taskflow.ObserverFunc(func(events []taskflow.Event, _ uint64) {
		for _, e := range events {
			got = append(got, string(e.Kind))
		}
	})
	k := taskflow.Define("k", func(context.Context, int) error { return errFlaky })
	m := started(t, taskflow.WithTasks(k), taskflow.WithObserver(o), taskflow.WithConcurrency(1))
	h := add(m, k.With(1))
	<-h.Done()
	again, err := m.Retry(t.Context(), h.ID())
	if err != nil {
		t.Fatal(err)
	}
	<-again.Done()
	if err := m.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	finished := 0
	for _, kind := range got {
		if kind == string(taskflow.EventFinished) {
			finished++
		}
	}
	if finished != 2 || !slices.Contains(got, string(taskflow.EventLinked)) {
		t.Errorf("told of %q", got)
	}
}

func TestAPolicyThatEndsTheGoroutine(t *testing.T) {
	t.Parallel()
	m := started(t, taskflow.WithConcurrency(1))
	h := add(m, func() error { return errFlaky }, taskflow.RetryWith(func(int, error) (time.Duration, bool) { runtime.Goexit(); return 0, true }))
	wantErr(t, h.Wait(t.Context()), errFlaky)
	wantStatus(t, h, taskflow.StatusFailed)
	if err := add(m, func() {}).Wait(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestRetryOfATaskThatHasLeftMemory(t *testing.T) {
	t.Parallel()
	k := taskflow.Define("k", func(context.Context, int) error { return errFlaky })
	m := started(t, taskflow.WithTasks(k), taskflow.WithWindow(1))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 500 {
				h := add(m, k.With(1))
				<-h.Done()
				if _, err := m.Retry(t.Context(), h.ID()); err != nil && !errors.Is(err, taskflow.ErrNotFound) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func TestAnOverrunTimeoutShowsInTheLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := started(t)
		h := add(m, func() { time.Sleep(time.Minute) }, taskflow.Timeout(time.Second))
		<-h.Done()
		if r := wantStatus(t, h, taskflow.StatusSuccess); len(r.Logs) != 1 || !strings.Contains(r.Logs[0], "attempt timed out, but the function ran to its end") {
			t.Errorf("the log is %q", r.Logs)
		}
	})
}

func TestListedTasksAreCopies(t *testing.T) {
	t.Parallel()
	k := taskflow.Define("k", task[int], taskflow.Tag("team", "a"), taskflow.Aliases("old"))
	m := created(t, taskflow.WithTasks(k))
	info := m.Tasks()[0]
	info.Tags["team"], info.Aliases[0] = "changed", "changed"
	if again := m.Tasks()[0]; again.Tags["team"] != "a" || again.Aliases[0] != "old" {
		t.Errorf("the definition was changed: %+v", again)
	}
}
