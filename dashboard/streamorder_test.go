package dashboard_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// A task's state and the lines that it logged right after are sent in one frame, the lines first.
func TestStreamNeverGoesBackToAnOlderLogCount(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		w := s.watch()
		s.m.Add(taskflow.WorkOf(func() {})) // it opens a frame, in which all that follows falls
		synctest.Wait()
		w.next()
		h := s.m.Add(taskflow.WorkOf(func(ctx context.Context) {
			for range 3 {
				taskflow.Logger(ctx).Info("line")
			}
			time.Sleep(time.Second)
			taskflow.Logger(ctx).Info("line")
		}))
		count := 0
		kinds := map[string]int{}
		for _, e := range w.after(time.Second + 2*frame) {
			told := e.task(t) // both kinds have these two fields
			if told.ID != h.ID() {
				continue
			}
			kinds[e.name]++
			if told.LogCount < count {
				t.Errorf("a %s event (%s) has log_count %d after one with %d", e.name, told.Status, told.LogCount, count)
			}
			count = told.LogCount
		}
		if count != 4 || kinds["log"] != 2 || kinds["task"] != 2 {
			t.Errorf("the last log_count is %d, in %v events; want 4 lines, in two events of each kind", count, kinds)
		}
		w.leave()
	})
}
