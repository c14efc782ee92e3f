package taskflow_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// An instance that has lost its lease goes on with what it has in memory, under another name: so do the keys.
func TestKeysInMemoryOutliveALostLease(t *testing.T) {
	t.Parallel()
	for _, expired := range []bool{true, false} { // by another instance, or it lapses by itself
		synctest.Test(t, func(t *testing.T) {
			c := newCluster(t)
			gate := make(chan struct{})
			m, wire := c.scripted()
			other, _ := c.instance()
			key := taskflow.IdempotencyKey("k")
			first := add(m, func() { <-gate }, key, taskflow.KeyRetention(time.Hour))
			was := m.Instance()
			if expired {
				if err := c.backend.Leave(t.Context(), was); err != nil {
					t.Fatal(err)
				}
				time.Sleep(lease)
			} else {
				wire.cut.Store(true)
				time.Sleep(lease + lease/3 + time.Second)
				wire.cut.Store(false)
				time.Sleep(lease)
			}
			if m.Instance() == was {
				t.Fatal("the lease is not lost")
			}
			for where, m := range map[string]*taskflow.Manager{"here": m, "there": other} {
				if h := add(m, func() { t.Error("it ran beside the first") }, key); h.ID() != first.ID() {
					t.Errorf("%s: the key is %s's, want %s's", where, h.ID(), first.ID())
				}
			}
			wire.on(func() { wire.save = func(context.Context, []taskflow.Record) (int, error) { return 0, errCut } })
			close(gate)
			synctest.Wait()
			was = m.Instance()
			if err := c.backend.Leave(t.Context(), was); err != nil { // and again, while its success waits to be stored
				t.Fatal(err)
			}
			time.Sleep(lease)
			if h := add(other, func() { t.Error("it ran again") }, key); h.ID() != first.ID() {
				t.Errorf("after its success the key is %s's, want %s's", h.ID(), first.ID())
			}
			wire.on(func() { wire.save = nil })
			time.Sleep(time.Hour)
			if h := add(other, func() {}, key); h.Duplicate() {
				t.Error("the retention is not counted from Add any more")
			}
		})
	}
}

// A lease that is lost, and cannot be had again, holds no key.
func TestAnOutcastReservesNoKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		m, wire := c.scripted()
		c.instance() // it is not alone
		time.Sleep(lease)
		wire.cut.Store(true)
		wire.on(func() { wire.reserve = c.backend.ReserveKey }) // which goes through, alone
		time.Sleep(2 * lease)
		h := add(m, func() { t.Error("it ran, with a key that nobody holds") }, taskflow.IdempotencyKey("k"))
		wantErr(t, h.Rejected(), taskflow.ErrLeaseLost)
		wire.cut.Store(false)
	})
}

func TestWaitingForAnotherInstancesTaskLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		one, two := taskflow.Define("charge", task[int]), taskflow.Define("charge", task[int])
		here, _ := c.instance(taskflow.WithTasks(one))
		there, wire := c.scripted(taskflow.WithTasks(two))
		key := taskflow.IdempotencyKey("k")
		first, err := here.Submit(t.Context(), one.With(1), key, taskflow.Delay(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		duplicate := func() taskflow.Handle {
			h, err := there.Submit(t.Context(), two.With(1), key)
			if err != nil || h.ID() != first.ID() {
				t.Fatalf("%s, %v", h.ID(), err)
			}
			return h
		}
		const waits = 200
		dones := make(chan (<-chan struct{}), waits)
		for range waits {
			h := duplicate()
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
			wantErr(t, h.Wait(ctx), context.DeadlineExceeded)
			cancel()
		}
		looks := wire.looks.Load()
		time.Sleep(time.Minute)
		if n := wire.looks.Load() - looks; n != 0 {
			t.Errorf("nobody waits, and the backend was asked %d times in a minute", n)
		}
		for range waits {
			dones <- duplicate().Done()
		}
		looks = wire.looks.Load()
		time.Sleep(time.Minute)
		if n := wire.looks.Load() - looks; n > 40 {
			t.Errorf("%d ask by Done, and the backend was asked %d times in a minute", waits, n)
		}
		waited := make(chan error, 1)
		go func() { waited <- duplicate().Wait(t.Context()) }()
		time.Sleep(time.Hour)
		if err := <-waited; err != nil {
			t.Error(err)
		}
		for range waits {
			select {
			case <-<-dones:
			default:
				t.Fatal("its channel is not closed although it has ended")
			}
		}
	})
}

func TestWaitingForAnotherInstancesTaskEndsWithTheManager(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		here, _ := c.instance()
		there, _ := c.instance()
		gate := make(chan struct{})
		first := add(here, func() { <-gate }, taskflow.IdempotencyKey("k"))
		time.Sleep(lease)
		h := add(there, func() {}, taskflow.IdempotencyKey("k"))
		if h.ID() != first.ID() {
			t.Fatalf("it is %s", h.ID())
		}
		waited := make(chan error, 1)
		go func() { waited <- h.Wait(t.Context()) }()
		done := h.Done()
		time.Sleep(time.Minute)
		if err := there.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		<-done
		if err := <-waited; !errors.Is(err, taskflow.ErrRequeued) {
			t.Errorf("Wait: %v", err)
		}
		<-h.Done()
		close(gate)
	})
}
