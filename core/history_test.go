package taskflow_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func TestHistoryIsWrittenWithin100ms(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newSix()
		m := started(t, taskflow.WithBackend(b))
		for range 10 {
			h := add(m, func() {})
			<-h.Done()
			time.Sleep(100 * time.Millisecond)
			if _, ok := b.stored(h.ID()); !ok {
				t.Fatal("not stored 100 ms after its end")
			}
		}
	})
}

func TestHistoryIsWrittenInBatches(t *testing.T) {
	t.Parallel()
	b := newSix()
	m := started(t, taskflow.WithBackend(b))
	for range 5000 {
		add(m, func() {})
	}
	if err := m.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b.count() != 5000 || len(b.batches) > 500 || slices.Max(b.batches) > 1000 {
		t.Errorf("%d records in %d batches, the largest of %d", b.count(), len(b.batches), slices.Max(b.batches))
	}
	if b.closed != 1 {
		t.Errorf("the backend was closed %d times", b.closed)
	}
}

func TestABackendThatIsAwayLosesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newSix()
		m := started(t, taskflow.WithBackend(b))
		b.script(func([]taskflow.Record) error { return errors.New("connection refused") })
		for range 100 {
			add(m, func() {})
		}
		time.Sleep(time.Minute)
		if b.count() != 0 {
			t.Fatal("stored while away")
		}
		b.script(nil)
		time.Sleep(6 * time.Second)
		if b.count() != 100 {
			t.Errorf("%d of 100 stored after it came back", b.count())
		}
	})
}

func TestABackendThatStaysAwayIsReportedByStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newSix()
		refused := errors.New("connection refused")
		m, err := taskflow.New(quiet, taskflow.WithBackend(b))
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.script(func([]taskflow.Record) error { return refused })
		add(m, func() {})
		synctest.Wait()
		took, err := stopWithin(m, time.Second)
		wantErr(t, err, refused)
		if err == nil || !strings.Contains(err.Error(), "1 finished tasks could not be stored") || took > 15*time.Second {
			t.Errorf("Stop: %v after %v", err, took)
		}
	})
}

func TestASlowBackendSlowsWorkersNotAdd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newSix()
		m := started(t, taskflow.WithBackend(b), taskflow.WithConcurrency(2))
		b.script(func([]taskflow.Record) error { return errors.New("away") })
		const n = 15_000 // the backlog is 10,000
		begin := time.Now()
		for range n {
			add(m, func() {})
		}
		if time.Since(begin) != 0 {
			t.Errorf("Add waited %v", time.Since(begin))
		}
		time.Sleep(time.Minute)
		s, err := m.Stats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if done := s.Counts[taskflow.StatusSuccess]; done < 10_000 || done > 11_010 {
			t.Errorf("%d tasks ran while nothing could be stored, the backlog is 10,000 and a batch", done)
		}
		b.script(nil)
		time.Sleep(time.Minute)
		if b.count() != n {
			t.Errorf("%d of %d stored", b.count(), n)
		}
	})
}

func TestOnePoisonedRecordDoesNotKeepOthersFromBeingStored(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newSix()
		m := started(t, taskflow.WithBackend(b))
		b.script(func(records []taskflow.Record) error {
			for _, r := range records {
				if strings.HasPrefix(r.Name, "poison") {
					return fmt.Errorf("cannot store %q", r.Name)
				}
			}
			return nil
		})
		for i := range 40 {
			name := "good"
			if i < 20 {
				name = "poison"
			}
			add(m, func() {}, taskflow.Name(name))
		}
		time.Sleep(time.Minute)
		if b.count() != 20 {
			t.Errorf("%d of 20 good records stored", b.count())
		}
		h := add(m, func() {})
		time.Sleep(20 * time.Second)
		if _, ok := b.stored(h.ID()); !ok {
			t.Error("nothing is stored any more")
		}
		b.script(nil)
	})
}

func TestListingBeyondTheWindowComesFromTheBackend(t *testing.T) {
	t.Parallel()
	for _, window := range []int{0, 5, 1000} {
		t.Run(fmt.Sprint(window), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := started(t, taskflow.WithBackend(newSix()), taskflow.WithWindow(window), taskflow.WithConcurrency(1))
				var want []string
				for i := range 30 {
					h := add(m, func() {}, taskflow.Name(fmt.Sprintf("n%02d", i)))
					<-h.Done()
					want = append(want, h.ID())
				}
				time.Sleep(time.Second)
				blocked := add(m, untilCancelled)
				want = append(want, blocked.ID())
				slices.Reverse(want)
				var got []string
				q := taskflow.Query{Limit: 7}
				for {
					p, err := m.List(t.Context(), q)
					if err != nil {
						t.Fatal(err)
					}
					for _, r := range p.Records {
						got = append(got, r.ID)
					}
					if p.Next == "" {
						break
					}
					q.Before = p.Next
				}
				if !slices.Equal(got, want) {
					t.Errorf("listed %d: %q, want %d: %q", len(got), got, len(want), want)
				}
				if r, err := m.Get(t.Context(), want[30]); err != nil || r.Name != "n00" {
					t.Errorf("the oldest: %+v, %v", r, err)
				}
				if _, _, err := m.DeleteHistory(t.Context(), time.Now()); !errors.Is(err, taskflow.ErrNotSupported) {
					t.Errorf("delete: %v", err)
				}
				if _, err := m.Cancel(t.Context(), blocked.ID(), ""); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestTheWindowIsBounded(t *testing.T) {
	t.Parallel()
	m := started(t, taskflow.WithWindow(10))
	for range 100 {
		<-add(m, func() {}).Done()
	}
	p, err := m.List(context.Background(), taskflow.Query{})
	if err != nil || len(p.Records) != 10 {
		t.Errorf("%d tasks in a window of 10, %v", len(p.Records), err)
	}
	s, err := m.Stats(t.Context())
	if err != nil || s.Total() != 100 || s.SuccessRate() != 1 {
		t.Errorf("totals are %+v, %v", s, err)
	}
	if n, _, err := m.DeleteHistory(t.Context(), time.Now().Add(time.Second)); err != nil || n != 10 {
		t.Errorf("deleted %d, %v", n, err)
	}
}

func TestTheWindowIsBoundedInBytes(t *testing.T) {
	t.Parallel()
	large := taskflow.Define("large", task[string])
	m := started(t, taskflow.WithTasks(large))
	call := large.With(strings.Repeat("x", 1<<20-2))
	for range 100 {
		<-add(m, call).Done()
	}
	p, err := m.List(context.Background(), taskflow.Query{})
	if n := len(p.Records); err != nil || n < 30 || n > 50 {
		t.Errorf("%d tasks of 1 MiB in a window of 48 MiB, %v", n, err)
	}
}

// hanging is a backend that answers no Save.
type hanging struct{ *six }

func (b hanging) Save(ctx context.Context, _ []taskflow.Record) (int, error) {
	<-ctx.Done()
	return 0, ctx.Err()
}

func TestStopDoesNotWaitForABackendThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := created(t, taskflow.WithBackend(hanging{newSix()}))
		if err := m.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		add(m, func() {})
		time.Sleep(time.Second) // the write is under way
		took, err := stopWithin(m, time.Second)
		if err == nil || !strings.Contains(err.Error(), "1 finished tasks could not be stored") || took > 10*time.Second {
			t.Errorf("Stop: %v after %v", err, took)
		}
	})
}
