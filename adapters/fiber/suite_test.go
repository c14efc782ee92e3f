package tasks_test

import (
	"testing"

	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
)

func TestSuite(t *testing.T) { adaptertest.Suite(t, framework{}) }
