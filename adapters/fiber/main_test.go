package tasks_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
)

// TestMain lets the test binary be the programs that tests start as processes.
func TestMain(m *testing.M) {
	setup := os.Getenv(preforkEnv)
	if setup == "" {
		adaptertest.Main(m, framework{})
		return
	}
	status, err := preforkProgram(setup)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(status)
}
