//go:build !linux

package testserver_test

import (
	"testing"

	"github.com/taskflow-go/taskflow/internal/testserver"
)

// checkSegments needs a list of segments, which only Linux offers as a file.
func checkSegments(*testing.T, *testserver.Server) {}

// checkPausedProcesses needs the states of processes, which Linux has in /proc.
func checkPausedProcesses(*testing.T, *testserver.Server) {}
