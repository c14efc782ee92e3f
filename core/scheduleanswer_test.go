package taskflow_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// mumbling carries out the first TakeSlot, and its answer is lost.
type mumbling struct {
	*memory.Backend
	lost atomic.Bool
}

func (b *mumbling) TakeSlot(ctx context.Context, schedule string, slot time.Time) (bool, error) {
	taken, err := b.Backend.TakeSlot(ctx, schedule, slot)
	if b.lost.CompareAndSwap(false, true) {
		return false, errCut
	}
	return taken, err
}

// A slot that was taken by a call whose answer was lost is run all the same: its key keeps it from running twice.
func TestASlotWhoseTakingWasNotAnsweredIsRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ran atomic.Int32
		tick := taskflow.Define("tick", func(context.Context, string) error { ran.Add(1); return nil })
		b := &mumbling{Backend: memory.New()}
		started(t, taskflow.WithBackend(b), taskflow.WithSchedule("often", taskflow.Every(time.Hour), tick.With("x")))
		time.Sleep(2*time.Hour + 30*time.Minute)
		if n := ran.Load(); n != 2 {
			t.Errorf("%d runs of 2 slots", n)
		}
	})
}
