package bench

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// producers is how many goroutines add tasks at the same time.
const producers = 8

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

// addAll calls add n times, rounded up to a multiple of the producers, and waits until done was called as often.
func addAll(n int, add func(done func())) {
	each := (n + producers - 1) / producers
	var running, adding sync.WaitGroup
	running.Add(each * producers)
	for range producers {
		adding.Go(func() {
			for range each {
				add(running.Done)
			}
		})
	}
	adding.Wait()
	running.Wait()
}

// quantile returns the value that the share q of the values does not exceed. It sorts them.
func quantile[T int64 | float64 | time.Duration](values []T, q float64) T {
	slices.Sort(values)
	return values[min(int(q*float64(len(values))), len(values)-1)]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
