package sqltest

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// ManagerOverARestart runs a manager with backends of the same data, of which open returns one that is not open yet: what ended is on the server
// after a graceful stop, what waited runs after the next start. look is another, which is open.
func ManagerOverARestart(t *testing.T, open func() taskflow.Backend, look Backend) {
	t.Helper()
	ran := make(chan string, 10)
	greet := taskflow.Define("greet", func(_ context.Context, name string) error { ran <- name; return nil }, taskflow.Requeue())
	start := func() *taskflow.Manager {
		m, err := taskflow.New(taskflow.WithTasks(greet), taskflow.WithBackend(open()),
			taskflow.WithLogger(slog.New(slog.DiscardHandler)))
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		return m
	}
	m := start()
	const many = 2000
	for range many {
		m.Add(taskflow.WorkOf(func() error { return errors.New("no such host") }))
	}
	submitted, err := m.Submit(t.Context(), greet.With("Ada"), taskflow.Tag("tenant", "acme"))
	if err != nil {
		t.Fatal(err)
	}
	if err := submitted.Wait(t.Context()); err != nil || <-ran != "Ada" {
		t.Fatalf("the submitted task ended with %v", err)
	}
	waiting, err := m.Submit(t.Context(), greet.With("Grace"), taskflow.Delay(2*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}

	m = start()
	if name := <-ran; name != "Grace" {
		t.Errorf("after the restart the task of %s ran, want Grace", name)
	}
	if err := m.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}

	s, err := look.Stats(t.Context())
	if err != nil || s.Counts[taskflow.StatusFailed] != many || s.Counts[taskflow.StatusSuccess] != 2 || s.Total() != many+2 {
		t.Errorf("Stats returned %v, %v; want %d failures and 2 successes", s.Counts, err, many)
	}
	for _, id := range []string{submitted.ID(), waiting.ID()} {
		if r, err := look.Get(t.Context(), id); err != nil || r.Status != taskflow.StatusSuccess {
			t.Errorf("Get(%s) returned %s, %v; want a success", id, r.Status, err)
		}
	}
	if left, err := look.LoadPending(t.Context()); err != nil || len(left) != 0 {
		t.Errorf("LoadPending returned %d records, %v; want none", len(left), err)
	}
}
