package sqlite_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/sqlite"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// Instances that share a file begin one run of a schedule at a time, however many ask in the same moment.
func TestScheduleRunByTwoInstancesAtOnce(t *testing.T) {
	t.Parallel()
	path := tempFile(t)
	release := make(chan struct{})
	hold := taskflow.Define("hold", func(context.Context, struct{}) error { <-release; return nil })
	var all []*taskflow.Manager
	for range 3 {
		m, err := taskflow.New(taskflow.WithBackend(sqlite.Open(path)), taskflow.WithLogger(slog.New(slog.DiscardHandler)),
			taskflow.WithSchedule("yearly", taskflow.Cron("@yearly"), hold.With(struct{}{})))
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
		all = append(all, m)
	}
	t.Cleanup(func() { close(release) }) // before the managers stop
	for round := range 10 {
		var begun atomic.Pointer[taskflow.Handle]
		var n atomic.Int32
		var wg sync.WaitGroup
		for _, m := range all {
			wg.Go(func() {
				switch h, err := m.RunSchedule(t.Context(), "yearly"); {
				case err == nil:
					n.Add(1)
					begun.Store(&h)
				case !errors.Is(err, taskflow.ErrScheduleBusy):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n.Load() != 1 {
			t.Fatalf("round %d: %d instances have begun a run, want one", round, n.Load())
		}
		release <- struct{}{}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		err := begun.Load().Wait(ctx)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
	}
}
