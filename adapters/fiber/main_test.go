package tasks_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
)

// TestMain lets the test binary be the programs that tests start as processes.
func TestMain(m *testing.M) {
	if os.Getenv(preforkStore) == "" {
		adaptertest.Main(m, framework{})
		return
	}
	if err := preforkProgram(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
