package taskflow_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// calls are n calls of a task, with the numbers from 0 on.
func calls(t taskflow.Task[int], n int) []taskflow.Call {
	all := make([]taskflow.Call, n)
	for i := range all {
		all[i] = t.With(i)
	}
	return all
}

func TestSubmitManyIsOneCommit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newJournaled()
		gate := make(chan struct{})
		send := taskflow.Define("send", func(context.Context, int) error { <-gate; return nil })
		m := started(t, taskflow.WithBackend(b), taskflow.WithTasks(send), taskflow.WithConcurrency(2))
		handles, err := m.SubmitMany(t.Context(), calls(send, 5), taskflow.Tag("batch", "7"))
		if err != nil || len(handles) != 5 {
			t.Fatalf("%d handles, %v", len(handles), err)
		}
		want := []string{"send running", "send running", "send pending", "send pending", "send pending"} // as many as there are free workers
		if len(b.commits) != 1 || !slices.Equal(b.commits[0], want) {
			t.Fatalf("commits %v, want one of %v", b.commits, want)
		}
		close(gate)
		for i, h := range handles {
			if err := h.Wait(t.Context()); err != nil {
				t.Error(err)
			}
			if r := wantStatus(t, h, taskflow.StatusSuccess); string(r.Args) != string(rune('0'+i)) || r.Tags["batch"] != "7" || !r.Durable || r.Attempts != 1 {
				t.Errorf("handle %d is of %+v", i, r)
			}
		}
		time.Sleep(time.Second)
		if len(b.rows()) != 0 || b.count() != 5 {
			t.Errorf("at the end %v is pending, %d finished", b.rows(), b.count())
		}
		if handles, err := m.SubmitMany(t.Context(), nil); err != nil || len(handles) != 0 {
			t.Errorf("without calls: %v, %v", handles, err)
		}
	})
}

func TestSubmitManyOfARequestWaitsForItsResponse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newJournaled()
		send := taskflow.Define("send", task[int])
		m := started(t, taskflow.WithBackend(b), taskflow.WithTasks(send))
		batch := m.NewBatch()
		handles, err := taskflow.SubmitMany(context.WithValue(t.Context(), taskflow.BatchKey{}, batch), calls(send, 3))
		if err != nil || len(b.commits) != 1 {
			t.Fatalf("%d commits, %v", len(b.commits), err)
		}
		synctest.Wait()
		for _, h := range handles {
			wantStatus(t, h, taskflow.StatusPending)
		}
		batch.Release()
		for _, h := range handles {
			if err := h.Wait(t.Context()); err != nil {
				t.Error(err)
			}
		}
		batch = m.NewBatch()
		batch.Discard(errors.New("handler panicked"))
		_, err = batch.SubmitMany(t.Context(), calls(send, 3))
		wantErr(t, err, taskflow.ErrDiscarded)
	})
}

