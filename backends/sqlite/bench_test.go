package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/sqlite"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// BenchmarkSave stores batches of 500 records, as the manager does under load.
func BenchmarkSave(b *testing.B) {
	for _, kind := range []struct {
		name string
		edit func(i int, r *taskflow.Record)
	}{
		{"plain", func(int, *taskflow.Record) {}},
		{"failed", func(i int, r *taskflow.Record) {
			r.Status, r.Error = taskflow.StatusFailed, fmt.Sprintf("dial tcp 10.0.0.%d:443: connection refused", i%250)
		}},
		{"tagged", func(i int, r *taskflow.Record) { r.Tags = map[string]string{"tenant": "t" + strconv.Itoa(i%1000)} }},
		{"logged", func(_ int, r *taskflow.Record) {
			r.Logs, r.LogCount, r.Args = []string{"connecting", "sent", "closing", "done"}, 4, []byte(`"a@example.org"`)
		}},
	} {
		b.Run(kind.name, func(b *testing.B) {
			backend := opened(b, filepath.Join(b.TempDir(), "tasks.db"))
			batch := make([]taskflow.Record, 500)
			n := 0
			for b.Loop() {
				for i := range batch {
					batch[i] = historic(n)
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

// BenchmarkSaveDurable takes submitted tasks through their life, in group commits of so many: journaled, marked as running, finished.
func BenchmarkSaveDurable(b *testing.B) {
	for _, size := range []int{1, 100, 1000} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			backend := opened(b, filepath.Join(b.TempDir(), "tasks.db"))
			batch := make([]taskflow.Record, size)
			n := 0
			for b.Loop() {
				for i := range batch {
					r := historic(n)
					r.Status, r.StartTime, r.EndTime, r.Attempts = taskflow.StatusPending, time.Time{}, time.Time{}, 0
					r.Args, r.Requeue, r.Durable, r.Owner = []byte(`{"to":"a@example.org","n":1}`), true, true, "019ab1c2-0000-7000-8000-000000000001"
					batch[i] = r
					n++
				}
				if err := backend.PutPending(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
				for i := range batch {
					r := &batch[i]
					r.Status, r.StartTime, r.Attempts = taskflow.StatusRunning, r.CreatedAt.Add(time.Millisecond), 1
				}
				if err := backend.PutPending(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
				for i := range batch {
					r := &batch[i]
					r.Status, r.EndTime = taskflow.StatusSuccess, r.CreatedAt.Add(2*time.Millisecond)
				}
				if _, err := backend.Save(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "tasks/s")
		})
	}
}

// BenchmarkMillion asks a history of a million records (TASKFLOW_BENCH_RECORDS: another number) whose filters are
// adversarial: half of the records each, and nothing together. It reports the slowest of the answers, not the mean.
func BenchmarkMillion(b *testing.B) {
	records := 1_000_000
	if s := os.Getenv("TASKFLOW_BENCH_RECORDS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			b.Fatalf("TASKFLOW_BENCH_RECORDS: %v", err)
		}
		records = n
	}
	path := filepath.Join(b.TempDir(), "tasks.db")
	fill(b, path, records)
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			if err := opened(b, path).Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
	backend := opened(b, path)
	for _, c := range million(records) {
		b.Run("query/"+c.name, func(b *testing.B) {
			slowest(b, func(ctx context.Context) (int, error) {
				p, err := backend.Query(ctx, taskflow.Query{Filter: c.filter, Limit: 100, Before: c.before})
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
	b.Run("stats", func(b *testing.B) {
		slowest(b, func(ctx context.Context) (int, error) {
			s, err := backend.Stats(ctx)
			return int(s.Total()), err
		})
	})
}

type question struct {
	name   string
	filter taskflow.Filter
	before string
}

func million(records int) []question {
	failed, ok := []taskflow.Status{taskflow.StatusFailed}, []taskflow.Status{taskflow.StatusSuccess}
	half := historic(records / 2)
	return []question{
		{name: "all"},
		{name: "cursor", before: half.ID},
		{name: "status", filter: taskflow.Filter{Statuses: ok}},
		{name: "rare-statuses", filter: taskflow.Filter{Statuses: []taskflow.Status{taskflow.StatusCancelled, taskflow.StatusInterrupted}}},
		{name: "name", filter: taskflow.Filter{Name: "odd"}},
		{name: "source", filter: taskflow.Filter{Source: taskflow.SourceScheduled}},
		{name: "tag", filter: taskflow.Filter{Tags: map[string]string{"parity": "odd"}}},
		{name: "tag-key", filter: taskflow.Filter{Tags: map[string]string{"parity": ""}}},
		{name: "until", filter: taskflow.Filter{Until: half.CreatedAt}},
		{name: "text-rare", filter: taskflow.Filter{Text: "needle"}},
		{name: "text-common", filter: taskflow.Filter{Text: "connection refused"}},
		{name: "text-nowhere", filter: taskflow.Filter{Text: "not there at all"}},
		{name: "text-mixed", filter: taskflow.Filter{Text: "refused connection"}},
		{name: "text-positions", filter: taskflow.Filter{Text: "0.0.0.0.0.0"}},
		{name: "text-few", filter: taskflow.Filter{Text: "10.0.0.249:443"}},
		{name: "text-short", filter: taskflow.Filter{Text: "zq"}},
		{name: "text-name", filter: taskflow.Filter{Text: "ODD"}},
		{name: "status+name", filter: taskflow.Filter{Statuses: failed, Name: "odd"}},
		{name: "status+source", filter: taskflow.Filter{Statuses: ok, Source: taskflow.SourceScheduled}},
		{name: "name+tag", filter: taskflow.Filter{Name: "even", Tags: map[string]string{"parity": "odd"}}},
		{name: "tag+tag", filter: taskflow.Filter{Tags: map[string]string{"parity": "odd", "half": "new"}}},
		{name: "tag+source", filter: taskflow.Filter{Tags: map[string]string{"parity": "odd"}, Source: taskflow.SourceScheduled}},
		{name: "text+name", filter: taskflow.Filter{Text: "connection", Name: "odd"}},
		{name: "text+status", filter: taskflow.Filter{Text: "connection", Statuses: ok}},
		{name: "text+tag", filter: taskflow.Filter{Text: "connection", Tags: map[string]string{"parity": "odd"}}},
		{name: "until+name", filter: taskflow.Filter{Until: half.CreatedAt, Name: "odd"}},
	}
}

// slowest runs ask and reports the 99th percentile of its times, and how many records the answer tells of.
func slowest(b *testing.B, ask func(context.Context) (int, error)) {
	found := 0
	var times []time.Duration
	for b.Loop() {
		start := time.Now()
		n, err := ask(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		found = n
		times = append(times, time.Since(start))
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(found), "found")
}

// historic returns the n-th record of the benchmark: even ones succeeded, odd ones failed.
func historic(n int) taskflow.Record {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Millisecond)
	return taskflow.Record{
		ID: taskflow.NewID(at), Name: "task" + strconv.Itoa(n%20), Status: taskflow.StatusSuccess, Source: taskflow.SourceManual, Pool: taskflow.DefaultPool,
		CreatedAt: at, StartTime: at.Add(time.Millisecond), EndTime: at.Add(time.Duration(n%5000) * time.Millisecond), Attempts: 1,
	}
}

func fill(b *testing.B, path string, records int) {
	b.Helper()
	start := time.Now()
	backend := opened(b, path)
	batch := make([]taskflow.Record, 0, 2000)
	for n := range records {
		r := historic(n)
		r.Name, r.Tags = "even", map[string]string{"parity": "even"}
		if n%2 == 1 {
			r.Name, r.Source, r.Status, r.Tags = "odd", taskflow.SourceScheduled, taskflow.StatusFailed, map[string]string{"parity": "odd"}
			r.Error = fmt.Sprintf("dial tcp 10.0.0.%d:443: connection refused", n%250)
		}
		if n >= records/2 {
			r.Tags["half"] = "new"
		}
		if n%2 == 1 && n < records/2 { // the two halves of "tag+tag" and of "status+name" never meet among the newest
			r.Name = "even"
		}
		if n%10_000 == 7 {
			r.Status, r.Error = taskflow.StatusCancelled, "a needle in "+strconv.Itoa(n)
		}
		if batch = append(batch, r); len(batch) == cap(batch) || n == records-1 {
			if _, err := backend.Save(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
			batch = batch[:0]
		}
	}
	if err := backend.Close(); err != nil {
		b.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%d records with tags, half of them with an error, stored in %v: %d MB", records, time.Since(start).Round(time.Second), info.Size()>>20)
}

func opened(tb testing.TB, path string, opts ...sqlite.Option) *sqlite.Backend {
	tb.Helper()
	b := sqlite.Open(path, opts...)
	if err := b.Open(context.Background()); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := b.Close(); err != nil {
			tb.Error(err)
		}
	})
	return b
}
