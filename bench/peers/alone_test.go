package peers

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/taskflow-go/taskflow/backends/mysql"
	"github.com/taskflow-go/taskflow/backends/sqlite"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/internal/testserver"
)

// BenchmarkAlone is taskflow's side alone, for profiles. It moreover reports how many commits of the journal a task took, and how
// many changes of tasks were in those.
func BenchmarkAlone(b *testing.B) {
	for _, tt := range []struct {
		name string
		open func(b *testing.B) taskflow.Backend
	}{
		{"sqlite", func(b *testing.B) taskflow.Backend { return sqlite.Open(filepath.Join(b.TempDir(), "tasks.db")) }},
		{"redis", func(b *testing.B) taskflow.Backend { return redisBackend(redisServer(b, "everysec")) }},
		{"postgres", func(b *testing.B) taskflow.Backend { return postgresBackend(b, postgresServer(b, "on")) }},
		{"mysql", func(b *testing.B) taskflow.Backend {
			return mysql.Open(testserver.MariaDB(b, testserver.WithArgs("--innodb-flush-log-at-trx-commit=1")).URL)
		}},
	} {
		for _, goroutines := range []int{producers, 256} {
			b.Run(fmt.Sprintf("%s/producers=%d", tt.name, goroutines), func(b *testing.B) {
				o := startTaskflow(b, tt.open(b), goroutines)
				compare(b, side{"taskflow", 10_000, o.round})
				s := o.m.JournalStats()
				b.ReportMetric(float64(s.Commits)/float64(o.before), "commits/task")
				b.ReportMetric(float64(s.Records)/float64(o.before), "changes/task")
				b.ReportMetric(float64(s.Wait.Quantile(0.5).Microseconds()), "wait-p50-µs")
			})
		}
	}
}
