package taskflow_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func TestASubmitThatFailsDuringStopIsNotKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newJournaled()
		b.slow = 5 * time.Second
		send := taskflow.Define("send", task[int])
		m := started(t, taskflow.WithBackend(b), taskflow.WithTasks(send))
		submitted := make(chan error, 1)
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
			defer cancel()
			_, err := m.Submit(ctx, send.With(1))
			submitted <- err
		}()
		time.Sleep(time.Second)
		if _, err := stopWithin(m, 30*time.Second); err != nil {
			t.Error(err)
		}
		wantErr(t, <-submitted, context.DeadlineExceeded)
		if rows := b.rows(); len(rows) != 0 || b.count() != 1 {
			t.Errorf("its caller was told that it failed, and %v is kept, %d finished", rows, b.count())
		}
	})
}

func TestATaskWhoseStartCannotBeNotedHoldsNoWorker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newJournaled()
		send := taskflow.Define("send", func(context.Context, int) error { t.Error("ran"); return nil })
		m := started(t, taskflow.WithBackend(b), taskflow.WithTasks(send), taskflow.WithConcurrency(1))
		h, err := m.Submit(t.Context(), send.With(1), taskflow.Delay(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		b.mu.Lock()
		b.fail = errFlaky
		b.mu.Unlock()
		time.Sleep(10 * time.Second)
		if err := add(m, func() {}).Wait(t.Context()); err != nil {
			t.Errorf("another task: %v", err)
		}
		if _, err := m.Cancel(t.Context(), h.ID(), "not needed"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if r := wantStatus(t, h, taskflow.StatusCancelled); r.Attempts != 0 {
			t.Errorf("%d attempts of a function that was never called", r.Attempts)
		}
		if _, err := stopWithin(m, time.Second); err != nil || len(b.rows()) != 0 {
			t.Errorf("Stop: %v, kept %v", err, b.rows())
		}
	})
}

func TestSubmitsFailFastWhenTheJournalHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &mute{newJournaled()}
		send := taskflow.Define("send", task[int])
		m := started(t, taskflow.WithBackend(b), taskflow.WithTasks(send))
		begin := time.Now()
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				if _, err := m.Submit(context.Background(), send.With(1)); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("submit: %v", err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("the last of 100 submits failed after %v", took)
		}
		// One at a time tries whether it answers again; all others fail at once.
		for range 20 {
			time.Sleep(3 * time.Second)
			var slow atomic.Int32
			for range 100 {
				wg.Go(func() {
					began := time.Now()
					if _, err := m.Submit(context.Background(), send.With(1)); err == nil || time.Since(began) > 10*time.Second {
						t.Errorf("submit failed after %v: %v", time.Since(began), err)
					}
					if time.Since(began) > 0 {
						slow.Add(1)
					}
				})
			}
			wg.Wait()
			if n := slow.Load(); n > 1 {
				t.Errorf("%d submits waited for a backend that does not answer", n)
			}
		}
	})
}

// mute is a journal that never answers.
type mute struct{ *journaled }

func (b *mute) PutPending(ctx context.Context, _ []taskflow.Record) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestOneBadRecordFailsOnlyItsOwnSubmit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &picky{newJournaled()}
		b.slow = time.Second // so that they share a commit
		send := taskflow.Define("send", task[string])
		m := started(t, taskflow.WithBackend(b), taskflow.WithTasks(send))
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				args := "good"
				if i == 5 {
					args = "bad"
				}
				if _, err := m.Submit(t.Context(), send.With(args)); (err != nil) != (args == "bad") {
					t.Errorf("%s: %v", args, err)
				}
			})
		}
		wg.Wait()
	})
}

// picky refuses a commit with a bad record in it.
type picky struct{ *journaled }

func (b *picky) PutPending(ctx context.Context, records []taskflow.Record) error {
	if slices.ContainsFunc(records, func(r taskflow.Record) bool { return string(r.Args) == `"bad"` }) {
		return errFlaky
	}
	return b.journaled.PutPending(ctx, records)
}

