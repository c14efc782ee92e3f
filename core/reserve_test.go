package taskflow_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// rows are the ids of the unfinished tasks in the backend.
func (c *cluster) rows() (ids []string) {
	c.t.Helper()
	all, err := c.backend.LoadPending(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	for _, r := range all {
		ids = append(ids, r.ID)
	}
	return ids
}

// The reservation arrives, and its answer does not: nothing has the key then that will ever run.
func TestAKeyWhoseReservationGotNoAnswerIsFree(t *testing.T) {
	t.Parallel()
	for _, late := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c := newCluster(t)
			charge := taskflow.Define("charge", task[int])
			m, wire := c.scripted(taskflow.WithTasks(charge))
			key := taskflow.IdempotencyKey("k")
			wire.on(func() {
				wire.reserve = func(ctx context.Context, r taskflow.Reservation) (string, error) {
					if late { // it arrives after everybody has given up
						go func() {
							time.Sleep(time.Minute)
							_, _ = c.backend.ReserveKey(context.Background(), r) // the holder is asked for below
						}()
						<-ctx.Done()
						return "", ctx.Err()
					}
					if _, err := c.backend.ReserveKey(ctx, r); err != nil {
						t.Error(err)
					}
					return "", errCut
				}
			})
			begin := time.Now()
			_, err := m.Submit(t.Context(), charge.With(1), key)
			if err == nil || !late && !errors.Is(err, errCut) {
				t.Errorf("without an answer: %v", err)
			}
			if took := time.Since(begin); took > 2*time.Second {
				t.Errorf("it took %v, want 2 s at most", took)
			}
			wire.on(func() { wire.reserve = nil })
			if late {
				time.Sleep(2 * time.Minute)
			}
			h, err := m.Submit(t.Context(), charge.With(1), key)
			if err != nil || h.Duplicate() {
				t.Fatalf("asked again: %v, duplicate %v of %+v", err, h.Duplicate(), h.Record())
			}
			if err := h.Wait(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// While the first Submit waits for its commit, a second one on the same instance and one on another ask for the same.
func TestADuplicateIsAcceptedWhenTheFirstIsSafe(t *testing.T) {
	t.Parallel()
	for name, many := range map[string]bool{"Submit": false, "SubmitMany": true} {
		for outcome, fail := range map[string]error{"is stored": nil, "is refused": errFlaky} {
			t.Run(name+"/the first "+outcome, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { firstAndTwins(t, many, fail) })
			})
		}
	}
}

func firstAndTwins(t *testing.T, many bool, fail error) {
	t.Helper()
	c := newCluster(t)
	var ran atomic.Int64
	define := func() taskflow.Task[int] {
		return taskflow.Define("charge", func(context.Context, int) error { ran.Add(1); return nil }, taskflow.Unique(time.Hour))
	}
	one, two := define(), define()
	here, wire := c.scripted(taskflow.WithTasks(one))
	there, _ := c.instance(taskflow.WithTasks(two))
	answer := make(chan error)
	wire.on(func() {
		wire.put = func([]taskflow.Record) error {
			wire.on(func() { wire.put = nil })
			return <-answer
		}
	})
	type result struct {
		h   taskflow.Handle
		err error
	}
	submit := func(m *taskflow.Manager, charge taskflow.Task[int]) <-chan result {
		done := make(chan result, 1)
		go func() {
			if !many {
				h, err := m.Submit(t.Context(), charge.With(1))
				done <- result{h, err}
				return
			}
			hs, err := m.SubmitMany(t.Context(), []taskflow.Call{charge.With(1), charge.With(1)})
			if err != nil {
				done <- result{err: err}
				return
			}
			if hs[0].ID() != hs[1].ID() || !hs[1].Duplicate() {
				t.Errorf("two of one SubmitMany are %s and %s", hs[0].ID(), hs[1].ID())
			}
			done <- result{hs[0], nil}
		}()
		synctest.Wait()
		return done
	}
	first := submit(here, one)
	second, third := submit(here, one), submit(there, two)
	time.Sleep(time.Second)
	select {
	case r := <-second:
		t.Errorf("the second was answered before the first is stored: %s, %v", r.h.ID(), r.err)
	case r := <-third:
		t.Errorf("that of the other instance was answered before the first is stored: %s, %v", r.h.ID(), r.err)
	default:
	}
	answer <- fail
	a, b, d := <-first, <-second, <-third
	wantErr(t, a.err, fail)
	if b.err != nil || d.err != nil || b.h.ID() != d.h.ID() {
		t.Fatalf("the second is %s, %v; that of the other instance %s, %v", b.h.ID(), b.err, d.h.ID(), d.err)
	}
	if fail == nil && (b.h.ID() != a.h.ID() || !b.h.Duplicate()) {
		t.Errorf("the second is %s, the first %s", b.h.ID(), a.h.ID())
	}
	if err := errors.Join(b.h.Wait(t.Context()), d.h.Wait(t.Context())); err != nil || ran.Load() != 1 {
		t.Errorf("it ran %d times: %v", ran.Load(), err)
	}
}

// The process dies between the reservation and the commit: who asks meanwhile is told so, and once the lease is over gets the key.
func TestAKeyOfADeadInstanceIsRefusedUntilItsLeaseIsOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		charge := taskflow.Define("charge", task[int])
		m, _ := c.instance(taskflow.WithTasks(charge))
		if err := c.backend.Join(t.Context(), taskflow.Instance{ID: "dead"}, lease); err != nil {
			t.Fatal(err)
		}
		id := taskflow.NewID(time.Now())
		if _, err := c.backend.ReserveKey(t.Context(), taskflow.Reservation{Key: "k", TaskID: id, Owner: "dead", Retention: time.Hour}); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		h, err := m.Submit(t.Context(), charge.With(1), taskflow.IdempotencyKey("k"))
		if err == nil || !strings.Contains(err.Error(), id) || !strings.Contains(err.Error(), "ask again") {
			t.Errorf("accepted as %s, %v", h.ID(), err)
		}
		if took := time.Since(begin); took < time.Second || took > 2*time.Second {
			t.Errorf("it was refused after %v, want after about 2 s", took)
		}
		time.Sleep(takeOverTime)
		if h, err := m.Submit(t.Context(), charge.With(1), taskflow.IdempotencyKey("k")); err != nil || h.Duplicate() {
			t.Errorf("after the lease: %v, duplicate %v", err, h.Duplicate())
		}
	})
}

