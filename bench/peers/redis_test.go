package peers

import (
	"fmt"
	"testing"

	"github.com/taskflow-go/taskflow/backends/redis"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/internal/testserver"
)

func redisServer(b *testing.B, fsync string) *testserver.Server {
	b.Helper()
	return testserver.Redis(b, testserver.WithArgs("--appendonly", "yes", "--appendfsync", fsync))
}

func redisBackend(server *testserver.Server) taskflow.Backend { return redis.Open(server.URL) }

// BenchmarkRedis is a trivial durable task from its adding until Redis knows that it is done. Both use the same server, which
// forces its append-only file to the disk each second, or with each write. asynq: see startAsynq; once with its retention, and once
// without, by which it keeps nothing of what is done.
func BenchmarkRedis(b *testing.B) {
	for _, fsync := range []string{"everysec", "always"} {
		for _, goroutines := range []int{producers, 256} {
			b.Run(fmt.Sprintf("%s/producers=%d", fsync, goroutines), func(b *testing.B) {
				server := redisServer(b, fsync)
				compare(b,
					side{"taskflow", 20_000, startTaskflow(b, redisBackend(server), goroutines).round},
					side{"asynq", 5_000, startAsynq(b, server, 1, goroutines, true)},
					side{"asynq-unkept", 5_000, startAsynq(b, server, 2, goroutines, false)},
				)
			})
		}
	}
}
