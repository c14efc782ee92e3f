package peers

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/sqlite"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// gap is the time between two tasks at low load.
const gap = 3 * time.Millisecond

// BenchmarkAddToStart is the time from the call that adds a task to the call of its function at low load, one task each 3 ms: durable
// in an SQLite file, and in memory.
func BenchmarkAddToStart(b *testing.B) {
	begun := make(chan time.Time, 1)
	task := taskflow.Define("trivial", func(context.Context, int) error { begun <- time.Now(); return nil })
	for _, tt := range []struct {
		name string
		add  func(b *testing.B) func() error
	}{
		{"durable-NORMAL", submitter(task, sqlite.Normal)},
		{"durable-FULL", submitter(task, sqlite.Full)},
		{"memory", func(b *testing.B) func() error {
			m := started(b)
			return func() error { m.Add(taskflow.WorkOf(task.With(7))); return nil }
		}},
	} {
		b.Run(tt.name, func(b *testing.B) {
			add := tt.add(b)
			tick := time.NewTicker(gap)
			defer tick.Stop()
			var took []time.Duration
			for b.Loop() {
				<-tick.C
				start := time.Now()
				if err := add(); err != nil {
					b.Fatal(err)
				}
				took = append(took, (<-begun).Sub(start))
			}
			reportMicroseconds(b, "start", took)
		})
	}
}

// BenchmarkLoneSubmit is one goroutine that submits to an SQLite file, next to one that inserts a row into an SQLite file of the same
// settings, by the same driver, with a prepared statement and without a library. Both take turns, one call each: back to back, and
// with a pause before each, in which what follows a Submit (the end of its task) can be written.
func BenchmarkLoneSubmit(b *testing.B) {
	for _, sync := range []string{"NORMAL", "FULL"} {
		for _, pause := range []time.Duration{0, gap} {
			name := sync + "/back-to-back"
			if pause > 0 {
				name = sync + "/paused"
			}
			b.Run(name, func(b *testing.B) {
				task := taskflow.Define("trivial", func(context.Context, int) error { return nil })
				submit := submitter(task, sqlite.Sync(sync))(b)
				commit := committer(b, sync)
				var submits, commits []time.Duration
				tick := time.NewTicker(gap)
				defer tick.Stop()
				const together = 20 // calls of a side in a row
				for b.Loop() {
					for _, side := range []struct {
						call func() error
						took *[]time.Duration
					}{{submit, &submits}, {commit, &commits}} {
						for range together {
							if pause > 0 {
								<-tick.C
							}
							start := time.Now()
							if err := side.call(); err != nil {
								b.Fatal(err)
							}
							*side.took = append(*side.took, time.Since(start))
						}
					}
				}
				reportMicroseconds(b, "submit", submits)
				reportMicroseconds(b, "commit", commits)
				b.ReportMetric(float64(median(submits))/float64(median(commits)), "p50-ratio")
			})
		}
	}
}

// submitter makes a Submit to a new SQLite file.
func submitter(task taskflow.Task[int], sync sqlite.Sync) func(b *testing.B) func() error {
	return func(b *testing.B) func() error {
		b.Helper()
		backend := sqlite.Open(filepath.Join(b.TempDir(), "tasks.db"), sqlite.Synchronous(sync))
		m := started(b, taskflow.WithTasks(task), taskflow.WithBackend(backend))
		return func() error { _, err := m.Submit(b.Context(), task.With(7)); return err }
	}
}

// committer makes a commit of one row. The row is about as long as that of a pending task.
func committer(b *testing.B, sync string) func() error {
	b.Helper()
	db := openSQLite(b, "sqlite", sync, 1)
	if _, err := db.ExecContext(b.Context(), "CREATE TABLE pending (id INTEGER PRIMARY KEY, record TEXT NOT NULL)"); err != nil {
		b.Fatal(err)
	}
	insert, err := db.PrepareContext(b.Context(), "INSERT INTO pending (record) VALUES (?)")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := insert.Close(); err != nil {
			b.Error(err)
		}
	})
	record := string(make([]byte, 500))
	return func() error { _, err := insert.ExecContext(b.Context(), record); return err }
}

func reportMicroseconds(b *testing.B, name string, took []time.Duration) {
	b.Helper()
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(median(took))/1000, name+"-p50-µs")
	b.ReportMetric(float64(quantile(took, 0.99))/1000, name+"-p99-µs")
}
