package taskflow_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
)

func TestAnIdempotencyKeyLetsOneTaskBeAdded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for name, opts := range map[string][]taskflow.ManagerOption{
			"without a backend": nil, "a backend without keys": {taskflow.WithBackend(newSix())}, "a backend with keys": {taskflow.WithBackend(newCluster(t).backend)},
		} {
			m := started(t, opts...)
			gate := make(chan struct{})
			first := add(m, func() { <-gate }, taskflow.IdempotencyKey("order 7"))
			second := add(m, func() { t.Error("the duplicate ran") }, taskflow.IdempotencyKey("order 7"))
			if second.ID() != first.ID() || !second.Duplicate() || first.Duplicate() || second.Rejected() != nil {
				t.Errorf("%s: the second is %s, duplicate %v, rejected %v; the first %s, %v", name, second.ID(), second.Duplicate(), second.Rejected(), first.ID(), first.Duplicate())
			}
			close(gate)
			if err := second.Wait(t.Context()); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			time.Sleep(23 * time.Hour)
			if h := add(m, func() {}, taskflow.IdempotencyKey("order 7")); h.ID() != first.ID() {
				t.Errorf("%s: after 23 h the key is free", name)
			}
			time.Sleep(2 * time.Hour)
			if h := add(m, func() {}, taskflow.IdempotencyKey("order 7")); h.Duplicate() {
				t.Errorf("%s: after 25 h the key is still kept", name)
			}
			if p, err := m.List(t.Context(), taskflow.Query{}); err != nil || len(p.Records) != 2 {
				t.Errorf("%s: %d tasks are listed, %v; want the two that ran", name, len(p.Records), err)
			}
		}
	})
}

func TestTheKeyOfATaskWithoutSuccessIsFree(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for name, opts := range map[string][]taskflow.ManagerOption{
			"without a backend": nil, "a backend with keys": {taskflow.WithBackend(newCluster(t).backend)},
		} {
			m := started(t, opts...)
			key := taskflow.IdempotencyKey("order 8")
			for what, h := range map[string]func() taskflow.Handle{
				"failed":    func() taskflow.Handle { return add(m, func() error { return errFlaky }, key) },
				"cancelled": func() taskflow.Handle { return add(m, untilCancelled, key) },
				"refused":   func() taskflow.Handle { return add(m, func() {}, key, taskflow.Pool("none")) },
			} {
				h := h()
				synctest.Wait()
				if what == "cancelled" {
					if _, err := m.Cancel(t.Context(), h.ID(), ""); err != nil {
						t.Fatal(err)
					}
				}
				if err := h.Wait(t.Context()); err == nil || h.Duplicate() {
					t.Fatalf("%s: %s: %v, duplicate %v", name, what, err, h.Duplicate())
				}
				time.Sleep(time.Second) // the backend hears of it
			}
		}
	})
}

func TestKeysHoldAcrossInstances(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		gate := make(chan struct{})
		define := func() taskflow.Task[int] {
			return taskflow.Define("charge", func(ctx context.Context, _ int) error {
				select {
				case <-gate:
					return errFlaky
				case <-ctx.Done():
					return ctx.Err()
				}
			})
		}
		one, two := define(), define()
		first, wire := c.instance(taskflow.WithTasks(one))
		second, _ := c.instance(taskflow.WithTasks(two))
		submit := func(m *taskflow.Manager, charge taskflow.Task[int]) taskflow.Handle {
			h, err := m.Submit(t.Context(), charge.With(1), taskflow.IdempotencyKey("k"))
			if err != nil {
				t.Fatal(err)
			}
			return h
		}
		a, b := submit(first, one), submit(second, two)
		if a.ID() != b.ID() || !b.Duplicate() || b.Record().Name != "charge" {
			t.Errorf("the second instance has %s (%+v), the first %s", b.ID(), b.Record(), a.ID())
		}
		close(gate)
		if err := b.Wait(t.Context()); err == nil || !strings.Contains(err.Error(), errFlaky.Error()) {
			t.Errorf("Wait on the other instance's task: %v", err)
		}
		time.Sleep(time.Second)
		if again := submit(second, two); again.Duplicate() {
			t.Error("the key of a failed task is not free")
		}
		wire.cut.Store(true)
		h := add(first, func() { t.Error("it ran although nobody could ask for the key") }, taskflow.IdempotencyKey("new"))
		wantErr(t, h.Rejected(), errCut)
		wire.cut.Store(false)
	})
}

