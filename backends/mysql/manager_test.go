package mysql_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/mysql"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// A manager with this backend: what ended is on the server after a graceful stop, what waited runs after the next start.
func TestManagerOverARestart(t *testing.T) {
	t.Parallel()
	address := server(t)
	p := prefix(t, address)
	ran := make(chan string, 10)
	greet := taskflow.Define("greet", func(_ context.Context, name string) error { ran <- name; return nil }, taskflow.Requeue())
	start := func() *taskflow.Manager {
		m, err := taskflow.New(taskflow.WithTasks(greet), taskflow.WithBackend(mysql.Open(address, mysql.Prefix(p))),
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

	b := opened(t, address, mysql.Prefix(p))
	s, err := b.Stats(t.Context())
	if err != nil || s.Counts[taskflow.StatusFailed] != many || s.Counts[taskflow.StatusSuccess] != 2 || s.Total() != many+2 {
		t.Errorf("Stats returned %v, %v; want %d failures and 2 successes", s.Counts, err, many)
	}
	for _, id := range []string{submitted.ID(), waiting.ID()} {
		if r, err := b.Get(t.Context(), id); err != nil || r.Status != taskflow.StatusSuccess {
			t.Errorf("Get(%s) returned %s, %v; want a success", id, r.Status, err)
		}
	}
	if left, err := b.LoadPending(t.Context()); err != nil || len(left) != 0 {
		t.Errorf("LoadPending returned %d records, %v; want none", len(left), err)
	}
}
