package sqlite_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/taskflow-go/taskflow/backends/sqlite"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/core/backendtest"
)

func TestSQLiteKeepsTheContract(t *testing.T) {
	t.Parallel()
	paths := map[taskflow.Backend]string{}
	open := func(path string) taskflow.Backend {
		b := sqlite.Open(path)
		paths[b] = path
		return b
	}
	backendtest.Harness{
		Open:   func(t *testing.T) taskflow.Backend { return open(filepath.Join(t.TempDir(), "tasks.db")) },
		Reopen: func(_ *testing.T, closed taskflow.Backend) taskflow.Backend { return open(paths[closed]) },
		Other:  func(_ *testing.T, other taskflow.Backend) taskflow.Backend { return open(paths[other]) },
		Long:   os.Getenv("TASKFLOW_LONG_TESTS") != "",
	}.Run(t)
}
