package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/sqlite"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// BenchmarkMillion works on an SQLite file with a million finished tasks: pages of 100 for each filter, totals, and the start
// of a process.
func BenchmarkMillion(b *testing.B) {
	path := filepath.Join(b.TempDir(), "tasks.db")
	begin := fillHistory(b, path)
	b.Run("start", func(b *testing.B) { benchmarkStart(b, path) })

	m := started(b, taskflow.WithBackend(sqlite.Open(path)))
	middle := begin.Add(million / 2 * step)
	statuses := func(s ...taskflow.Status) []taskflow.Status { return s }
	for _, tt := range []struct {
		name   string
		filter taskflow.Filter
		deep   bool // a page from anywhere in the history, not the newest
	}{
		{name: "no-filter"},
		{name: "no-filter-deep", deep: true},
		{name: "status", filter: taskflow.Filter{Statuses: statuses(taskflow.StatusFailed)}, deep: true},
		{name: "status-two", filter: taskflow.Filter{Statuses: statuses(taskflow.StatusFailed, taskflow.StatusCancelled)}, deep: true},
		{name: "name", filter: taskflow.Filter{Name: "task_07"}, deep: true},
		{name: "tag", filter: taskflow.Filter{Tags: map[string]string{"user": "4711"}}},
		{name: "tag-key", filter: taskflow.Filter{Tags: map[string]string{"user": ""}}, deep: true},
		{name: "source", filter: taskflow.Filter{Source: taskflow.SourceRetry}, deep: true},
		{name: "since-until", filter: taskflow.Filter{Since: middle, Until: middle.Add(time.Hour)}},
		{name: "text-name", filter: taskflow.Filter{Text: "SK_07"}, deep: true},
		{name: "text-error", filter: taskflow.Filter{Text: "connection refused"}, deep: true},
		{name: "text-nowhere", filter: taskflow.Filter{Text: "no such text"}},
		{name: "status+name", filter: taskflow.Filter{Statuses: statuses(taskflow.StatusFailed), Name: "task_07"}, deep: true},
		{name: "status+tag", filter: taskflow.Filter{Statuses: statuses(taskflow.StatusFailed), Tags: map[string]string{"user": ""}}, deep: true},
		{name: "name+text", filter: taskflow.Filter{Name: "task_07", Text: "connection refused"}, deep: true},
		{name: "source+tag", filter: taskflow.Filter{Source: taskflow.SourceRetry, Tags: map[string]string{"user": ""}}, deep: true},
	} {
		b.Run("page-"+tt.name, func(b *testing.B) {
			random := rand.New(rand.NewPCG(1, 2))
			var spent []time.Duration
			for b.Loop() {
				q := taskflow.Query{Filter: tt.filter}
				if tt.deep {
					_, q.Before = taskflow.IDBounds(begin.Add(time.Duration(1000+random.IntN(million-1000)) * step))
				}
				start := time.Now()
				if _, err := m.List(b.Context(), q); err != nil {
					b.Fatal(err)
				}
				spent = append(spent, time.Since(start))
			}
			reportQuantiles(b, spent)
		})
	}
	b.Run("totals", func(b *testing.B) {
		var spent []time.Duration
		for b.Loop() {
			start := time.Now()
			s, err := m.Stats(b.Context())
			if err != nil || s.Total() != million {
				b.Fatal(s.Total(), err)
			}
			spent = append(spent, time.Since(start))
		}
		reportQuantiles(b, spent)
	})
}

func reportQuantiles(b *testing.B, spent []time.Duration) {
	b.Helper()
	b.ReportMetric(milliseconds(quantile(spent, 0.50)), "p50-ms")
	b.ReportMetric(milliseconds(quantile(spent, 0.99)), "p99-ms")
}

// step is the time between two tasks of the history.
const step = 100 * time.Millisecond

// fillHistory stores a million records such as a service leaves behind, and returns when the first was added.
func fillHistory(b *testing.B, path string) (begin time.Time) {
	b.Helper()
	ctx := context.Background()
	db := sqlite.Open(path)
	if err := db.Open(ctx); err != nil {
		b.Fatal(err)
	}
	begin = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	random := rand.New(rand.NewPCG(1, 2))
	batch := make([]taskflow.Record, 0, 1000)
	for i := range million {
		batch = append(batch, finished(random, begin.Add(time.Duration(i)*step)))
		if len(batch) == cap(batch) {
			if _, err := db.Save(ctx, batch); err != nil {
				b.Fatal(err)
			}
			batch = batch[:0]
		}
	}
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	return begin
}

func finished(random *rand.Rand, at time.Time) taskflow.Record {
	r := taskflow.Record{
		ID: taskflow.NewID(at), Name: fmt.Sprintf("task_%02d", random.IntN(20)), Status: taskflow.StatusSuccess, Source: taskflow.SourceManual,
		Pool: taskflow.DefaultPool, CreatedAt: at, StartTime: at.Add(time.Millisecond), EndTime: at.Add(time.Duration(1+random.IntN(2000)) * time.Millisecond),
		Attempts: 1, Args: []byte(`{"id":` + fmt.Sprint(random.IntN(1e6)) + `}`),
	}
	switch n := random.IntN(100); {
	case n < 6:
		r.Status, r.Error = taskflow.StatusFailed, fmt.Sprintf("dial tcp 10.0.0.%d:25: connect: connection refused", random.IntN(256))
	case n < 8:
		r.Status, r.Error = taskflow.StatusFailed, fmt.Sprintf("unexpected status %d", 500+random.IntN(10))
	case n < 9:
		r.Status, r.Error = taskflow.StatusCancelled, "task cancelled"
	}
	if random.IntN(100) < 5 {
		r.Source = taskflow.SourceRetry
	}
	if random.IntN(100) < 30 {
		r.Tags = map[string]string{"user": fmt.Sprint(random.IntN(10_000))}
	}
	return r
}
