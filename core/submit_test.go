package taskflow_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// journaled is six with a journal and claims; restart gives the rows of a dead owner free.
type journaled struct {
	*six
	commits [][]string // "id status" of each PutPending
	fail    error
	slow    time.Duration
}

func newJournaled() *journaled { return &journaled{six: newSix()} }

func (b *journaled) PutPending(_ context.Context, records []taskflow.Record) error {
	b.mu.Lock()
	slow := b.slow
	b.mu.Unlock()
	time.Sleep(slow)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		return b.fail
	}
	var names []string
	for _, r := range records {
		b.remove(r.ID)
		b.pending = append(b.pending, r)
		names = append(names, fmt.Sprintf("%s %s", r.Name, r.Status))
	}
	b.commits = append(b.commits, names)
	return nil
}

func (b *journaled) remove(id string) {
	b.pending = slices.DeleteFunc(b.pending, func(r taskflow.Record) bool { return r.ID == id })
}

func (b *journaled) Save(ctx context.Context, records []taskflow.Record) (int, error) {
	n, err := b.six.Save(ctx, records)
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range records {
		b.remove(r.ID)
	}
	return n, err
}

func (b *journaled) SavePending(_ context.Context, records []taskflow.Record) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range records {
		b.remove(r.ID)
		b.pending = append(b.pending, r)
	}
	return len(records), nil
}

func (b *journaled) Claim(_ context.Context, owner string, names []string, limit int) (got []taskflow.Record, _ error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.pending {
		if r := &b.pending[i]; r.Owner == "" && slices.Contains(names, r.Name) && len(got) < limit {
			r.Owner = owner
			got = append(got, *r)
		}
	}
	return got, nil
}

// crash is the death of the process that owns the rows: nobody holds them any more.
func (b *journaled) crash() *journaled {
	b.mu.Lock()
	defer b.mu.Unlock()
	next := &journaled{six: newSix()}
	for _, r := range b.pending {
		r.Owner = ""
		next.pending = append(next.pending, r)
	}
	return next
}

func (b *journaled) rows() (rows []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.pending {
		rows = append(rows, fmt.Sprintf("%s %s", r.Name, r.Status))
	}
	return rows
}

func TestSubmitReturnsOnceTheBackendHasTheTask(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newJournaled()
		gate := make(chan struct{})
		send := taskflow.Define("send", func(context.Context, int) error { <-gate; return nil })
		m := started(t, taskflow.WithBackend(b), taskflow.WithTasks(send))
		batch := m.NewBatch()
		h, err := batch.Submit(t.Context(), send.With(1))
		if err != nil || !slices.Equal(b.rows(), []string{"send pending"}) {
			t.Fatalf("stored %v when Submit returned, %v", b.rows(), err)
		}
		synctest.Wait()
		wantStatus(t, h, taskflow.StatusPending) // its response is not out
		batch.Release()
		synctest.Wait()
		if !slices.Equal(b.rows(), []string{"send running"}) {
			t.Errorf("stored %v while it runs", b.rows())
		}
		close(gate)
		if err := h.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		if r, ok := b.stored(h.ID()); len(b.rows()) != 0 || !ok || !r.Durable {
			t.Errorf("at its end %v is pending, finished: %+v", b.rows(), r)
		}
	})
}

func TestSubmitsShareCommits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newJournaled()
		b.slow = 10 * time.Millisecond
		send := taskflow.Define("send", task[int])
		m := started(t, taskflow.WithBackend(b), taskflow.WithTasks(send))
		var wg sync.WaitGroup
		begin := time.Now()
		for range 100 {
			wg.Go(func() {
				if _, err := m.Submit(t.Context(), send.With(1), taskflow.Delay(time.Hour)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(begin); took > 30*time.Millisecond || len(b.commits) > 3 {
			t.Errorf("100 submits took %v and %d commits", took, len(b.commits))
		}
	})
}

func TestWhatSubmitRefuses(t *testing.T) {
	t.Parallel()
	send := taskflow.Define("send", task[string])
	stranger := taskflow.Define("stranger", task[string])
	for name, c := range map[string]struct {
		backend taskflow.Backend
		call    taskflow.Call
		opts    []taskflow.AddOption
		want    error
	}{
		"no backend":     {nil, send.With("a"), nil, taskflow.ErrNotDurable},
		"no journal":     {newSix(), send.With("a"), nil, taskflow.ErrNotDurable},
		"not registered": {newJournaled(), stranger.With("a"), nil, taskflow.ErrNotRegistered},
		"arguments":      {newJournaled(), send.With(strings.Repeat("x", 2<<20)), nil, taskflow.ErrArguments},
		"option":         {newJournaled(), send.With("a"), []taskflow.AddOption{taskflow.Delay(-1)}, taskflow.ErrInvalidOption},
		"commit fails":   {&journaled{six: newSix(), fail: errFlaky}, send.With("a"), nil, errFlaky},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opts := []taskflow.ManagerOption{taskflow.WithTasks(send)}
			if c.backend != nil {
				opts = append(opts, taskflow.WithBackend(c.backend))
			}
			m := started(t, opts...)
			h, err := m.Submit(t.Context(), c.call, c.opts...)
			wantErr(t, err, c.want)
			if h.ID() != "" || !strings.Contains(err.Error(), fmt.Sprintf("%q", c.call.Name())) {
				t.Errorf("handle %q, error %v", h.ID(), err)
			}
			if p, err := m.List(t.Context(), taskflow.Query{Filter: taskflow.Filter{Statuses: []taskflow.Status{taskflow.StatusPending, taskflow.StatusRunning, taskflow.StatusSuccess}}}); err != nil || len(p.Records) != 0 {
				t.Errorf("a refused task is %+v, %v", p.Records, err)
			}
		})
	}
	m := created(t, taskflow.WithBackend(newJournaled()), taskflow.WithTasks(send))
	_, err := m.Submit(t.Context(), send.With("a"))
	wantErr(t, err, taskflow.ErrStopped) // not started: nothing would write the journal
}

