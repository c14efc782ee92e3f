package taskflow

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
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

	turn  chan struct{} // holds a token while a write is under way
	under atomic.Uint32 // the number of that write; 0: none is
	count uint32        // writes so far; used by run alone

	mu      sync.Mutex
	waiting []journalEntry
	closed  bool
	down    bool      // the backend did not answer: nobody waits for it in vain, but for one who tries it
	retryAt time.Time // when that one may come
	probing bool      // there is one
	waits   Histogram // from put to the answer
	commits int64     // that the backend took
	records int64     // in those
	trouble trouble

	missed     int // retries that could not be noted, since that was said
	missedSaid time.Time

	answered int // callers that the last commit answered; used by run alone
}

// JournalStats tell how durable tasks are written: see [Manager.JournalStats].
type JournalStats struct {
	Commits int64     // written so far
	Records int64     // in all commits: changes of one task that came together count once
	Wait    Histogram // of who waited for a commit, from the call to the answer, successful or not
	Waiting int       // changes that wait for a commit now
}

// JournalStats are totals since New of the journal that Submit and the starts of durable tasks wait for. Zero without a journal.
func (m *Manager) JournalStats() JournalStats {
	if m.journal == nil {
		return JournalStats{}
	}
	l := m.journal
	l.mu.Lock()
	defer l.mu.Unlock()
	s := JournalStats{Commits: l.commits, Records: l.records, Waiting: len(l.waiting)}
	s.Wait.Merge(&l.waits)
	return s
}

// journalEntry asks for the present state of a job, or of several that stand or fall together, to be written. The answer comes on done, if
// it is not nil.
type journalEntry struct {
	job  *job
	more []*job
	ctx  context.Context // of whoever waits; nil: nobody
	done chan<- error
}

func (e *journalEntry) size() int { return 1 + len(e.more) }

// abandoned reports whether whoever waited has gone.
func (e *journalEntry) abandoned() bool { return e.ctx != nil && e.ctx.Err() != nil }

