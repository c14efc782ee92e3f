package peers

import (
	"context"
	"log/slog"
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// started returns a running manager that accepts any number of waiting tasks, like its peers. It is stopped with the benchmark.
func started(b *testing.B, opts ...taskflow.ManagerOption) *taskflow.Manager {
	b.Helper()
	opts = append([]taskflow.ManagerOption{taskflow.WithLogger(slog.New(slog.DiscardHandler)), taskflow.WithQueueSize(1 << 30)}, opts...)
	m, err := taskflow.New(opts...)
	if err != nil {
		b.Fatal(err)
	}
	if err := m.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := m.Stop(context.Background()); err != nil {
			b.Error(err)
		}
	})
	return m
}

// ours is taskflow's side. All of its settings are the defaults, but for the size of the queue, and what a benchmark says.
type ours struct {
	m          *taskflow.Manager
	task       taskflow.Task[int]
	stats      taskflow.StatsReader
	goroutines int // that add tasks
	ran        arrivals
	before     int64 // finished in earlier rounds
}

func startTaskflow(b *testing.B, backend taskflow.Backend, goroutines int, opts ...taskflow.ManagerOption) *ours {
	b.Helper()
	o := &ours{goroutines: goroutines, stats: backend.(taskflow.StatsReader)}
	o.task = taskflow.Define("trivial", func(context.Context, int) error { o.ran.add(1); return nil })
	o.m = started(b, append(opts, taskflow.WithTasks(o.task), taskflow.WithBackend(backend))...)
	return o
}

// round adds one task at a time.
func (o *ours) round(b *testing.B, n int) time.Duration {
	b.Helper()
	return o.run(b, n, n, func() error {
		_, err := o.m.Submit(b.Context(), o.task.With(7))
		return err
	})
}

// many returns a round that adds so many tasks at a time.
func (o *ours) many(batch int) func(b *testing.B, n int) time.Duration {
	return func(b *testing.B, n int) time.Duration {
		b.Helper()
		return o.run(b, n/batch*batch, n/batch, func() error {
			calls := make([]taskflow.Call, batch)
			for i := range calls {
				calls[i] = o.task.With(7)
			}
			_, err := o.m.SubmitMany(b.Context(), calls)
			return err
		})
	}
}

// run calls add so many times, which adds n tasks in all.
func (o *ours) run(b *testing.B, n, times int, add func() error) time.Duration {
	b.Helper()
	o.ran.expect(n)
	began := time.Now()
	produce(b, o.goroutines, times, add)
	o.ran.wait(b)
	o.before += int64(n)
	await(b, func() (bool, error) { // a finished task leaves the pending ones in the commit that adds it to the history
		s, err := o.stats.Stats(b.Context())
		return s.Total() == o.before, err
	})
	return time.Since(began)
}