// One call that cannot be submitted keeps all from being: nothing is stored, and nothing runs.
func TestSubmitManyIsAllOrNone(t *testing.T) {
	t.Parallel()
	var ran atomic.Int32
	send := taskflow.Define("send", func(context.Context, int) error { ran.Add(1); return nil })
	text := taskflow.Define("text", task[string])
	stranger := taskflow.Define("stranger", task[int])
	large := text.With(strings.Repeat("x", 1<<19))
	for name, c := range map[string]struct {
		calls []taskflow.Call
		opts  []taskflow.AddOption
		set   func(*journaled)
		want  error
		says  string
	}{
		"not registered": {append(calls(send, 3), stranger.With(1)), nil, nil, taskflow.ErrNotRegistered, `task 4, "stranger"`},
		"arguments":      {append(calls(send, 3), text.With(strings.Repeat("x", 2<<20))), nil, nil, taskflow.ErrArguments, `task 4, "text"`},
		"too many":       {calls(send, 1001), nil, nil, taskflow.ErrInvalidOption, "1001 calls are more than 1000"},
		"too large":      {slices.Repeat([]taskflow.Call{large}, 17), nil, nil, taskflow.ErrInvalidOption, "MaxSubmitManyBytes"},
		"option":         {calls(send, 3), []taskflow.AddOption{taskflow.Delay(-1)}, nil, taskflow.ErrInvalidOption, "Delay"},
		"one key":        {calls(send, 3), []taskflow.AddOption{taskflow.IdempotencyKey("a")}, nil, taskflow.ErrInvalidOption, "IdempotencyKey"},
		"queue":          {calls(send, 30), []taskflow.AddOption{taskflow.Delay(time.Hour)}, nil, taskflow.ErrQueueFull, "task 21"},
		"commit fails":   {calls(send, 3), nil, func(b *journaled) { b.fail = errFlaky }, errFlaky, "submit 3 tasks"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newJournaled()
				if c.set != nil {
					c.set(b)
				}
				m := started(t, taskflow.WithTasks(send, text), taskflow.WithBackend(b), taskflow.WithQueueSize(20))
				handles, err := m.SubmitMany(t.Context(), c.calls, c.opts...)
				wantErr(t, err, c.want)
				if handles != nil || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%d handles, error %v, which should say %q", len(handles), err, c.says)
				}
				time.Sleep(2 * time.Hour)
				if len(b.rows()) != 0 || ran.Load() != 0 {
					t.Errorf("stored %v, %d ran", b.rows(), ran.Load())
				}
				p, err := m.List(t.Context(), taskflow.Query{Filter: taskflow.Filter{Statuses: []taskflow.Status{
					taskflow.StatusPending, taskflow.StatusRunning, taskflow.StatusSuccess,
				}}})
				if err != nil || len(p.Records) != 0 {
					t.Errorf("refused tasks are %+v, %v", p.Records, err)
				}
				// the workers and the room in the queue are free again
				b.mu.Lock()
				b.fail = nil
				b.mu.Unlock()
				handles, err = m.SubmitMany(t.Context(), calls(send, 20))
				if err != nil {
					t.Fatal(err)
				}
				for _, h := range handles {
					if err := h.Wait(t.Context()); err != nil {
						t.Error(err)
					}
				}
				ran.Store(0)
			})
		})
	}
}

// A key of one's own would be that of all: it is refused before anything is reserved, whether it is free or taken, and Unique or not.
func TestSubmitManyRefusesOneKeyForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		send, once := taskflow.Define("send", task[int]), taskflow.Define("once", task[int], taskflow.Unique(time.Hour))
		m := started(t, taskflow.WithBackend(newJournaled()), taskflow.WithTasks(send, once))
		if _, err := m.SubmitMany(t.Context(), calls(send, 1), taskflow.IdempotencyKey("taken")); err != nil {
			t.Errorf("one call: %v", err)
		}
		for _, key := range []string{"free", "taken"} {
			for name, some := range map[string][]taskflow.Call{
				"plain": calls(send, 2), "unique": calls(once, 2), "both": {once.With(7), send.With(7)},
			} {
				handles, err := m.SubmitMany(t.Context(), some, taskflow.IdempotencyKey(key))
				if wantErr(t, err, taskflow.ErrInvalidOption); handles != nil {
					t.Errorf("%s, %s key: %d handles", name, key, len(handles))
				}
			}
		}
		if h, err := m.Submit(t.Context(), send.With(1), taskflow.IdempotencyKey("free")); err != nil || h.Duplicate() {
			t.Errorf("the key is held by what was refused: %v", err)
		}
	})
}

func TestUniqueCallsOfOneSubmitMany(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newJournaled()
		send := taskflow.Define("send", task[int], taskflow.Unique(time.Hour))
		m := started(t, taskflow.WithBackend(b), taskflow.WithTasks(send))
		handles, err := m.SubmitMany(t.Context(), []taskflow.Call{send.With(1), send.With(2), send.With(1)})
		if err != nil {
			t.Fatal(err)
		}
		if handles[0].ID() != handles[2].ID() || handles[0].ID() == handles[1].ID() || handles[1].Duplicate() || !handles[2].Duplicate() {
			t.Errorf("ids %s %s %s", handles[0].ID(), handles[1].ID(), handles[2].ID())
		}
		synctest.Wait()
		again, err := m.SubmitMany(t.Context(), calls(send, 3))
		if err != nil || again[1].ID() != handles[0].ID() || again[2].ID() != handles[1].ID() || again[0].Duplicate() {
			t.Errorf("added again: %v, %v", again, err)
		}
	})
}
