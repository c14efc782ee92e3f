package taskflow_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// BenchmarkAddRunFinish is the hot path: Add, run, finish of a trivial closure, in memory, from 8 producers.
func BenchmarkAddRunFinish(b *testing.B) {
	m := newManager(b)
	var done sync.WaitGroup
	produce(b, 8, &done, func() { m.Add(taskflow.WorkOf(func() { done.Done() })) })
}

// BenchmarkAddRunFinishCall is the same for a Call, whose arguments travel as JSON.
func BenchmarkAddRunFinishCall(b *testing.B) {
	var done sync.WaitGroup
	task := taskflow.Define("count", func(context.Context, int) error { done.Done(); return nil })
	m := newManager(b, taskflow.WithTasks(task))
	produce(b, 8, &done, func() { m.Add(taskflow.WorkOf(task.With(7))) })
}

func newManager(b *testing.B, opts ...taskflow.ManagerOption) *taskflow.Manager {
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

// produce calls add b.N times from n goroutines and waits until done says that all tasks have run.
func produce(b *testing.B, n int, done *sync.WaitGroup, add func()) {
	b.ReportAllocs()
	each := b.N/n + 1
	done.Add(n * each)
	b.ResetTimer()
	var producers sync.WaitGroup
	for range n {
		producers.Go(func() {
			for range each {
				add()
			}
		})
	}
	producers.Wait()
	done.Wait()
}
