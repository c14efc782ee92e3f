package scale

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// BenchmarkRecovery starts a manager on a store with 100,000 submitted tasks (TASKFLOW_BENCH_PENDING: another number) that have not
// started and are held by an instance that is gone, as a process leaves them that was killed. Each operation fills a new store.
// Reported are the medians of the times from the call of Start until it returns, which is when all tasks are taken over and in the
// queue, until the last one has run, and until the backend has the last one as finished.
func BenchmarkRecovery(b *testing.B) {
	waiting := number(b, "TASKFLOW_BENCH_PENDING", 100_000)
	for _, engine := range engines {
		b.Run(engine.name, func(b *testing.B) {
			var dispatched, ran, stored []time.Duration
			for b.Loop() {
				open := engine.store(b)
				leave(b, open(), waiting)
				t := recovered(b, open(), waiting)
				dispatched, ran, stored = append(dispatched, t[0]), append(ran, t[1]), append(stored, t[2])
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(milliseconds(quantile(dispatched, 0.5)), "dispatched-ms")
			b.ReportMetric(milliseconds(quantile(ran, 0.5)), "ran-ms")
			b.ReportMetric(milliseconds(quantile(stored, 0.5)), "stored-ms")
		})
	}
}

// leave stores what a process that was killed leaves behind.
func leave(b *testing.B, backend taskflow.Backend, n int) {
	b.Helper()
	opened(b, backend)
	defer shut(b, backend)
	journal := backend.(taskflow.Journal)
	at := time.Now().Add(-time.Hour)
	batch := make([]taskflow.Record, 0, 1000)
	for i := range n {
		at = at.Add(time.Millisecond)
		batch = append(batch, taskflow.Record{
			ID: taskflow.NewID(at), Name: "trivial", Status: taskflow.StatusPending, Source: taskflow.SourceManual, Pool: taskflow.DefaultPool,
			CreatedAt: at, Args: json.RawMessage("7"), Durable: true, Owner: "killed",
		})
		if len(batch) == cap(batch) || i == n-1 {
			if err := journal.PutPending(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
			batch = batch[:0]
		}
	}
}

// recovered starts a manager and waits until n tasks are done.
func recovered(b *testing.B, backend taskflow.Backend, n int) (took [3]time.Duration) {
	b.Helper()
	var missing atomic.Int64
	missing.Store(int64(n))
	all := make(chan struct{})
	task := taskflow.Define("trivial", func(context.Context, int) error {
		if missing.Add(-1) == 0 {
			close(all)
		}
		return nil
	})
	m, err := taskflow.New(taskflow.WithTasks(task), taskflow.WithBackend(backend), taskflow.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	if err := m.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	took[0] = time.Since(began)
	<-all
	took[1] = time.Since(began)
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for done := int64(0); done < int64(n); <-poll.C {
		s, err := backend.(taskflow.StatsReader).Stats(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		done = s.Total()
	}
	took[2] = time.Since(began)
	if err := m.Stop(context.Background()); err != nil {
		b.Fatal(err)
	}
	return took
}
