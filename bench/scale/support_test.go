package scale

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/mysql"
	"github.com/taskflow-go/taskflow/backends/postgres"
	"github.com/taskflow-go/taskflow/backends/redis"
	"github.com/taskflow-go/taskflow/backends/sqlite"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/internal/testserver"
)

// TestMain stops the servers that the benchmarks share.
func TestMain(m *testing.M) { testserver.Main(m) }

// engines makes a new, empty store of each kind. The servers of tests are small and do not wait for the disk; these are about as they come. What it returns makes a backend on that store, each time another one.
var engines = []struct {
	name  string
	store func(b *testing.B) (backend func() taskflow.Backend)
}{
	{"sqlite", func(b *testing.B) func() taskflow.Backend {
		path := filepath.Join(b.TempDir(), "tasks.db")
		return func() taskflow.Backend { return sqlite.Open(path) }
	}},
	{"redis", func(b *testing.B) func() taskflow.Backend {
		url := testserver.Redis(b).URL
		return func() taskflow.Backend { return redis.Open(url) }
	}},
	{"postgres", func(b *testing.B) func() taskflow.Backend {
		url := testserver.PostgreSQL(b, testserver.WithArgs("-c", "fsync=on", "-c", "shared_buffers=256MB")).NewDatabase(b)
		return func() taskflow.Backend { return postgres.Open(url) }
	}},
	{"mysql", func(b *testing.B) func() taskflow.Backend {
		server := testserver.MariaDB(b, testserver.WithArgs("--innodb-flush-log-at-trx-commit=1", "--innodb-buffer-pool-size=256M",
			"--innodb-log-file-size=96M"))
		dsn := server.NewDatabase(b)
		return func() taskflow.Backend { return mysql.Open(dsn) }
	}},
}

// opened opens a backend. The caller closes it.
func opened(b *testing.B, backend taskflow.Backend) taskflow.Backend {
	b.Helper()
	if o, ok := backend.(taskflow.Opener); ok {
		if err := o.Open(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	return backend
}

func shut(b *testing.B, backend taskflow.Backend) {
	b.Helper()
	if err := backend.Close(); err != nil {
		b.Fatal(err)
	}
}

// number is that of the environment variable, if it is set.
func number(b *testing.B, variable string, otherwise int) int {
	b.Helper()
	s := os.Getenv(variable)
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1000 {
		b.Fatalf("%s must be a number from 1000, not %q", variable, s)
	}
	return n
}

// quantile returns the value that the share q of the values does not exceed.
func quantile(values []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
