package taskflow_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// permitted is the state machine as the documentation draws it.
var permitted = map[taskflow.Status][]taskflow.Status{
	taskflow.StatusPending: {taskflow.StatusRunning, taskflow.StatusCancelled, taskflow.StatusInterrupted, taskflow.StatusFailed},
	taskflow.StatusRunning: {taskflow.StatusPending, taskflow.StatusSuccess, taskflow.StatusFailed, taskflow.StatusCancelled, taskflow.StatusInterrupted},
}

// model drives a manager with random operations in fake time and follows every task from outside: what its function saw, and what the
// events said.
type model struct {
	t  *rapid.T
	m  *taskflow.Manager
	b  *journaled
	mu sync.Mutex

	tasks   []*modelTask
	batches []*taskflow.Batch
	byID    map[string]*modelTask
	saw     map[string]taskflow.Status // by events
	events  *taskflow.Subscription
	refused int64 // by Submit and Retry, which leave a cancelled record but no handle
}

type modelTask struct {
	handle  taskflow.Handle
	allowed int // attempts the policy allows
	runs    int
	active  int
}

// TestRandomOperations checks the promises of a task's life: every added task ends in exactly one final status or is saved by Stop;
// attempts never exceed the policy; no task changes after its final status; nothing runs twice at once; counters agree with
// records; the history holds what ended.
func TestRandomOperations(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		var failure any // rapid fails by panicking, which must not happen on the bubble's goroutine
		synctest.Test(t, func(t *testing.T) {
			s := &model{t: rt, b: newJournaled(), byID: map[string]*modelTask{}, saw: map[string]taskflow.Status{}}
			defer func() {
				if failure = recover(); failure != nil && s.m != nil {
					over, cancel := context.WithCancel(context.Background())
					cancel()
					err := s.m.Stop(over)
					time.Sleep(time.Hour) // fake time: let every function return
					rt.Logf("stopped after the failure: %v", err)
				}
			}()
			s.run(t.Context(), rt)
		})
		switch {
		case failure == nil:
		case strings.HasSuffix(fmt.Sprintf("%T", failure), "invalidData"): // rapid tells it from a failure by the line that panics
			panic(failure)
		default:
			panic(failure)
		}
	})
}

