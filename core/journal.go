package taskflow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// journal writes the unfinished state of submitted tasks to the backend. Changes of many goroutines that come while a
// commit is under way share the next one; a lone caller waits for its own.
type journal struct {
	m       *Manager
	backend Journal
	wake    chan struct{}
	closing chan context.Context
	done    chan struct{}
	ctx     context.Context // of every write; ends when Stop has no more time
	cancel  context.CancelFunc

	mu      sync.Mutex
	waiting []journalEntry
	closed  bool
}

// journalEntry asks for the present state of a job to be written. The answer comes on done, if it is not nil.
type journalEntry struct {
	job  *job
	ctx  context.Context // of whoever waits; nil: nobody
	done chan<- error
}

// abandoned reports whether whoever waited has gone.
func (e *journalEntry) abandoned() bool { return e.ctx != nil && e.ctx.Err() != nil }

func newJournal(m *Manager, b Journal) *journal {
	l := &journal{m: m, backend: b, wake: make(chan struct{}, 1), closing: make(chan context.Context, 1), done: make(chan struct{})}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// errNotWritten: the backend has refused the write, so that no row of it can be left.
var errNotWritten = errors.New("taskflow: not written")

// put returns once j is written, or with an error once that has failed (errNotWritten), or ctx or the drain time has ended (then it
// may be written all the same).
func (l *journal) put(ctx context.Context, j *job) error {
	done := make(chan error, 1)
	if !l.enqueue(journalEntry{j, ctx, done}) {
		return fmt.Errorf("%w: %w", errNotWritten, ErrStopped)
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-l.m.life.killing.Done():
		return ErrStopped
	}
}

// note asks for j to be written soon; nobody waits for it.
func (l *journal) note(j *job) { l.enqueue(journalEntry{job: j}) }

func (l *journal) enqueue(e journalEntry) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.waiting = append(l.waiting, e)
	select {
	case l.wake <- struct{}{}:
	default:
	}
	return true
}

// run commits until close. Manager.services waits for it.
func (l *journal) run() {
	defer close(l.done)
	for {
		select {
		case <-l.wake:
			l.commit(l.ctx)
		case ctx := <-l.closing:
			l.commit(ctx)
			return
		}
	}
}

const (
	commitTimeout = 10 * time.Second // for one commit
	commitMisses  = 3                // entries that fail by themselves, one after the other, before the rest is failed with them
)

// commit writes all that waits in one commit. If the backend refuses that, each entry is tried by itself, so that one bad
// record fails only its own caller; if it does not answer, or refuses several in a row, all fail: they should fail fast.
func (l *journal) commit(ctx context.Context) {
	l.mu.Lock()
	entries := slices.DeleteFunc(l.waiting, func(e journalEntry) bool { return e.abandoned() })
	l.waiting = nil
	l.mu.Unlock()
	if len(entries) == 0 {
		return
	}
	err := l.write(ctx, entries)
	alone := err != nil && len(entries) > 1 && errors.Is(err, errNotWritten)
	l.answer(ctx, entries, err, alone)
}

// answer tells each caller how its write went; with alone, after trying it by itself.
func (l *journal) answer(ctx context.Context, entries []journalEntry, err error, alone bool) {
	misses := 0
	for i := range entries {
		e, own := &entries[i], err
		if alone && misses < commitMisses {
			if own = l.write(ctx, entries[i:i+1]); own != nil {
				misses++
			} else {
				misses = 0
			}
		}
		if e.done != nil {
			e.done <- own
		} else if own != nil {
			l.m.log.Error("taskflow: a retry could not be noted in the journal", "task_id", e.job.id.String(), "error", own)
		}
	}
}

// write stores the present state of the entries' jobs. The error is errNotWritten when the backend said no.
func (l *journal) write(ctx context.Context, entries []journalEntry) error {
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	// Under the lock that Save is called under: a job that ends from here on is saved after this write, and a job that has
	// ended is left out, so that no unfinished row outlives its finished record.
	unlock, err := l.m.store.lockWrites(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	records := make([]Record, 0, len(entries))
	last := make(map[*job]int, len(entries))
	for _, e := range entries {
		r := e.job.snapshot(true)
		if r.Status.Final() {
			continue
		}
		if i, twice := last[e.job]; twice {
			records[i] = r
			continue
		}
		last[e.job] = len(records)
		records = append(records, r)
	}
	if len(records) == 0 {
		return nil
	}
	switch err := l.backend.PutPending(ctx, records); {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return err // it did not answer in time: nobody knows
	default:
		return fmt.Errorf("%w: %w", errNotWritten, err)
	}
}

// close writes what waits, at most until ctx ends, and ends run. What fails is the answer to whoever waits for it.
func (l *journal) close(ctx context.Context) {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	defer l.cancel()
	defer context.AfterFunc(ctx, l.cancel)() // a write under way does not outlast ctx either
	l.closing <- ctx
	<-l.done
}
