package peers

import (
	"testing"

	"github.com/taskflow-go/taskflow/backends/postgres"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/internal/testserver"
)

// postgresServer forces commits to the disk, unlike servers of tests; commit is its synchronous_commit.
func postgresServer(b *testing.B, commit string) *testserver.Server {
	b.Helper()
	return testserver.PostgreSQL(b, testserver.WithArgs("-c", "fsync=on", "-c", "synchronous_commit="+commit, "-c", "shared_buffers=256MB"))
}

func postgresBackend(b *testing.B, server *testserver.Server) taskflow.Backend {
	return postgres.Open(server.NewDatabase(b))
}

// BenchmarkPostgreSQL is a trivial durable task from its adding until PostgreSQL has it as done. Both use the same server, each a
// database of its own. River: see startRiver.
//
//   - alone: eight producers that add one task at a time; River by Insert.
//   - many: eight producers that add a thousand at a time, by SubmitMany and InsertManyFast; taskflow-alone are 256 that add one at a time.
//
// taskflow runs as many tasks at once as River does: 2000.
func BenchmarkPostgreSQL(b *testing.B) {
	for _, commit := range []string{"on", "off"} {
		workers := taskflow.WithConcurrency(riverWorkers)
		b.Run("synchronous_commit="+commit+"/alone", func(b *testing.B) {
			server := postgresServer(b, commit)
			compare(b,
				side{"taskflow", 3_000, startTaskflow(b, postgresBackend(b, server), producers, workers).round},
				side{"river", 3_000, startRiver(b, server.NewDatabase(b), 1)},
			)
		})
		b.Run("synchronous_commit="+commit+"/many", func(b *testing.B) {
			server := postgresServer(b, commit)
			compare(b,
				side{"taskflow", 20_000, startTaskflow(b, postgresBackend(b, server), producers, workers).many(1000)},
				side{"taskflow-alone", 20_000, startTaskflow(b, postgresBackend(b, server), 256, workers).round},
				side{"river", 20_000, startRiver(b, server.NewDatabase(b), 1000)},
			)
		})
	}
}
