package peers

import (
	"testing"

	"github.com/taskflow-go/taskflow/internal/testserver"
)

// TestMain stops the servers that the benchmarks share.
func TestMain(m *testing.M) { testserver.Main(m) }
