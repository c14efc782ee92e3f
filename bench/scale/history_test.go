package scale

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// step is the time between two tasks of the history.
const step = 100 * time.Millisecond

// BenchmarkHistory reads pages of 100 from a history of a million records (TASKFLOW_BENCH_RECORDS: another number), the newest and
// those from anywhere, and reports the median, the 99th percentile and the slowest of all.
func BenchmarkHistory(b *testing.B) {
	records := number(b, "TASKFLOW_BENCH_RECORDS", 1_000_000)
	for _, engine := range engines {
		b.Run(engine.name, func(b *testing.B) {
			backend := opened(b, engine.store(b)())
			defer shut(b, backend)
			begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			fill(b, backend, begin, records)
			pages(b, backend.(taskflow.Querier), begin, records)
		})
	}
}

func pages(b *testing.B, backend taskflow.Querier, begin time.Time, records int) {
	for _, tt := range []struct {
		name   string
		filter taskflow.Filter
		deep   bool // a page from anywhere, not the newest
	}{
		{name: "newest"},
		{name: "anywhere", deep: true},
		{name: "status-newest", filter: taskflow.Filter{Statuses: []taskflow.Status{taskflow.StatusFailed}}},
		{name: "status-anywhere", filter: taskflow.Filter{Statuses: []taskflow.Status{taskflow.StatusFailed}}, deep: true},
		{name: "name-newest", filter: taskflow.Filter{Name: "task_07"}},
		{name: "name-anywhere", filter: taskflow.Filter{Name: "task_07"}, deep: true},
	} {
		b.Run(tt.name, func(b *testing.B) {
			random := rand.New(rand.NewPCG(1, 2))
			var took []time.Duration
			for b.Loop() {
				q := taskflow.Query{Filter: tt.filter, Limit: 100}
				if tt.deep { // not among the oldest: the page shall be full
					at := records/2 + random.IntN(records/2)
					_, q.Before = taskflow.IDBounds(begin.Add(time.Duration(at) * step))
				}
				start := time.Now()
				page, err := backend.Query(b.Context(), q)
				took = append(took, time.Since(start))
				if err != nil || len(page.Records) == 0 {
					b.Fatalf("a page of %d records, %v", len(page.Records), err)
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(milliseconds(quantile(took, 0.5)), "p50-ms")
			b.ReportMetric(milliseconds(quantile(took, 0.99)), "p99-ms")
			b.ReportMetric(milliseconds(quantile(took, 1)), "max-ms")
		})
	}
}

// fill stores records such as a service leaves behind.
func fill(b *testing.B, backend taskflow.Backend, begin time.Time, n int) {
	b.Helper()
	started := time.Now()
	random := rand.New(rand.NewPCG(1, 2))
	batch := make([]taskflow.Record, 0, 5000)
	for i := range n {
		batch = append(batch, finished(random, begin.Add(time.Duration(i)*step)))
		if len(batch) == cap(batch) || i == n-1 {
			if _, err := backend.Save(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
			batch = batch[:0]
		}
	}
	took := time.Since(started)
	b.Logf("stored %d records in %v, %.0f a second", n, took.Round(time.Second), float64(n)/took.Seconds())
}

func finished(random *rand.Rand, at time.Time) taskflow.Record {
	r := taskflow.Record{
		ID: taskflow.NewID(at), Name: fmt.Sprintf("task_%02d", random.IntN(20)), Status: taskflow.StatusSuccess, Source: taskflow.SourceManual,
		Pool: taskflow.DefaultPool, CreatedAt: at, StartTime: at.Add(time.Millisecond), EndTime: at.Add(time.Duration(1+random.IntN(2000)) * time.Millisecond),
		Attempts: 1, Args: json.RawMessage(fmt.Sprintf(`{"id":%d}`, random.IntN(1e6))),
	}
	switch n := random.IntN(100); {
	case n < 6:
		r.Status, r.Error = taskflow.StatusFailed, fmt.Sprintf("dial tcp 10.0.0.%d:25: connect: connection refused", random.IntN(256))
	case n < 8:
		r.Status, r.Error = taskflow.StatusFailed, fmt.Sprintf("unexpected status %d", 500+random.IntN(10))
	case n < 9:
		r.Status, r.Error = taskflow.StatusCancelled, "task cancelled"
	}
	if random.IntN(100) < 30 {
		r.Tags = map[string]string{"user": fmt.Sprint(random.IntN(10_000))}
	}
	return r
}