func TestSubmitDoesNotAcceptWhatOnlyMemoryHas(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		gate := make(chan struct{})
		define := func() taskflow.Task[int] {
			return taskflow.Define("charge", func(context.Context, int) error { <-gate; return nil }, taskflow.Unique(time.Hour))
		}
		one, two := define(), define()
		here, _ := c.instance(taskflow.WithTasks(one))
		there, _ := c.instance(taskflow.WithTasks(two))
		added := add(here, one.With(1))
		time.Sleep(lease) // the other instance is told of it
		for where, submit := range map[string]func() error{
			"here":       func() error { _, err := here.Submit(t.Context(), one.With(1)); return err },
			"here, many": func() error { _, err := here.SubmitMany(t.Context(), calls(one, 2)); return err },
			"there":      func() error { _, err := there.Submit(t.Context(), two.With(1)); return err },
		} {
			if err := submit(); !errors.Is(err, taskflow.ErrNotDurable) || !strings.Contains(err.Error(), added.ID()) {
				t.Errorf("%s: %v, want ErrNotDurable that names the task", where, err)
			}
		}
		if rows := c.rows(); len(rows) != 0 {
			t.Errorf("rows %v", rows)
		}
		close(gate)
		time.Sleep(time.Second)
		for where, h := range map[string]func() (taskflow.Handle, error){
			"here":  func() (taskflow.Handle, error) { return here.Submit(t.Context(), one.With(1)) },
			"there": func() (taskflow.Handle, error) { return there.Submit(t.Context(), two.With(1)) },
		} {
			if h, err := h(); err != nil || h.ID() != added.ID() {
				t.Errorf("%s, when it is done: %s, %v", where, h.ID(), err)
			}
		}
	})
}

// The client goes while the commit is under way, and asks another instance, which sees the row.
func TestACommitWithAKeyGoesOnWithoutItsCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		one, two := taskflow.Define("charge", task[int]), taskflow.Define("charge", task[int])
		here, wire := c.scripted(taskflow.WithTasks(one))
		there, _ := c.instance(taskflow.WithTasks(two))
		key := taskflow.IdempotencyKey("k")
		wire.on(func() {
			wire.put = func(records []taskflow.Record) error {
				err := c.backend.PutPending(context.Background(), records)
				time.Sleep(time.Second) // the answer is slow
				return err
			}
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { _, err := here.Submit(ctx, one.With(1), key); done <- err }()
		synctest.Wait()
		cancel()
		h, err := there.Submit(t.Context(), two.With(1), key)
		if err != nil || !h.Duplicate() {
			t.Fatalf("the other instance: %v, duplicate %v", err, h.Duplicate())
		}
		if err := <-done; err != nil {
			t.Errorf("the first: %v", err)
		}
		if err := h.Wait(t.Context()); err != nil {
			t.Errorf("the task that was accepted ended with %v", err)
		}
	})
}

