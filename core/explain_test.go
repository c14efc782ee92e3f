package taskflow_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := memory.New()
		known := taskflow.Define("known", func(context.Context, int) error { return nil })
		m := started(t, taskflow.WithBackend(b), taskflow.WithTasks(known), taskflow.WithConcurrency(1), taskflow.WithPool("other", 3))
		retries := add(m, func() error { return errors.New("no") }, taskflow.Retry(1, taskflow.Constant(time.Hour)))
		synctest.Wait()
		running := add(m, untilCancelled)
		synctest.Wait()
		next, behind := add(m, untilCancelled), add(m, untilCancelled)
		urgent := add(m, untilCancelled, taskflow.Priority(7))
		delayed := add(m, func() {}, taskflow.Delay(time.Hour))
		ended := add(m, func() {}, taskflow.Pool("other"))
		<-ended.Done()
		batch := m.NewBatch()
		held := batch.Add(t.Context(), taskflow.WorkOf(func() {}))
		row := func(name, owner string, runAt time.Time) string {
			r := taskflow.Record{ID: taskflow.NewID(time.Now()), Name: name, Status: taskflow.StatusPending, CreatedAt: time.Now(), RunAt: runAt, Owner: owner,
				Source: taskflow.SourceManual, Pool: taskflow.DefaultPool, Args: []byte("1")}
			if owner == "" {
				if _, err := b.SavePending(t.Context(), []taskflow.Record{r}); err != nil {
					t.Fatal(err)
				}
			} else if err := b.PutPending(t.Context(), []taskflow.Record{r}); err != nil {
				t.Fatal(err)
			}
			return r.ID
		}
		if err := b.Join(t.Context(), taskflow.Instance{ID: "elsewhere"}, time.Hour); err != nil {
			t.Fatal(err)
		}
		there, later := row("known", "elsewhere", time.Time{}), row("known", "elsewhere", time.Now().Add(time.Hour))
		parked := row("unheard of", "", time.Time{})
		synctest.Wait()
		for _, tt := range []struct {
			id, state, reason string
			ahead             int
		}{
			{running.ID(), "running", taskflow.ReasonNone, 0},
			{urgent.ID(), "waiting", taskflow.ReasonPoolFull, 0},
			{next.ID(), "waiting", taskflow.ReasonBehind, 1},
			{behind.ID(), "waiting", taskflow.ReasonBehind, 2},
			{delayed.ID(), "waiting", taskflow.ReasonDelayed, 0},
			{retries.ID(), "waiting", taskflow.ReasonRetryWait, 0},
			{ended.ID(), "finished", taskflow.ReasonNone, 0},
			{held.ID(), "waiting", taskflow.ReasonHeldByRequest, 0},
			{there, "waiting", taskflow.ReasonOtherInstance, 0},
			{later, "waiting", taskflow.ReasonDelayed, 0},
			{parked, "waiting", taskflow.ReasonParked, 0},
		} {
			e, err := m.Explain(t.Context(), tt.id)
			if err != nil || e.State != tt.state || e.Reason != tt.reason || e.Ahead != tt.ahead || e.Text == "" {
				t.Errorf("got %+v, %v; want %s, %s with %d ahead", e, err, tt.state, tt.reason, tt.ahead)
			}
			if e.Reason == taskflow.ReasonBehind && (e.Pool != taskflow.DefaultPool || e.PoolLimit != 1 || e.PoolRunning != 1) {
				t.Errorf("the pool is %+v", e)
			}
			if (e.Reason == taskflow.ReasonDelayed || e.Reason == taskflow.ReasonRetryWait) && e.RunAt.Before(time.Now()) {
				t.Errorf("it begins at %v", e.RunAt)
			}
			if (e.HolderID != "") != (tt.id == there || tt.id == later) {
				t.Errorf("%s is held by %q", tt.id, e.HolderID)
			}
		}
		_, err := m.Explain(t.Context(), taskflow.NewID(time.Now()))
		wantErr(t, err, taskflow.ErrNotFound)
		_, err = m.Explain(t.Context(), "nonsense")
		wantErr(t, err, taskflow.ErrNotFound)
		batch.Discard(errors.New("the test ends"))
		for _, h := range []taskflow.Handle{retries, urgent, next, behind, delayed, running} {
			end(t, m, h)
		}
	})
}
