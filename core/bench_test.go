package taskflow_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
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

// BenchmarkSeriesOfADay reads what five instances have counted of twenty functions in 1440 minutes, as a chart of 24 hours does.
func BenchmarkSeriesOfADay(b *testing.B) {
	backend := memory.New()
	m := newManager(b, taskflow.WithBackend(backend))
	counts := `{"added":12,"success":9,"failed":1,"retried":2,"wait":[0,11,71,3],"run":[131,5,132,4,133,3,151,1],"ran_at":1763856058123}`
	functions := ""
	for i := range 20 {
		functions += fmt.Sprintf(`,"package.function%d":%s`, i, counts)
	}
	data := fmt.Appendf(nil, `{"format":1,"first":1,"last":2,"pools":{"default":{"limit":64,"running":3,"waiting":0}},"total":%s}`+"\n{%s}", counts, functions[1:])
	now := time.Now()
	for minute := range 1440 {
		var points []taskflow.SeriesPoint
		for i := range 5 {
			start := now.Truncate(time.Minute).Add(-time.Duration(minute) * time.Minute)
			points = append(points, taskflow.SeriesPoint{Resolution: time.Minute, Start: start, Instance: fmt.Sprint("instance", i), Data: data})
		}
		if err := backend.PutSeries(b.Context(), points); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		s, err := m.Series(b.Context(), taskflow.SeriesQuery{Since: now.Add(-24 * time.Hour)})
		if err != nil || !s.Complete {
			b.Fatal(s.Complete, err)
		}
	}
}
