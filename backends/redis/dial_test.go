package redis_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/taskflow-go/taskflow/backends/redis"
	"github.com/taskflow-go/taskflow/internal/testserver"
)

// overheard are the lines that go-redis writes for the whole process.
type overheard struct {
	mu    sync.Mutex
	lines []string
}

func (o *overheard) Printf(_ context.Context, format string, args ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lines = append(o.lines, fmt.Sprintf(format, args...))
}

func (o *overheard) all() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.lines)
}

//nolint:paralleltest // the logger of go-redis is the process's
func TestServerThatIsAwayIsNotWrittenPastTheLogger(t *testing.T) {
	var heard overheard
	goredis.SetLogger(&heard)
	t.Cleanup(logging.Enable)
	server := testserver.Redis(t)
	one, cluster := opened(t, server.URL, quiet()), redis.Open(server.URL+"?addr=127.0.0.1:1", quiet())
	server.Kill()
	for range 30 {
		if _, err := one.Load(t.Context()); !errors.Is(err, redis.ErrUnavailable) {
			t.Fatalf("Load: %v, want ErrUnavailable", err)
		}
		if err := cluster.Open(t.Context()); !errors.Is(err, redis.ErrUnavailable) {
			t.Fatalf("Open of a cluster: %v, want ErrUnavailable", err)
		}
	}
	if lines := heard.all(); len(lines) > 0 {
		t.Errorf("go-redis wrote %d lines, the first: %s", len(lines), lines[0])
	}
}