func (s *model) run(ctx context.Context, rt *rapid.T) {
	keep := taskflow.Define("keep", func(ctx context.Context, behaviour int) error { return s.behave(ctx, behaviour) },
		taskflow.Requeue(), taskflow.Retry(1, taskflow.Constant(time.Second)))
	m, err := taskflow.New(quiet, taskflow.WithBackend(s.b), taskflow.WithTasks(keep), taskflow.WithConcurrency(rapid.IntRange(1, 4).Draw(rt, "workers")),
		taskflow.WithQueueSize(rapid.IntRange(3, 50).Draw(rt, "queue")), taskflow.WithWindow(10_000), taskflow.WithStopGrace(time.Second))
	if err != nil {
		rt.Fatal(err)
	}
	s.m, s.events = m, m.Subscribe()
	if err := m.Start(ctx); err != nil {
		rt.Fatal(err)
	}
	calm := rapid.Bool().Draw(rt, "calm") // everything happens between two operations, so that a failure can be repeated and shrunk
	actions := map[string]func(*rapid.T){
		"add": func(rt *rapid.T) {
			retries := rapid.IntRange(0, 3).Draw(rt, "retries")
			s.add(nil, 1+retries, rapid.IntRange(0, 8).Draw(rt, "behaviour"), s.options(rt, retries)...)
		},
		"add kept": func(rt *rapid.T) {
			s.track(m.Add(taskflow.WorkOf(keep.With(rapid.IntRange(0, 8).Draw(rt, "behaviour")))), 2)
		},
		"submit": func(rt *rapid.T) {
			h, err := m.Submit(ctx, keep.With(rapid.IntRange(0, 8).Draw(rt, "behaviour")))
			switch {
			case err == nil:
				s.track(h, 2)
			case errors.Is(err, taskflow.ErrQueueFull):
				s.refused++
			default:
				rt.Fatalf("submit: %v", err)
			}
		},
		"retry": func(rt *rapid.T) {
			if len(s.tasks) == 0 {
				return
			}
			h, err := m.Retry(ctx, s.tasks[rapid.IntRange(0, len(s.tasks)-1).Draw(rt, "task")].handle.ID())
			switch {
			case err == nil:
				s.track(h, 2)
			case errors.Is(err, taskflow.ErrQueueFull):
				s.refused++
			case !errors.Is(err, taskflow.ErrNotRetryable) && !errors.Is(err, taskflow.ErrNotRegistered):
				rt.Fatalf("retry: %v", err)
			}
		},
		"begin request": func(*rapid.T) { s.batches = append(s.batches, m.NewBatch()) },
		"add to request": func(rt *rapid.T) {
			if b := s.batch(rt); b != nil {
				s.add(b, 1, rapid.IntRange(0, 8).Draw(rt, "behaviour"))
			}
		},
		"respond": func(rt *rapid.T) {
			if b := s.batch(rt); b != nil {
				b.Release()
			}
		},
		"request fails": func(rt *rapid.T) {
			if b := s.batch(rt); b != nil {
				b.Discard(errors.New("boom"))
			}
		},
		"cancel": func(rt *rapid.T) {
			if len(s.tasks) > 0 {
				h := s.tasks[rapid.IntRange(0, len(s.tasks)-1).Draw(rt, "task")].handle
				if _, err := m.Cancel(context.Background(), h.ID(), "model"); err != nil && !errors.Is(err, taskflow.ErrNotCancellable) {
					rt.Fatalf("cancel: %v", err)
				}
			}
		},
		"pass time": func(rt *rapid.T) {
			time.Sleep(time.Duration(rapid.IntRange(0, 3000).Draw(rt, "ms")) * time.Millisecond) // fake time
		},
		"settle": func(*rapid.T) { synctest.Wait(); s.read() },
		"": func(*rapid.T) {
			if calm {
				synctest.Wait()
			}
			s.check()
		},
	}
	rt.Repeat(actions)
	s.stop()
}

func (s *model) options(rt *rapid.T, retries int) []taskflow.AddOption {
	opts := []taskflow.AddOption{
		taskflow.Retry(retries, taskflow.Exponential(time.Second, 2)),
		taskflow.Priority(rapid.IntRange(-2, 2).Draw(rt, "priority")),
		taskflow.Delay(time.Duration(rapid.IntRange(0, 5).Draw(rt, "delay")) * time.Second),
	}
	if rapid.Bool().Draw(rt, "deadline") {
		opts = append(opts, taskflow.Deadline(4*time.Second))
	}
	if rapid.Bool().Draw(rt, "timeout") {
		opts = append(opts, taskflow.Timeout(time.Second))
	}
	return opts
}

func (s *model) add(b *taskflow.Batch, allowed, behaviour int, opts ...taskflow.AddOption) {
	task := &modelTask{allowed: allowed}
	fn := func(ctx context.Context) error {
		s.mu.Lock()
		task.runs++
		task.active++
		if task.active > 1 {
			s.t.Errorf("two attempts of one task at once")
		}
		s.mu.Unlock()
		defer func() {
			s.mu.Lock()
			task.active--
			s.mu.Unlock()
		}()
		return s.behave(ctx, behaviour)
	}
	if b == nil {
		task.handle = s.m.Add(taskflow.WorkOf(fn), opts...)
	} else {
		task.handle = b.Add(context.Background(), taskflow.WorkOf(fn), opts...)
	}
	s.keep(task)
}

func (s *model) track(h taskflow.Handle, allowed int) {
	s.keep(&modelTask{handle: h, allowed: allowed, runs: -1})
}

func (s *model) keep(task *modelTask) {
	s.tasks = append(s.tasks, task)
	s.byID[task.handle.ID()] = task
}

func (s *model) batch(rt *rapid.T) *taskflow.Batch {
	if len(s.batches) == 0 {
		return nil
	}
	return s.batches[rapid.IntRange(0, len(s.batches)-1).Draw(rt, "request")]
}

