package sqltest

import (
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// Migrated checks a backend whose tables were of version 1, with a secret named session that is "old": it is there still, and what
// version 2 has in addition works.
func Migrated(t *testing.T, b taskflow.Backend) {
	t.Helper()
	secret, err := b.(taskflow.SecretStore).LoadOrStoreSecret(t.Context(), "session", []byte("new"))
	if err != nil || string(secret) != "old" {
		t.Errorf("LoadOrStoreSecret returned %q, %v; want the one from before", secret, err)
	}
	if err := b.(taskflow.StateStore).PutState(t.Context(), "paused", []byte("by ann")); err != nil {
		t.Error(err)
	}
	if value, err := b.(taskflow.StateStore).State(t.Context(), "paused"); err != nil || string(value) != "by ann" {
		t.Errorf("State returned %q, %v", value, err)
	}
	start := time.Date(2025, 11, 23, 0, 0, 0, 0, time.UTC)
	point := taskflow.SeriesPoint{Resolution: time.Minute, Start: start, Instance: "me", Data: []byte("{}")}
	if err := b.(taskflow.SeriesStore).PutSeries(t.Context(), []taskflow.SeriesPoint{point}); err != nil {
		t.Error(err)
	}
	points, err := b.(taskflow.SeriesStore).Series(t.Context(), time.Minute, start, start.Add(time.Minute))
	if err != nil || len(points) != 1 || string(points[0].Data) != "{}" {
		t.Errorf("Series returned %+v, %v; want the one that was put", points, err)
	}
}