// Two SubmitMany that want each other's keys do not wait for ever.
func TestTwoSubmitManyThatWantEachOthersKeysEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		charge := taskflow.Define("charge", task[int], taskflow.Unique(time.Hour))
		m, wire := c.scripted(taskflow.WithTasks(charge))
		both := make(chan struct{})
		var asked atomic.Int64
		wire.on(func() {
			wire.reserve = func(ctx context.Context, r taskflow.Reservation) (string, error) {
				holder, err := c.backend.ReserveKey(ctx, r)
				if n := asked.Add(1); n == 2 {
					close(both)
				} else if n == 1 {
					<-both
				}
				return holder, err
			}
		})
		forth := calls(charge, 2)
		back := []taskflow.Call{forth[1], forth[0]}
		var wg sync.WaitGroup
		for _, calls := range [][]taskflow.Call{forth, back} {
			wg.Go(func() {
				for range 20 { // a client that is refused asks again
					hs, err := m.SubmitMany(t.Context(), calls)
					if err == nil {
						for _, h := range hs {
							if err := h.Wait(t.Context()); err != nil {
								t.Error(err)
							}
						}
						return
					}
				}
				t.Error("refused 20 times")
			})
		}
		wg.Wait()
	})
}

func TestAFailedTaskFreesItsKeyAlthoughItCannotBeReleased(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		fails := taskflow.Define("charge", func(context.Context, int) error { return errFlaky })
		m, wire := c.scripted(taskflow.WithTasks(fails))
		wire.on(func() { wire.release = func() error { return errCut } })
		for range 3 {
			h, err := m.Submit(t.Context(), fails.With(1), taskflow.IdempotencyKey("k"))
			if err != nil || h.Duplicate() {
				t.Fatalf("%v, duplicate %v", err, h.Duplicate())
			}
			wantErr(t, h.Wait(t.Context()), errFlaky)
		}
	})
}

// A batch of finished records, one of which another instance holds. The backend has no keys of its own: this process must free them.
func TestKeysAreFreedBesideAFencedRecord(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &fencing{Backend: memory.New()}
		gate := make(chan struct{})
		fails := taskflow.Define("charge", func(context.Context, int) error { <-gate; return errFlaky })
		m := started(t, taskflow.WithBackend(b), taskflow.WithTasks(fails))
		var keys []taskflow.AddOption
		for _, key := range []string{"mine", "theirs"} {
			keys = append(keys, taskflow.IdempotencyKey(key))
			h, err := m.Submit(t.Context(), fails.With(1), taskflow.IdempotencyKey(key))
			if err != nil {
				t.Fatal(err)
			}
			b.fenced = append(b.fenced, h.ID())
		}
		b.fenced = b.fenced[1:]
		close(gate)
		time.Sleep(time.Second)
		for i, dup := range []bool{false, true} {
			if h := add(m, func() {}, keys[i]); h.Duplicate() != dup {
				t.Errorf("%d: duplicate %v, want %v", i, h.Duplicate(), dup)
			}
		}
	})
}

// fencing is a backend in which another instance holds some tasks, and that has no keys.
type fencing struct {
	taskflow.Backend
	fenced []string
}

func (b *fencing) Save(ctx context.Context, records []taskflow.Record) (int, error) {
	return b.Backend.Save(ctx, slices.DeleteFunc(slices.Clone(records), func(r taskflow.Record) bool { return slices.Contains(b.fenced, r.ID) }))
}

func (b *fencing) PutPending(ctx context.Context, records []taskflow.Record) error {
	return b.Backend.(taskflow.Journal).PutPending(ctx, records)
}

// Releases that take their time do not use up that of the Save they follow.
func TestSlowReleasesDoNotHoldUpTheHistory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		m, wire := c.scripted()
		wire.on(func() { wire.release = func() error { time.Sleep(time.Second); return nil } })
		for i := range 100 {
			add(m, func() error { return errFlaky }, taskflow.IdempotencyKey(strings.Repeat("k", i+1)))
		}
		time.Sleep(5 * time.Second)
		h := add(m, func() {})
		time.Sleep(100 * time.Millisecond)
		if r := c.history(h.ID()); r.Status != taskflow.StatusSuccess {
			t.Errorf("it is %s in the history", r.Status)
		}
	})
}
