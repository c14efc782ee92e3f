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
//   - many: River's eight producers insert batches of a thousand by InsertManyFast; taskflow, which has nothing like it, has 256
//     producers that add one task at a time.
//
// taskflow runs as many tasks at once as River does: 2000.
func BenchmarkPostgreSQL(b *testing.B) {
	for _, commit := range []string{"on", "off"} {
		for _, tt := range []struct {
			name                     string
			goroutines, batch, tasks int
		}{{"alone", producers, 1, 3_000}, {"many", 256, 1000, 20_000}} {
			b.Run("synchronous_commit="+commit+"/"+tt.name, func(b *testing.B) {
				server := postgresServer(b, commit)
				compare(b,
					side{"taskflow", tt.tasks, startTaskflow(b, postgresBackend(b, server), tt.goroutines, taskflow.WithConcurrency(riverWorkers)).round},
					side{"river", tt.tasks, startRiver(b, server.NewDatabase(b), tt.batch)},
				)
			})
		}
	}
}