// What waits while the backend is away must not fill the memory, nor the log.
func TestAnOutageLeavesFewLines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for name, failure := range map[string]error{"refused": errFlaky, "unanswered": taskflow.Unavailable("the server has gone")} {
			b := newJournaled()
			send := taskflow.Define("send", task[int])
			var log lines
			m := started(t, taskflow.WithBackend(b), taskflow.WithTasks(send), taskflow.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
			h, err := m.Submit(t.Context(), send.With(1), taskflow.Delay(time.Second))
			if err != nil {
				t.Fatal(err)
			}
			before := log.count()
			b.mu.Lock()
			b.fail = failure
			b.mu.Unlock()
			time.Sleep(time.Hour)
			if r := wantStatus(t, h, taskflow.StatusPending); r.LogCount != 1 || !strings.Contains(r.Error, failure.Error()) {
				t.Errorf("%s: after an hour its log is %q, its error %q", name, r.Logs, r.Error)
			}
			if n := log.count() - before; n > 2*120+10 { // each half minute
				t.Errorf("%s: %d lines in an hour", name, n)
			}
			b.mu.Lock()
			b.fail = nil
			b.mu.Unlock()
			time.Sleep(time.Minute)
			if r := wantStatus(t, h, taskflow.StatusSuccess); r.LogCount != 2 || r.Attempts != 1 {
				t.Errorf("%s: at its end its log is %q, %d attempts", name, r.Logs, r.Attempts)
			}
		}
	})
}

// lines counts lines of a log.
type lines struct{ n atomic.Int64 }

func (l *lines) Write(p []byte) (int, error) {
	l.n.Add(int64(bytes.Count(p, []byte("\n"))))
	return len(p), nil
}

func (l *lines) count() int64 { return l.n.Load() }

// A Save that takes long holds up no Submit.
func TestSubmitsAndSavesOverlap(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &slowSave{journaled: newJournaled(), wait: 10 * time.Second}
		send := taskflow.Define("send", task[int])
		m := started(t, taskflow.WithBackend(b), taskflow.WithTasks(send))
		if _, err := m.Submit(t.Context(), send.With(1)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if b.saving.Load() != 1 {
			t.Fatal("the history is not being written")
		}
		begin := time.Now()
		h, err := m.Submit(t.Context(), send.With(2))
		if err != nil || h.Wait(t.Context()) != nil || time.Since(begin) != 0 {
			t.Errorf("submitted and run within %v beside a slow Save: %v", time.Since(begin), err)
		}
	})
}

// slowSave is a journal whose history is slow.
type slowSave struct {
	*journaled
	wait   time.Duration
	saving atomic.Int32
}

func (b *slowSave) Save(ctx context.Context, records []taskflow.Record) (int, error) {
	b.saving.Add(1)
	defer b.saving.Add(-1)
	time.Sleep(b.wait)
	return b.journaled.Save(ctx, records)
}

// A row that is written after its finished record would stay, and run again after a restart. This backend does not see to that itself.
func TestATaskThatEndsWhileItsRowIsWrittenLeavesNoRow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newJournaled()
		send := taskflow.Define("send", func(context.Context, int) error { return errFlaky }, taskflow.Retry(3, taskflow.Exponential(time.Minute, 2)))
		m := started(t, taskflow.WithBackend(b), taskflow.WithTasks(send))
		h, err := m.Submit(t.Context(), send.With(1), taskflow.Delay(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(500 * time.Millisecond)
		b.mu.Lock()
		b.slow = 5 * time.Second
		b.mu.Unlock()
		time.Sleep(7 * time.Second) // its start took 5 s to write; it failed, and that is being written
		if r := h.Record(); r.Status != taskflow.StatusPending || r.Attempts != 1 {
			t.Fatalf("it is %s after %d attempts", r.Status, r.Attempts)
		}
		if _, err := m.Cancel(t.Context(), h.ID(), "not needed"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if r, ok := b.stored(h.ID()); len(b.rows()) != 0 || !ok || r.Status != taskflow.StatusCancelled {
			t.Errorf("pending: %v; finished: %v, %s", b.rows(), ok, r.Status)
		}
	})
}
