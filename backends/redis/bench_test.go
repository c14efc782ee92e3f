package redis_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/redis"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/internal/testserver"
)

// together is how many records the manager writes at once under load.
const together = 1000

// BenchmarkSubmitted is what the backend does for a submitted task, from Submit to its end: stored, marked running, moved to the
// history.
func BenchmarkSubmitted(b *testing.B) {
	backend := benchmarked(b)
	n := 0
	batch := make([]taskflow.Record, together)
	for b.Loop() {
		for i := range batch {
			batch[i] = submitted(n)
			n++
		}
		if err := backend.PutPending(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		for i := range batch {
			batch[i].Status, batch[i].StartTime, batch[i].Attempts = taskflow.StatusRunning, time.Now(), 1
		}
		if err := backend.PutPending(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		for i := range batch {
			batch[i].Status, batch[i].EndTime = taskflow.StatusSuccess, time.Now()
		}
		if saved, err := backend.Save(b.Context(), batch); err != nil || saved != together {
			b.Fatal(saved, err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "tasks/s")
}

// BenchmarkPutPending stores new unfinished records.
func BenchmarkPutPending(b *testing.B) {
	backend := benchmarked(b)
	n := 0
	batch := make([]taskflow.Record, together)
	for b.Loop() {
		for i := range batch {
			batch[i] = submitted(n)
			n++
		}
		if err := backend.PutPending(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkSave stores finished records that were never pending.
func BenchmarkSave(b *testing.B) {
	for _, kind := range []struct {
		name string
		edit func(i int, r *taskflow.Record)
	}{
		{"plain", func(int, *taskflow.Record) {}},
		{"failed", func(i int, r *taskflow.Record) {
			r.Status, r.Error = taskflow.StatusFailed, fmt.Sprintf("dial tcp 10.0.0.%d:443: connection refused", i%250)
		}},
		{"tagged", func(i int, r *taskflow.Record) { r.Tags = map[string]string{"tenant": fmt.Sprint("t", i%1000)} }},
		{"logged", func(_ int, r *taskflow.Record) {
			r.Logs, r.LogCount, r.Args = []string{"connecting", "sent", "closing", "done"}, 4, []byte(`"a@example.org"`)
		}},
	} {
		b.Run(kind.name, func(b *testing.B) {
			backend := benchmarked(b)
			n := 0
			batch := make([]taskflow.Record, together)
			for b.Loop() {
				for i := range batch {
					batch[i] = record(n)
					kind.edit(n, &batch[i])
					n++
				}
				if _, err := backend.Save(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// BenchmarkQuery asks a history of 100,000 records whose filters are adversarial: half of the records each, and nothing together.
func BenchmarkQuery(b *testing.B) {
	backend := benchmarked(b)
	const records = 100_000
	for n := 0; n < records; n += together {
		batch := make([]taskflow.Record, together)
		for i := range batch {
			r := record(n + i)
			if r.Tags = map[string]string{"half": "old"}; n >= records/2 {
				r.Tags["half"] = "new"
			}
			if i%2 == 1 {
				r.Name, r.Status, r.Error = "odd", taskflow.StatusFailed, "dial tcp: connection refused"
			}
			if (n+i)%10_000 == 7 {
				r.Error = "a needle"
			}
			batch[i] = r
		}
		if _, err := backend.Save(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	failed, ok := []taskflow.Status{taskflow.StatusFailed}, []taskflow.Status{taskflow.StatusSuccess}
	for _, c := range []struct {
		name   string
		filter taskflow.Filter
	}{
		{name: "all"},
		{"status", taskflow.Filter{Statuses: failed}},
		{"statuses", taskflow.Filter{Statuses: []taskflow.Status{taskflow.StatusFailed, taskflow.StatusCancelled}}},
		{"tag", taskflow.Filter{Tags: map[string]string{"half": "old"}}},
		{"text-common", taskflow.Filter{Text: "REFUSED"}},
		{"text-rare", taskflow.Filter{Text: "needle"}},
		{"text-nowhere", taskflow.Filter{Text: "not there"}},
		{"status+name", taskflow.Filter{Statuses: ok, Name: "odd"}},
		{"status+tag", taskflow.Filter{Statuses: ok, Tags: map[string]string{"half": "old"}}},
	} {
		b.Run("query/"+c.name, func(b *testing.B) {
			slowest(b, func(ctx context.Context) (int, error) {
				p, err := backend.Query(ctx, taskflow.Query{Filter: c.filter, Limit: 100})
				return len(p.Records), err
			})
		})
		b.Run("count/"+c.name, func(b *testing.B) {
			slowest(b, func(ctx context.Context) (int, error) {
				n, _, err := backend.Count(ctx, c.filter, 10_000)
				return n, err
			})
		})
	}
}

// slowest reports the slowest of the answers too, and how many records it had.
func slowest(b *testing.B, ask func(context.Context) (int, error)) {
	var most time.Duration
	var found int
	for b.Loop() {
		start := time.Now()
		n, err := ask(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		most, found = max(most, time.Since(start)), n
	}
	b.ReportMetric(float64(most.Microseconds())/1000, "ms-slowest")
	b.ReportMetric(float64(found), "found")
}

func benchmarked(b *testing.B) *redis.Backend {
	b.Helper()
	return opened(b, testserver.SharedRedis(b).URL, redis.Prefix(newPrefix()))
}