func TestUniqueComparesNameAndArguments(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		ran := map[string]int{}
		report := taskflow.Define("report", func(_ context.Context, who string) error {
			mu.Lock()
			defer mu.Unlock()
			ran[who]++
			return nil
		}, taskflow.Unique(time.Hour))
		m := started(t, taskflow.WithTasks(report))
		for range 3 {
			add(m, report.With("ada"))
			add(m, report.With("ben"))
			add(m, report.With("cyd"), taskflow.IdempotencyKey("mine"))
		}
		time.Sleep(time.Hour)
		add(m, report.With("ada"))
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		if ran["ada"] != 2 || ran["ben"] != 1 || ran["cyd"] != 1 {
			t.Errorf("runs %v", ran)
		}
	})
}

func TestBadKeysAreRefused(t *testing.T) {
	t.Parallel()
	m := started(t)
	for name, opt := range map[string]taskflow.AddOption{
		"empty": taskflow.IdempotencyKey(""), "long": taskflow.IdempotencyKey(strings.Repeat("k", taskflow.MaxKeyBytes+1)),
		"zero byte": taskflow.IdempotencyKey("a\x00b"), "not UTF-8": taskflow.IdempotencyKey("a\xff"),
		"short retention": taskflow.KeyRetention(time.Millisecond), "short window": taskflow.Unique(0), "unique closure": taskflow.Unique(time.Hour),
	} {
		if h := add(m, func() { t.Errorf("%s: it ran", name) }, opt); !errors.Is(h.Rejected(), taskflow.ErrInvalidOption) {
			t.Errorf("%s: %v", name, h.Rejected())
		}
	}
}

func TestALoneSubmitStartsInItsOwnCommit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newJournaled()
		send := taskflow.Define("send", task[int])
		m := started(t, taskflow.WithBackend(b), taskflow.WithTasks(send), taskflow.WithConcurrency(1))
		h, err := m.Submit(t.Context(), send.With(1))
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(b.commits) != 1 || b.commits[0][0] != "send running" {
			t.Errorf("the commits are %v, want one, which says that it runs", b.commits)
		}
		if s := m.JournalStats(); s.Commits != 1 || s.Records != 1 || s.Wait.Count != 1 || s.Waiting != 0 {
			t.Errorf("statistics %+v", s)
		}
		gate := make(chan struct{})
		defer close(gate)
		add(m, func() { <-gate })
		synctest.Wait()
		if _, err := m.Submit(t.Context(), send.With(2)); err != nil || b.commits[1][0] != "send pending" {
			t.Errorf("with no worker free it is committed as %v, %v; want pending", b.commits[1:], err)
		}
	})
}

func TestACommitIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newJournaled()
		b.slow = time.Millisecond
		send := taskflow.Define("send", task[int])
		m := started(t, taskflow.WithBackend(b), taskflow.WithTasks(send), taskflow.WithJournal(10, 5*time.Millisecond))
		var wg sync.WaitGroup
		for range 95 {
			wg.Go(func() {
				if _, err := m.Submit(t.Context(), send.With(1), taskflow.Delay(time.Hour)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, c := range b.commits {
			if len(c) > 10 {
				t.Errorf("a commit of %d changes, the option allows 10", len(c))
			}
		}
		if n := len(b.commits); n != 10 {
			t.Errorf("%d commits, want 10: each waits for company, and the last has five", n)
		}
	})
}

func TestSubmitFailsFastWhileTheBackendDoesNotAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newJournaled()
		b.slow = time.Hour
		send := taskflow.Define("send", task[int])
		m := started(t, taskflow.WithBackend(deaf{b}), taskflow.WithTasks(send))
		begin := time.Now()
		if _, err := m.Submit(t.Context(), send.With(1)); err == nil {
			t.Fatal("accepted by a backend that does not answer")
		}
		first := time.Since(begin)
		begin = time.Now()
		_, err := m.Submit(t.Context(), send.With(1))
		if err == nil || time.Since(begin) > 10*time.Millisecond {
			t.Errorf("after a first that took %v, another Submit took %v: %v", first, time.Since(begin), err)
		}
		b.mu.Lock()
		b.slow = 0
		b.mu.Unlock()
		time.Sleep(10 * time.Second)
		if _, err := m.Submit(t.Context(), send.With(1)); err != nil {
			t.Errorf("the backend answers again: %v", err)
		}
	})
}

// deaf heeds only the context while it is slow.
type deaf struct{ *journaled }

func (d deaf) PutPending(ctx context.Context, r []taskflow.Record) error {
	d.mu.Lock()
	slow := d.slow
	d.mu.Unlock()
	if slow > 0 {
		<-ctx.Done()
		return ctx.Err()
	}
	return d.journaled.PutPending(ctx, r)
}

// The keys of all that was refused while the backend was away must not hold up what is stored after that.
func TestKeysOfManyFailuresAreFreedTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &slowKeys{Backend: memory.New()}
		fail := taskflow.Define("fail", func(context.Context, int) error { return errFlaky })
		m := started(t, taskflow.WithBackend(b), taskflow.WithTasks(fail))
		var last taskflow.Handle
		for i := range 200 {
			last = m.Add(taskflow.WorkOf(fail.With(i)), taskflow.IdempotencyKey(fmt.Sprint("order ", i)))
		}
		begin := time.Now()
		for {
			if _, err := b.Get(t.Context(), last.ID()); err == nil {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		if took := time.Since(begin); took > time.Second || b.alone.Load() > 1 {
			t.Errorf("the last of 200 was stored after %v; %d keys were freed one by one", took, b.alone.Load())
		}
	})
}

// slowKeys takes a while for each call about keys that are free again.
type slowKeys struct {
	*memory.Backend
	alone atomic.Int32
}

func (b *slowKeys) ReleaseKey(ctx context.Context, key, taskID string) error {
	b.alone.Add(1)
	time.Sleep(100 * time.Millisecond)
	return b.Backend.ReleaseKey(ctx, key, taskID)
}

func (b *slowKeys) ReleaseKeys(ctx context.Context, held []taskflow.Reservation) error {
	time.Sleep(100 * time.Millisecond)
	return b.Backend.ReleaseKeys(ctx, held)
}

// A task that waits for its key while the lease is lost is one of the next lease: under the one before nobody would hold its row.
func TestATaskIsOfTheLeaseUnderWhichItGotItsKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		send := taskflow.Define("send", task[int])
		m, w := c.instance(taskflow.WithTasks(send))
		c.instance(taskflow.WithTasks(send))
		time.Sleep(4500 * time.Millisecond)
		if err := c.backend.Leave(t.Context(), m.Instance()); err != nil { // as others do when a lease is over
			t.Fatal(err)
		}
		w.keys.Store(int64(700 * time.Millisecond)) // the heartbeat is at 5 s
		h, err := m.Submit(t.Context(), send.With(1), taskflow.IdempotencyKey("order"), taskflow.Delay(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if r := h.Record(); r.Owner != m.Instance() {
			t.Errorf("it is of %q, and this instance is %q", r.Owner, m.Instance())
		}
		time.Sleep(time.Minute)
		if r, err := c.backend.GetPending(t.Context(), h.ID()); err != nil || r.Owner != m.Instance() {
			t.Errorf("its row is of %q, want %q: %v", r.Owner, m.Instance(), err)
		}
	})
}
