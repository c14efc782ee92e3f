package backendtest_test

import (
	"testing"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/core/backendtest"
)

func TestMemoryKeepsTheContract(t *testing.T) {
	t.Parallel()
	backendtest.Run(t, func(*testing.T) taskflow.Backend { return memory.New() })
}