// Who calls Submit has the error. A record of it would be there for somebody to retry, and a client could fill the history.
func TestWhatIsWrongWithACallLeavesNoRecord(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newJournaled()
		send := taskflow.Define("send", task[string])
		m := started(t, taskflow.WithBackend(b), taskflow.WithTasks(send))
		for _, refused := range []func() error{
			func() error { _, err := m.Submit(t.Context(), send.With("a"), taskflow.IdempotencyKey("")); return err },
			func() error { _, err := m.Submit(t.Context(), send.With(strings.Repeat("x", 2<<20))); return err },
			func() error {
				_, err := m.SubmitMany(t.Context(), []taskflow.Call{send.With("a")}, taskflow.Delay(-1))
				return err
			},
		} {
			if refused() == nil {
				t.Error("accepted")
			}
		}
		time.Sleep(time.Second)
		p, err := m.List(t.Context(), taskflow.Query{})
		if err != nil || len(p.Records) != 0 || b.count() != 0 {
			t.Errorf("listed %v, %v; %d stored", p.Records, err, b.count())
		}
	})
}

// A task that runs on during the drain time hands on what it has begun: that is saved, as everything is that waits.
func TestARunningTaskMaySubmitWhileTheManagerStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		sent := make(chan int, 10)
		define := func() []taskflow.Definition {
			send := taskflow.Define("send", func(_ context.Context, n int) error { sent <- n; return nil }, taskflow.Unique(time.Hour))
			return []taskflow.Definition{send, taskflow.Define("import", func(ctx context.Context, _ int) error {
				time.Sleep(5 * time.Second)
				if _, err := taskflow.Submit(ctx, send.With(1)); err != nil {
					return err
				}
				_, err := taskflow.SubmitMany(ctx, calls(send, 4)[2:], taskflow.Delay(time.Second))
				return err
			})}
		}
		first := define()
		m, _ := c.instance(taskflow.WithTasks(first...))
		h, err := m.Submit(t.Context(), first[1].(taskflow.Task[int]).With(7))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if took, err := stopWithin(m, 20*time.Second); err != nil || took > 5*time.Second {
			t.Errorf("stopped after %v: %v", took, err)
		}
		wantStatus(t, h, taskflow.StatusSuccess)
		if len(sent) != 0 {
			t.Error("what was submitted meanwhile ran here")
		}
		if _, err := m.Submit(t.Context(), first[1].(taskflow.Task[int]).With(8)); err == nil {
			t.Error("accepted by a manager that has stopped")
		}
		c.instance(taskflow.WithTasks(define()...))
		time.Sleep(time.Minute)
		if len(sent) != 3 {
			t.Errorf("%d of 3 ran after the next start", len(sent))
		}
	})
}

func TestASubmitWhoseContextEndsDoesNotRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newJournaled()
		b.slow = time.Minute
		send := taskflow.Define("send", func(context.Context, int) error { t.Error("ran"); return nil })
		m := started(t, taskflow.WithBackend(b), taskflow.WithTasks(send))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := m.Submit(ctx, send.With(1))
		wantErr(t, err, context.DeadlineExceeded)
		time.Sleep(time.Hour) // the commit under way has gone through meanwhile
		if len(b.rows()) != 0 || b.count() != 1 {
			t.Errorf("pending %v, %d finished", b.rows(), b.count())
		}
	})
}

