package taskflow_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func TestTasksOfOtherInstancesAreListedAndCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		slow := taskflow.Define("slow", func(ctx context.Context, _ int) error { return untilCancelled(ctx) })
		parked := taskflow.Define("parked", task[int])
		there, _ := c.instance(taskflow.WithTasks(slow))
		here, _ := c.instance()
		durable, err := there.Submit(t.Context(), slow.With(1))
		if err != nil {
			t.Fatal(err)
		}
		delayed, err := there.Submit(t.Context(), slow.With(2), taskflow.Delay(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		inMemory := add(there, untilCancelled, taskflow.Name("in memory"))
		old, _ := c.instance(taskflow.WithTasks(parked))
		free, err := old.Submit(t.Context(), parked.With(3), taskflow.Delay(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if err := old.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(lease)
		p, err := here.List(t.Context(), taskflow.Query{Filter: taskflow.Filter{Statuses: []taskflow.Status{taskflow.StatusPending, taskflow.StatusRunning}}})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, r := range p.Records {
			names = append(names, r.Name+" "+string(r.Status))
		}
		slices.Sort(names)
		if want := []string{"in memory running", "parked pending", "slow pending", "slow running"}; !slices.Equal(names, want) {
			t.Errorf("listed are %v, want %v", names, want)
		}
		for _, h := range []taskflow.Handle{durable, delayed, inMemory, free} {
			if r, err := here.Get(t.Context(), h.ID()); err != nil || r.ID != h.ID() {
				t.Errorf("Get of %s: %v", h.Record().Name, err)
			}
			r, err := here.Cancel(t.Context(), h.ID(), "from afar")
			if err != nil || r.Status != taskflow.StatusCancelled {
				t.Errorf("Cancel of %s: %s (%s), %v", r.Name, r.Status, r.Error, err)
			}
		}
		if _, err := here.Cancel(t.Context(), durable.ID(), ""); !errors.Is(err, taskflow.ErrNotCancellable) {
			t.Errorf("Cancel of what has ended: %v", err)
		}
		all, err := here.Instances(t.Context())
		if err != nil || len(all) != 2 || all[0].PID == 0 || all[0].Host == "" || len(all[0].Pools) != 1 {
			t.Errorf("instances %+v, %v", all, err)
		}
	})
}

func TestCancelMessageCancelsFromOutside(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		m, _ := c.instance()
		h, other := add(m, untilCancelled), add(m, untilCancelled)
		for reason, id := range map[string]string{"": taskflow.NewID(time.Now()), strings.Repeat("x", 100_000): h.ID()} {
			if err := c.backend.Post(t.Context(), taskflow.CancelMessage(id, reason)); err != nil {
				t.Fatal(err)
			}
		}
		wantErr(t, h.Wait(t.Context()), taskflow.ErrCancelled)
		if r := h.Record(); r.Status != taskflow.StatusCancelled || len(r.Error) > taskflow.MaxReasonBytes+50 || !strings.HasPrefix(r.Error, "task cancelled: xxx") {
			t.Errorf("it is %s: %.100s", r.Status, r.Error)
		}
		if r := other.Record(); r.Status != taskflow.StatusRunning {
			t.Errorf("another task is %s", r.Status)
		}
		if err := c.backend.Post(t.Context(), taskflow.CancelMessage(other.ID(), "")); err != nil {
			t.Fatal(err)
		}
		wantErr(t, other.Wait(t.Context()), taskflow.ErrCancelled)
	})
}

// Cancelling what nobody holds is one step: when that fails, the task is as it was.
func TestACancelThatFailsLeavesAFreeTaskFree(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		ran := make(chan int, 1)
		parked := taskflow.Define("parked", func(_ context.Context, n int) error { ran <- n; return nil })
		here, wire := c.instance()
		old, _ := c.instance(taskflow.WithTasks(parked))
		var ids []string
		for n := range 2 {
			h, err := old.Submit(t.Context(), parked.With(n), taskflow.Delay(time.Minute))
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, h.ID())
		}
		if err := old.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		wire.hold.Store(true)
		for _, id := range ids {
			if r, err := here.Cancel(t.Context(), id, ""); !errors.Is(err, errCut) || r.Status != taskflow.StatusPending {
				t.Errorf("Cancel is %s, %v", r.Status, err)
			}
		}
		wire.hold.Store(false)
		if r, err := here.Cancel(t.Context(), ids[0], "again"); err != nil || r.Status != taskflow.StatusCancelled {
			t.Errorf("the second Cancel: %s, %v", r.Status, err)
		}
		c.instance(taskflow.WithTasks(parked)) // takes over what is free
		time.Sleep(2 * time.Minute)
		if n := <-ran; n != 1 {
			t.Errorf("%d ran", n)
		}
	})
}
