package taskflow_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
)

func TestWhatTheBackendLacksIsALineEach(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		sixMethods := struct{ taskflow.Backend }{memory.New()}
		started(t, taskflow.WithBackend(sixMethods), taskflow.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		for _, want := range []string{`missing="query: every listing loads the whole history"`, `missing="journal: Submit is refused"`} {
			if strings.Count(log.String(), want) != 1 {
				t.Errorf("the log lacks a line with %s:\n%s", want, log.String())
			}
		}
	})
}
