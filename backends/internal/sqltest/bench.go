package sqltest

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// batchSize is how many records a manager under load writes together.
const batchSize = 1000

// Fresh returns a new, empty backend, closed with the benchmark.
type Fresh func(b *testing.B) Backend

// BenchmarkSave stores finished records that were never pending.
func BenchmarkSave(b *testing.B, fresh Fresh) {
	b.Helper()
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
			backend := fresh(b)
			batches(b, func(batch []taskflow.Record, first int) error {
				for i := range batch {
					kind.edit(first+i, &batch[i])
				}
				_, err := backend.Save(b.Context(), batch)
				return err
			})
		})
	}
}

// BenchmarkPutPending stores new pending rows.
func BenchmarkPutPending(b *testing.B, fresh Fresh) {
	b.Helper()
	backend := fresh(b)
	batches(b, func(batch []taskflow.Record, _ int) error {
		for i := range batch {
			unfinish(&batch[i])
		}
		return backend.PutPending(b.Context(), batch)
	})
}

// BenchmarkLife takes tasks from Submit to their end: pending, running, finished. Each is a commit of a thousand.
func BenchmarkLife(b *testing.B, fresh Fresh) {
	b.Helper()
	backend := fresh(b)
	batches(b, func(batch []taskflow.Record, _ int) error {
		done := slices.Clone(batch)
		for i := range batch {
			unfinish(&batch[i])
			done[i].Owner, done[i].Durable, done[i].Args = batch[i].Owner, true, batch[i].Args
		}
		if err := backend.PutPending(b.Context(), batch); err != nil {
			return err
		}
		for i := range batch {
			batch[i].Status, batch[i].StartTime, batch[i].Attempts = taskflow.StatusRunning, done[i].StartTime, 1
		}
		if err := backend.PutPending(b.Context(), batch); err != nil {
			return err
		}
		_, err := backend.Save(b.Context(), done)
		return err
	})
}

// BenchmarkSubmit is one caller that waits for each of its tasks: one record a commit.
func BenchmarkSubmit(b *testing.B, fresh Fresh) {
	b.Helper()
	backend := fresh(b)
	n := 0
	for b.Loop() {
		r := Historic(n)
		unfinish(&r)
		n++
		if err := backend.PutPending(b.Context(), []taskflow.Record{r}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMillion asks a history of a million records (TASKFLOW_BENCH_RECORDS: another number) whose filters are
// adversarial: half of the records each, and nothing together. It reports the slowest of the answers, not the mean.
func BenchmarkMillion(b *testing.B, fresh Fresh) {
	b.Helper()
	records := 1_000_000
	if s := os.Getenv("TASKFLOW_BENCH_RECORDS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			b.Fatalf("TASKFLOW_BENCH_RECORDS: %v", err)
		}
		records = n
	}
	backend := fresh(b)
	fill(b, backend, records)
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

// batches calls write with new batches, and reports records a second.
func batches(b *testing.B, write func(batch []taskflow.Record, first int) error) {
	b.Helper()
	batch := make([]taskflow.Record, batchSize)
	n := 0
	for b.Loop() {
		for i := range batch {
			batch[i] = Historic(n + i)
		}
		if err := write(batch, n); err != nil {
			b.Fatal(err)
		}
		n += batchSize
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
}

func unfinish(r *taskflow.Record) {
	r.Status, r.StartTime, r.EndTime, r.Owner, r.Durable, r.Attempts = taskflow.StatusPending, time.Time{}, time.Time{}, "019ab1c2-0000-7000-8000-000000000001", true, 0
	r.Args = []byte(`{"to":"ann@example.org","subject":"hello"}`)
}

type question struct {
	name   string
	filter taskflow.Filter
	before string
}

func million(records int) []question {
	failed, ok := []taskflow.Status{taskflow.StatusFailed}, []taskflow.Status{taskflow.StatusSuccess}
	half := Historic(records / 2)
	return []question{
		{name: "all"},
		{name: "cursor", before: half.ID},
		{name: "status", filter: taskflow.Filter{Statuses: ok}},
		{name: "rare-statuses", filter: taskflow.Filter{Statuses: []taskflow.Status{taskflow.StatusCancelled, taskflow.StatusInterrupted}}},
		{name: "name", filter: taskflow.Filter{Name: "odd"}},
		{name: "name-nobody-has", filter: taskflow.Filter{Name: "nobody"}},
		{name: "source", filter: taskflow.Filter{Source: taskflow.SourceScheduled}},
		{name: "tag", filter: taskflow.Filter{Tags: map[string]string{"parity": "odd"}}},
		{name: "tag-key", filter: taskflow.Filter{Tags: map[string]string{"parity": ""}}},
		{name: "until", filter: taskflow.Filter{Until: half.CreatedAt}},
		{name: "text-rare", filter: taskflow.Filter{Text: "needle"}},
		{name: "text-common", filter: taskflow.Filter{Text: "connection refused"}},
		{name: "text-nowhere", filter: taskflow.Filter{Text: "not there at all"}},
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
	b.Helper()
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

// fill stores records: even ones succeeded, odd ones failed.
func fill(b *testing.B, backend taskflow.Backend, records int) {
	b.Helper()
	start := time.Now()
	batch := make([]taskflow.Record, 0, batchSize)
	for n := range records {
		r := Historic(n)
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
	b.Logf("%d records with tags, half of them with an error, stored in %v", records, time.Since(start).Round(time.Second))
}