func newJournal(m *Manager, b Journal) *journal {
	l := &journal{m: m, backend: b, wake: make(chan struct{}, 1), closing: make(chan context.Context, 1), done: make(chan struct{}), turn: make(chan struct{}, 1)}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// errNotWritten: the backend has refused the write. A server that dies in the middle may have carried it out all the same: what is done
// about this error must hold in that case, too.
var errNotWritten = errors.New("taskflow: not written")

// put returns once j, and more with it, are written, or with an error once that has failed (errNotWritten), or ctx or the drain time has
// ended (then they may be written all the same). All are written or none.
func (l *journal) put(ctx context.Context, j *job, more ...*job) error {
	done := make(chan error, 1)
	if err := l.enqueue(journalEntry{j, more, ctx, done}); err != nil {
		return fmt.Errorf("%w: %w", errNotWritten, err)
	}
	began := time.Now()
	defer func() { l.waited(time.Since(began)) }()
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
func (l *journal) note(j *job) {
	if err := l.enqueue(journalEntry{job: j}); err != nil {
		l.unnoted(j, err)
	}
}

// unnoted says, now and then, that retries are not in the journal. The tasks go on: after a crash, they are found as they were before the attempt.
func (l *journal) unnoted(j *job, err error) {
	if errors.Is(err, ErrLeaseLost) {
		l.m.lose(j, j.owner)
		return
	}
	l.mu.Lock()
	l.missed++
	now, missed := time.Now(), l.missed
	quiet := now.Sub(l.missedSaid) < missedEvery
	if !quiet {
		l.missedSaid, l.missed = now, 0
	}
	l.mu.Unlock()
	if !quiet {
		l.m.log.Error("taskflow: retries could not be noted in the journal", "count", missed, "task_id", j.id.String(), "error", err)
	}
}

func (l *journal) waited(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waits.Observe(d)
}

// enqueue takes in a change for the next commit.
func (l *journal) enqueue(e journalEntry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return ErrStopped
	case l.down && e.done != nil && (l.probing || time.Now().Before(l.retryAt)):
		return l.unavailable()
	}
	l.probing = l.probing || l.down && e.done != nil
	l.waiting = append(l.waiting, e)
	select {
	case l.wake <- struct{}{}:
	default:
	}
	return nil
}

// unavailable is what those are told who would wait for a backend that does not answer. The caller holds l.mu.
func (l *journal) unavailable() error {
	return fmt.Errorf("the backend has not answered since %s, and is tried again at %s: %w",
		l.trouble.began().Format(time.TimeOnly), l.retryAt.Format(time.TimeOnly), l.trouble.lastError())
}

// run commits until close. Manager.services waits for it.
func (l *journal) run() {
	defer close(l.done)
	for {
		select {
		case <-l.wake:
			l.gather()
			if l.commit(l.ctx) {
				select { // there are more
				case l.wake <- struct{}{}:
				default:
				}
			}
		case ctx := <-l.closing:
			for l.commit(ctx) {
			}
			return
		}
	}
}

const (
	commitTimeout = 10 * time.Second // for one commit
	aloneTime     = 2 * time.Second  // without one that was taken: a backend that takes long to say no is not asked for each entry
	missedEvery   = 30 * time.Second // between two lines of the log about retries that could not be noted
	commitMisses  = 16               // entries that fail by themselves, one after the other, before the rest is failed with them
)

// gather waits for company, if the options want that.
func (l *journal) gather() {
	if l.m.cfg.journalWait <= 0 {
		l.regroup()
		return
	}
	l.mu.Lock()
	full := l.closed || batchOf(l.waiting, l.m.cfg.journalBatch) < len(l.waiting)
	l.mu.Unlock()
	if !full {
		pause(l.ctx, l.m.cfg.journalWait)
	}
}

// regroup lets those whom the last commit has answered come back, so that callers who go on adding share the next commit as they shared that
// one. It yields for as long as others come: a caller who stays alone waits for nobody.
func (l *journal) regroup() {
	const patience = 32 // yields in which nobody came
	before := 0
	for idle := 0; idle < patience; idle++ {
		l.mu.Lock()
		n := len(l.waiting)
		enough := n >= l.answered || l.closed
		l.mu.Unlock()
		if enough {
			return
		}
		if n > before {
			before, idle = n, 0
		}
		runtime.Gosched()
	}
}

// commit writes what waits in one commit, as far as a batch goes, and reports whether more is left. If the backend refuses that, each entry is
// tried by itself, so that one bad record fails only its own caller; if it does not answer, or refuses several in a row, all fail: they should
// fail fast.
func (l *journal) commit(ctx context.Context) (more bool) {
	l.mu.Lock()
	entries := slices.DeleteFunc(l.waiting, func(e journalEntry) bool { return e.abandoned() })
	l.waiting = nil
	if n := batchOf(entries, l.m.cfg.journalBatch); n < len(entries) {
		l.waiting = slices.Clone(entries[n:])
		entries, more = entries[:n], true
	}
	if len(entries) == 0 {
		l.probing = false // whoever was to try has gone
	}
	l.mu.Unlock()
	if len(entries) == 0 {
		return false
	}
	err := l.write(ctx, entries)
	alone := len(entries) > 1 && errors.Is(err, errNotWritten) && !unanswered(err)
	l.judge(l.answer(ctx, entries, err, alone))
	return more
}

// batchOf is how many of the entries, one at least, ask for no more than so many jobs to be written.
func batchOf(entries []journalEntry, jobs int) int {
	for i := range entries {
		if jobs -= entries[i].size(); jobs < 0 {
			return max(i, 1)
		}
	}
	return len(entries)
}

// judge notes whether the backend is well. One that says no at once is asked again with the next change; one that does not answer is
// left alone for a while, and then tried by one caller at a time, so that nobody else waits for its time-out in vain: not those
// either who came while it was being waited for.
func (l *journal) judge(err error) {
	if err == nil || errors.Is(err, ErrLeaseLost) {
		l.trouble.over(l.m, "journal")
		l.mu.Lock()
		defer l.mu.Unlock()
		l.down, l.probing = false, false
		return
	}
	wait := l.trouble.report(l.m, "journal", err)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down, l.probing = unanswered(err), false
	if !l.down {
		return
	}
	l.retryAt = time.Now().Add(wait)
	l.waiting = slices.DeleteFunc(l.waiting, func(e journalEntry) bool {
		if e.done == nil {
			return false
		}
		e.done <- fmt.Errorf("%w: %w", errNotWritten, l.unavailable())
		return true
	})
}

// answer tells each caller how its write went; with alone, after trying it by itself. The result is how the backend is: nil when it
// took anything.
func (l *journal) answer(ctx context.Context, entries []journalEntry, err error, alone bool) error {
	misses, health, well := 0, err, time.Now()
	l.answered = 0
	for i := range entries {
		e, own := &entries[i], err
		if alone && misses < commitMisses && time.Since(well) < aloneTime {
			switch own = l.write(ctx, entries[i:i+1]); {
			case own == nil:
				misses, health, well = 0, nil, time.Now()
			case unanswered(own):
				misses, health = commitMisses, own
			case !errors.Is(own, ErrLeaseLost):
				misses++
			}
		}
		if e.done != nil {
			e.done <- own
			l.answered++
		} else if own != nil {
			l.unnoted(e.job, own)
		}
	}
	return health
}

// write stores the present state of the entries' jobs. The error is errNotWritten when the backend said no.
func (l *journal) write(ctx context.Context, entries []journalEntry) error {
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	l.begin()
	defer l.end()
	if p := l.m.peers; p != nil && p.late() { // asked for last: this process may have been paused anywhere before
		return fmt.Errorf("%w: %w", errNotWritten, ErrLeaseLost)
	}
	records, err := l.presentOf(entries)
	if err != nil {
		return err
	}
	if len(records) == 0 {
		return nil
	}
	switch err := l.backend.PutPending(ctx, records); {
	case err == nil:
		l.mu.Lock()
		l.commits++
		l.records += int64(len(records))
		l.mu.Unlock()
		return nil
	case ctx.Err() != nil, unanswered(err):
		return err // nobody knows
	default:
		return fmt.Errorf("%w: %w", errNotWritten, err)
	}
}

// begin numbers a write. A job that ends from here on is saved after it (see outwait), and a job that has ended is left out, so that no
// unfinished row outlives its finished record.
func (l *journal) begin() {
	l.turn <- struct{}{}         // nobody else keeps it
	if l.count++; l.count == 0 { // it has come round
		l.count = 1
	}
	l.under.Store(l.count)
}

func (l *journal) end() {
	l.under.Store(0)
	<-l.turn
}

// outwait returns when no write of the unfinished state of one of these finished jobs is under way, or with an error when ctx has ended. No
// other will be: see presentOf. Seldom does anybody wait here, for the journal answers before a function is called, and a job that ends
// otherwise while it is being written was cancelled, or its deadline has passed.
func (l *journal) outwait(ctx context.Context, jobs []*job) error {
	n := l.under.Load()
	if n == 0 || !slices.ContainsFunc(jobs, func(j *job) bool { return j.isIn(n) }) {
		return nil
	}
	unlock, err := lock(ctx, l.turn, "the journal")
	if err != nil {
		return err
	}
	unlock()
	return nil
}

// presentOf returns the records of the entries' jobs that are not finished, each once.
func (l *journal) presentOf(entries []journalEntry) ([]Record, error) {
	records := make([]Record, 0, len(entries))
	last := make(map[*job]int, len(entries))
	take := func(j *job) error {
		r, lost := j.enter(l.count)
		if lost { // all are answered alike, so each is tried by itself
			return fmt.Errorf("%w: %w", errNotWritten, ErrLeaseLost)
		}
		if r.Status.Final() {
			return nil
		}
		if i, twice := last[j]; twice {
			records[i] = r
			return nil
		}
		last[j] = len(records)
		records = append(records, r)
		return nil
	}
	for i := range entries {
		if err := take(entries[i].job); err != nil {
			return nil, err
		}
		for _, j := range entries[i].more {
			if err := take(j); err != nil {
				return nil, err
			}
		}
	}
	return records, nil
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