// behave is what a task's function does.
func (s *model) behave(ctx context.Context, behaviour int) error {
	switch behaviour {
	case 0:
		return nil
	case 1:
		return errors.New("failed")
	case 2:
		return taskflow.Permanent(errors.New("for good"))
	case 3:
		panic("boom")
	case 4:
		return taskflow.RetryAfter(3*time.Second, nil)
	case 5:
		return untilCancelled(ctx)
	case 6:
		time.Sleep(2 * time.Second) // fake time; ignores its context
		return nil
	case 7:
		runtime.Goexit()
	}
	select {
	case <-time.After(1500 * time.Millisecond):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// read follows the events and holds each change against the state machine.
func (s *model) read() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for {
		events, lost, err := s.events.Next(ctx, nil)
		if err != nil {
			return
		}
		if lost > 0 {
			s.t.Fatalf("%d events lost", lost)
		}
		for _, e := range events {
			if e.Kind == taskflow.EventLog || e.Kind == taskflow.EventLinked {
				continue // no change of the status
			}
			id, next := e.Task.ID, e.Task.Status
			before, known := s.saw[id]
			if !known {
				before = taskflow.StatusPending
			}
			if known || e.Kind != taskflow.EventAdded {
				if !slices.Contains(permitted[before], next) {
					s.t.Fatalf("task %s went from %s to %s", e.Task.Name, before, next)
				}
			}
			s.saw[id] = next
		}
	}
}

func (s *model) check() {
	for _, task := range s.tasks {
		s.mu.Lock()
		runs := task.runs // before the record: it may begin in between
		s.mu.Unlock()
		r := task.handle.Record()
		if r.Attempts > task.allowed {
			s.t.Fatalf("%d attempts, the policy allows %d", r.Attempts, task.allowed)
		}
		if runs > r.Attempts {
			s.t.Fatalf("the function ran %d times in %d attempts", runs, r.Attempts)
		}
		if r.Status.Final() != !r.EndTime.IsZero() {
			s.t.Fatalf("%s with end time %v", r.Status, r.EndTime)
		}
	}
}

func (s *model) stop() {
	drain := time.Duration(rapid.IntRange(0, 5).Draw(s.t, "drain")) * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	if err := s.m.Stop(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		s.t.Fatalf("stop: %v", err)
	}
	synctest.Wait()
	s.read()
	final := map[string]taskflow.Record{}
	for _, task := range s.tasks {
		select {
		case <-task.handle.Done():
		default:
			s.t.Fatalf("a task is not done after Stop: %+v", task.handle.Record())
		}
		final[task.handle.ID()] = task.handle.Record()
	}
	time.Sleep(time.Hour) // whatever was left behind has returned by now
	synctest.Wait()
	s.compare(final)
}

// compare checks that nothing changed since final was taken, and that every task is in the history or among the saved.
func (s *model) compare(final map[string]taskflow.Record) {
	saved := map[string]bool{}
	for _, r := range s.b.pending {
		saved[r.ID] = true
	}
	counts := map[taskflow.Status]int64{taskflow.StatusCancelled: s.refused}
	for id, before := range final {
		r := s.byID[id].handle.Record()
		if fmt.Sprint(r) != fmt.Sprint(before) {
			s.t.Fatalf("changed after the end:\n%+v\n%+v", before, r)
		}
		counts[r.Status]++
		stored, inHistory := s.b.stored(id)
		switch {
		case !r.Status.Final() && !saved[id], r.Status.Final() && saved[id]:
			s.t.Fatalf("%s is %s; saved for the next start: %v", id, r.Status, saved[id])
		case r.Status.Final() && !inHistory && !errors.Is(s.byID[id].handle.Rejected(), taskflow.ErrQueueFull):
			s.t.Fatalf("%s ended as %s and is not in the history", id, r.Status)
		case inHistory && stored.Status != r.Status:
			s.t.Fatalf("%s is %s, in the history %s", id, r.Status, stored.Status)
		}
	}
	stats, err := s.m.Stats(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	for _, status := range taskflow.Statuses() {
		if stats.Counts[status] != counts[status] {
			s.t.Fatalf("%d tasks are %s, counted %d", counts[status], status, stats.Counts[status])
		}
	}
}
