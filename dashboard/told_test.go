package dashboard_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// dated is a backend that may be told to answer as it did before when it is asked for the instances, and what they have in memory.
type dated struct {
	*memory.Backend

	mu     sync.Mutex
	frozen []taskflow.Instance
}

func (b *dated) Close() error { return nil }

func (b *dated) Instances(ctx context.Context) ([]taskflow.Instance, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.frozen != nil {
		return slices.Clone(b.frozen), nil
	}
	return b.Backend.Instances(ctx)
}

func (b *dated) freeze(t *testing.T) {
	t.Helper()
	all, err := b.Instances(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.frozen = all
}

func (b *dated) thaw() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.frozen = nil
}

// What an instance says of the tasks in its memory may be older than the history.
func TestStreamNeverTellsAnOlderStateOfAnotherInstancesTaskAfterANewerOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := memory.New()
		b := &dated{Backend: m}
		tasks := taskflow.WithTasks(ok, fail, hold)
		here := openWith(t, []taskflow.ManagerOption{tasks, taskflow.WithBackend(b)})
		there := openWith(t, []taskflow.ManagerOption{tasks, taskflow.WithBackend(shared{m})})
		time.Sleep(20 * time.Second) // each has met the other
		w := here.watch()
		defer w.leave()
		w.after(3100 * time.Millisecond)
		h := there.m.Add(taskflow.WorkOf(func() { time.Sleep(2500 * time.Millisecond) }))
		got := statuses(t, w.after(2400*time.Millisecond), h.ID())
		b.freeze(t)
		got = append(got, statuses(t, w.after(10*time.Second), h.ID())...)
		b.thaw()
		got = append(got, statuses(t, w.after(10*time.Second), h.ID())...)
		if want := []string{"running", "success"}; !slices.Equal(got, want) {
			t.Errorf("told are %v, want %v", got, want)
		}
	})
}

// A task that is live, but for a moment in no list of live tasks, is followed on.
func TestStreamTellsTheEndOfATaskThatWasNotListedForAMoment(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := memory.New()
		b := &blinking{Backend: m}
		tasks := taskflow.WithTasks(ok, fail, hold)
		here := openWith(t, []taskflow.ManagerOption{tasks, taskflow.WithBackend(b)})
		there := openWith(t, []taskflow.ManagerOption{tasks, taskflow.WithBackend(shared{m})})
		time.Sleep(20 * time.Second)
		w := here.watch()
		defer w.leave()
		h, err := there.m.Submit(t.Context(), hold.With(""))
		if err != nil {
			t.Fatal(err)
		}
		got := statuses(t, w.after(5*time.Second), h.ID())
		b.blink(true)
		got = append(got, statuses(t, w.after(5*time.Second), h.ID())...)
		there.post("/"+h.ID()+"/cancel", 200)
		got = append(got, statuses(t, w.after(5*time.Second), h.ID())...)
		if want := []string{"running", "cancelled"}; !slices.Equal(got, want) {
			t.Errorf("told are %v, want %v", got, want)
		}
	})
}

// blinking is a backend that may leave everything out of its lists of unfinished tasks.
type blinking struct {
	*memory.Backend

	mu    sync.Mutex
	blind bool
}

func (b *blinking) Close() error { return nil }

func (b *blinking) blink(blind bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.blind = blind
}

func (b *blinking) QueryPending(ctx context.Context, q taskflow.Query) (taskflow.Page, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.blind {
		return taskflow.Page{}, ctx.Err()
	}
	return b.Backend.QueryPending(ctx, q)
}

func statuses(t *testing.T, events []event, id string) (all []string) {
	t.Helper()
	for _, data := range named(events, "task") {
		if v := decodeText[task](t, data); v.ID == id {
			all = append(all, v.Status)
		}
	}
	return all
}