func TestSubmittedTasksOfAFailedRequestAreDropped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newJournaled()
		send := taskflow.Define("send", func(context.Context, int) error { t.Error("ran"); return nil })
		m := started(t, taskflow.WithBackend(b), taskflow.WithTasks(send))
		batch := m.NewBatch()
		h, err := batch.Submit(t.Context(), send.With(1))
		if err != nil {
			t.Fatal(err)
		}
		batch.Discard(errors.New("handler panicked"))
		time.Sleep(time.Second)
		wantStatus(t, h, taskflow.StatusCancelled)
		if len(b.rows()) != 0 || b.count() != 1 {
			t.Errorf("pending %v, %d finished", b.rows(), b.count())
		}
		_, err = batch.Submit(t.Context(), send.With(1))
		wantErr(t, err, taskflow.ErrDiscarded)
	})
}

// What Submit accepted is found by the next process after a crash: never started runs, once; was running is interrupted,
// unless its task is idempotent.
func TestAfterACrash(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		define := func(ran *[]string, block bool) []taskflow.Definition {
			var mu sync.Mutex
			run := func(ctx context.Context, s string) error {
				mu.Lock()
				*ran = append(*ran, s)
				mu.Unlock()
				if block {
					<-ctx.Done()
				}
				return nil
			}
			return []taskflow.Definition{
				taskflow.Define("once", run), taskflow.Define("again", run, taskflow.Idempotent()), taskflow.Define("later", run),
			}
		}
		b := newJournaled()
		var before, after []string
		defs := define(&before, true)
		m := started(t, taskflow.WithBackend(b), taskflow.WithTasks(defs...), taskflow.WithStopGrace(0))
		var handles []taskflow.Handle
		for _, d := range defs {
			opts := []taskflow.AddOption{}
			if d.Name() == "later" {
				opts = append(opts, taskflow.Delay(time.Minute))
			}
			h, err := m.Submit(t.Context(), d.(taskflow.Task[string]).With(d.Name()), opts...)
			if err != nil {
				t.Fatal(err)
			}
			handles = append(handles, h)
		}
		synctest.Wait()
		crashed := b.crash()
		next := started(t, taskflow.WithBackend(crashed), taskflow.WithTasks(define(&after, false)...))
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if slices.Sort(after); !slices.Equal(after, []string{"again", "later"}) {
			t.Errorf("after the crash %v ran", after)
		}
		for i, want := range []taskflow.Status{taskflow.StatusInterrupted, taskflow.StatusSuccess, taskflow.StatusSuccess} {
			r, err := next.Get(t.Context(), handles[i].ID())
			if err != nil || r.Status != want {
				t.Errorf("%s is %s (%s), want %s; %v", r.Name, r.Status, r.Error, want, err)
			}
		}
		if rows := crashed.rows(); len(rows) != 0 {
			t.Errorf("still pending: %v", rows)
		}
		for _, h := range handles {
			_, _ = m.Cancel(t.Context(), h.ID(), "") // let the first process end
		}
	})
}

func TestRowsOfAnotherInstanceAndOfUnknownNamesAreLeftAlone(t *testing.T) {
	t.Parallel()
	b := newJournaled()
	for i, owner := range []string{"other", "", ""} {
		name := []string{"known", "unknown", "known"}[i]
		b.pending = append(b.pending, taskflow.Record{ID: taskflow.NewID(time.Now().Add(time.Duration(i))), Name: name, Status: taskflow.StatusPending, Args: []byte("1"), Owner: owner})
	}
	ran := make(chan int, 3)
	known := taskflow.Define("known", func(context.Context, int) error { ran <- 1; return nil })
	m := started(t, taskflow.WithBackend(b), taskflow.WithTasks(known))
	<-ran
	if err := m.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if rows := b.rows(); len(ran) != 0 || !slices.Equal(rows, []string{"known pending", "unknown pending"}) {
		t.Errorf("left are %v, %d more ran", rows, len(ran))
	}
}

func TestAStoppedManagerSavesSubmittedTasks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newJournaled()
		send := taskflow.Define("send", task[int])
		m := started(t, taskflow.WithBackend(b), taskflow.WithTasks(send))
		h, err := m.Submit(t.Context(), send.With(1), taskflow.Delay(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantErr(t, h.Wait(t.Context()), taskflow.ErrRequeued)
		if len(b.pending) != 1 || b.pending[0].Owner != "" {
			t.Errorf("saved %+v", b.pending)
		}
	})
}

func TestATaskDoesNotStartBeforeItsStartIsJournaled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newJournaled()
		started0 := false
		send := taskflow.Define("send", func(context.Context, int) error { started0 = true; return nil })
		m := started(t, taskflow.WithBackend(b), taskflow.WithTasks(send))
		h, err := m.Submit(t.Context(), send.With(1), taskflow.Delay(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		b.mu.Lock()
		b.fail = errFlaky
		b.mu.Unlock()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if started0 {
			t.Error("it ran although its start could not be noted")
		}
		b.mu.Lock()
		b.fail = nil
		b.mu.Unlock()
		if err := h.Wait(t.Context()); err != nil || !started0 {
			t.Error(err)
		}
	})
}
