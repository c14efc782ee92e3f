package fault

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/sqlite"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// TestSlotsRunOnceOnOneSQLiteFile: three instances, in real time.
func TestSlotsRunOnceOnOneSQLiteFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "tasks.db")
	ran := make(chan struct{}, 100)
	tick := taskflow.Define("tick", func(context.Context, int) error { ran <- struct{}{}; return nil })
	var last *taskflow.Manager
	for range 3 {
		m, err := taskflow.New(taskflow.WithLogger(slog.New(slog.DiscardHandler)), taskflow.WithBackend(sqlite.Open(file)),
			taskflow.WithSchedule("tick", taskflow.Every(time.Second), tick.With(1)))
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := m.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		})
		last = m
	}
	const want = 5
	for range want {
		select {
		case <-ran:
		case <-time.After(30 * time.Second):
			t.Fatal("no run for 30 s")
		}
	}
	all, err := last.Schedules(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	slots, durable := map[time.Time]int{}, all[0].Durable
	for _, r := range all[0].Recent {
		slots[r.Slot]++
	}
	// What is stored of a run comes right after its start: the newest may not be there yet.
	if len(slots) < want-1 || !durable {
		t.Errorf("%d runs had %d slots, durable: %v; want %d of each", len(all[0].Recent), len(slots), durable, want)
	}
	for slot, n := range slots {
		if n != 1 {
			t.Errorf("the slot of %v ran %d times", slot, n)
		}
	}
	if extra := len(ran); extra > 1 {
		t.Errorf("%d runs more than there were slots", extra)
	}
}
