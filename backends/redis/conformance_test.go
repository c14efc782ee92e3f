package redis_test

import (
	"testing"

	"github.com/taskflow-go/taskflow/backends/redis"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/core/backendtest"
	"github.com/taskflow-go/taskflow/internal/testserver"
)

func TestRedisKeepsTheContract(t *testing.T) {
	t.Parallel()
	server := testserver.SharedRedis(t)
	prefixes := map[taskflow.Backend]string{}
	open := func(prefix string) taskflow.Backend {
		b := redis.Open(server.URL, redis.Prefix(prefix), quiet())
		prefixes[b] = prefix
		return b
	}
	backendtest.Harness{
		Open:   func(*testing.T) taskflow.Backend { return open(newPrefix()) },
		Reopen: func(_ *testing.T, closed taskflow.Backend) taskflow.Backend { return open(prefixes[closed]) },
		Other:  func(_ *testing.T, b taskflow.Backend) taskflow.Backend { return open(prefixes[b]) },
	}.Run(t)
}
