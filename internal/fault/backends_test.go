package fault

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/taskflow-go/taskflow/backends/mysql"
	"github.com/taskflow-go/taskflow/backends/postgres"
	"github.com/taskflow-go/taskflow/backends/redis"
	"github.com/taskflow-go/taskflow/backends/sqlite"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// open describes the backend at a URL.
func open(url string) (taskflow.Backend, error) {
	scheme, rest, _ := strings.Cut(url, ":")
	switch scheme {
	case "sqlite":
		return sqlite.Open(rest), nil
	case "mysql":
		return mysql.Open(rest), nil
	case "postgres":
		return postgres.Open(url), nil
	case "redis":
		return redis.Open(url), nil
	default:
		return nil, fmt.Errorf("no backend for %q", url)
	}
}

// eachBackend runs a test on a new, empty backend of each kind.
func eachBackend(t *testing.T, name string, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite/"+name, func(t *testing.T) { test(t, "sqlite:"+filepath.Join(t.TempDir(), "tasks.db")) })
	for _, kind := range serverKinds() {
		t.Run(kind.name+"/"+name, func(t *testing.T) { test(t, kind.scheme+kind.start(t).URL) })
	}
}
