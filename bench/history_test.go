package bench

import (
	"context"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/taskflow-go/taskflow/backends/sqlite"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// BenchmarkAddToStored is a trivial task, not a durable one, from Add until its record is committed in an SQLite file.
func BenchmarkAddToStored(b *testing.B) {
	task := taskflow.Define("count", func(context.Context, int) error { return nil })
	for _, tt := range []struct {
		name string
		work func() taskflow.Work
	}{
		{"closure", func() taskflow.Work { return taskflow.WorkOf(func() {}) }},
		{"call", func() taskflow.Work { return taskflow.WorkOf(task.With(7)) }},
	} {
		b.Run(tt.name, func(b *testing.B) {
			stored := newCounter(filepath.Join(b.TempDir(), "tasks.db"))
			m := started(b, taskflow.WithTasks(task), taskflow.WithBackend(stored))
			b.ReportAllocs()
			b.ResetTimer()
			stored.expect(b.N)
			addAll(b.N, func(done func()) {
				m.Add(tt.work())
				done()
			})
			<-stored.all
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tasks/s")
		})
	}
}

// BenchmarkSubmit is a task that the SQLite file has before Submit returns, alone and when many goroutines submit at once.
func BenchmarkSubmit(b *testing.B) {
	task := taskflow.Define("count", func(context.Context, int) error { return nil })
	for _, tt := range []struct {
		name       string
		goroutines int
	}{{"alone", 1}, {"64-at-once", 64}} {
		b.Run(tt.name, func(b *testing.B) {
			m := started(b, taskflow.WithTasks(task), taskflow.WithBackend(sqlite.Open(filepath.Join(b.TempDir(), "tasks.db"))))
			var left atomic.Int64
			left.Store(int64(b.N))
			b.ResetTimer()
			ended := make(chan error)
			for range tt.goroutines {
				go func() { // ended is received from once for each
					for left.Add(-1) >= 0 {
						if _, err := m.Submit(b.Context(), task.With(7)); err != nil {
							ended <- err
							return
						}
					}
					ended <- nil
				}()
			}
			for range tt.goroutines {
				if err := <-ended; err != nil {
					b.Error(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tasks/s")
		})
	}
}

// counter is an SQLite backend that says when it has stored what was expected.
type counter struct {
	*sqlite.Backend
	missing atomic.Int64
	all     chan struct{}
}

func newCounter(path string) *counter {
	return &counter{Backend: sqlite.Open(path), all: make(chan struct{})}
}

// expect is called before the first task is added.
func (c *counter) expect(n int) {
	// addAll rounds up; the few tasks more do not matter
	c.missing.Store(int64(n))
}

// Save implements taskflow.Backend.
func (c *counter) Save(ctx context.Context, records []taskflow.Record) (int, error) {
	n, err := c.Backend.Save(ctx, records)
	if left := c.missing.Add(-int64(n)); left <= 0 && left+int64(n) > 0 {
		close(c.all)
	}
	return n, err
}
