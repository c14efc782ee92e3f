package taskflow_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"

	taskflow "github.com/taskflow-go/taskflow/core"
)

var quiet = taskflow.WithLogger(slog.New(slog.DiscardHandler))

// started returns a running manager, stopped with the test. Inside a synctest bubble everything it does is bubbled too.
func started(t *testing.T, opts ...taskflow.ManagerOption) *taskflow.Manager {
	t.Helper()
	m := created(t, opts...)
	if err := m.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Stop(context.Background()); err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
			t.Errorf("stop: %v", err)
		}
	})
	return m
}

func created(t *testing.T, opts ...taskflow.ManagerOption) *taskflow.Manager {
	t.Helper()
	m, err := taskflow.New(append([]taskflow.ManagerOption{quiet}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// add adds a function, with no request around it.
func add[R taskflow.Runnable](m *taskflow.Manager, r R, opts ...taskflow.AddOption) taskflow.Handle {
	return m.Add(taskflow.WorkOf(r), opts...)
}

// untilCancelled is a task that runs until its context ends.
func untilCancelled(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

func wantStatus(t *testing.T, h taskflow.Handle, want taskflow.Status) taskflow.Record {
	t.Helper()
	r := h.Record()
	if r.Status != want {
		t.Errorf("task %s is %s (%s), want %s", r.Name, r.Status, r.Error, want)
	}
	return r
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error is %v, want one that is %v", err, want)
	}
}

// mustPanic returns what f panics with, as text.
func mustPanic(t *testing.T, f func()) (text string) {
	t.Helper()
	defer func() {
		switch p := recover().(type) {
		case nil:
			t.Error("no panic")
		case string:
			text = p
		case error:
			text = p.Error()
		default:
			t.Errorf("panicked with a %T: %v", p, p)
		}
	}()
	f()
	return ""
}

// six is a backend with the six methods only, in memory, whose failures a test can script.
type six struct {
	mu      sync.Mutex
	history map[string]taskflow.Record
	pending []taskflow.Record
	batches []int
	closed  int
	onSave  func(records []taskflow.Record) error // called before each Save takes effect
}

func newSix() *six { return &six{history: map[string]taskflow.Record{}} }

func (b *six) Save(ctx context.Context, records []taskflow.Record) (int, error) {
	b.mu.Lock()
	onSave := b.onSave
	b.mu.Unlock()
	if onSave != nil {
		if err := onSave(records); err != nil {
			return 0, err
		}
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range records {
		b.history[r.ID] = r
	}
	b.batches = append(b.batches, len(records))
	return len(records), nil
}

func (b *six) Load(context.Context) ([]taskflow.Record, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make([]taskflow.Record, 0, len(b.history))
	for _, r := range b.history {
		all = append(all, r)
	}
	return all, nil
}

func (b *six) SavePending(_ context.Context, records []taskflow.Record) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pending = slices.Clone(records)
	return len(records), nil
}

func (b *six) LoadPending(context.Context) ([]taskflow.Record, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.pending), nil
}

func (b *six) ClearPending(context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pending = nil
	return nil
}

func (b *six) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed++
	return nil
}

func (b *six) stored(id string) (taskflow.Record, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, ok := b.history[id]
	return r, ok
}

func (b *six) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.history)
}

func (b *six) script(f func(records []taskflow.Record) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.onSave = f
}
