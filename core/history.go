package taskflow

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// history writes finished records to the backend, in batches, soon after their end. No task that ran is dropped: when the
// backend cannot keep up or is away, records wait here, and beyond the backlog workers wait too (handlers never do).
type history struct {
	m       *Manager
	wake    chan struct{} // something waits, or a batch is full
	closing chan context.Context
	done    chan struct{}
	ctx     context.Context // of every write; ends when Stop has no more time
	cancel  context.CancelFunc

	crowded atomic.Bool // workers must wait, see throttle
	mu      sync.Mutex
	waiting []*job
	bytes   int           // their weight
	room    chan struct{} // closed when the backlog has shrunk; nil: nobody waits
	relaxed bool          // Stop: workers must not wait any more
	closed  bool          // nothing is taken any more
	trouble trouble
}

const (
	saveTimeout  = 30 * time.Second       // for one batch
	retryFirst   = 100 * time.Millisecond // wait after a failed batch, doubling up to retryLast
	retryLast    = 5 * time.Second
	maxSaveBatch = 1000
	backlogBytes = 64 << 20
)

func newHistory(m *Manager) *history {
	h := &history{m: m, wake: make(chan struct{}, 1), closing: make(chan context.Context, 1), done: make(chan struct{})}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	return h
}

// put takes in a finished job. It never blocks. False: it will not be stored, because the manager has stopped, or because
// it never started (which makes it optional) and too many wait already: handlers can cancel and be refused without end.
func (h *history) put(j *job, optional bool) bool {
	h.mu.Lock()
	if h.closed || optional && h.full() {
		h.mu.Unlock()
		return false
	}
	h.waiting = append(h.waiting, j)
	h.bytes += j.size
	n := len(h.waiting)
	h.crowded.Store(h.full() && !h.relaxed)
	h.mu.Unlock()
	if n == 1 || n == h.m.cfg.historyBatch {
		h.signal()
	}
	return true
}

// full reports whether the backlog has reached its bounds. The caller holds h.mu.
func (h *history) full() bool {
	return len(h.waiting) >= h.m.cfg.backlog || h.bytes >= backlogBytes
}

func (h *history) signal() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// throttle makes a worker wait while the backlog is full.
func (h *history) throttle() {
	for h.crowded.Load() {
		h.mu.Lock()
		if !h.crowded.Load() {
			h.mu.Unlock()
			return
		}
		if h.room == nil {
			h.room = make(chan struct{})
		}
		room := h.room
		h.mu.Unlock()
		<-room
	}
}

func (h *history) unthrottle() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.relaxed = true
	h.makeRoom()
}

func (h *history) makeRoom() {
	h.crowded.Store(false)
	if h.room != nil {
		close(h.room)
		h.room = nil
	}
}

// take removes up to n waiting jobs.
func (h *history) take(n int) []*job {
	h.mu.Lock()
	defer h.mu.Unlock()
	n = min(n, len(h.waiting))
	jobs := make([]*job, n)
	copy(jobs, h.waiting)
	rest := copy(h.waiting, h.waiting[n:])
	clear(h.waiting[rest:])
	h.waiting = h.waiting[:rest]
	for _, j := range jobs {
		h.bytes -= j.size
	}
	if !h.full() {
		h.makeRoom()
	}
	return jobs
}

// giveBack returns jobs that could not be stored to the front.
func (h *history) giveBack(jobs []*job) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waiting = append(jobs, h.waiting...)
	for _, j := range jobs {
		h.bytes += j.size
	}
	h.crowded.Store(h.full() && !h.relaxed)
}

func (h *history) len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.waiting)
}

// run writes batches until close. Manager.services waits for it.
func (h *history) run() {
	defer close(h.done)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-h.wake:
		case ctx := <-h.closing:
			h.last(ctx)
			return
		}
		if h.len() < h.m.cfg.historyBatch { // let a batch gather
			timer.Reset(h.m.cfg.historyWait)
			select {
			case <-h.wake:
			case <-timer.C:
			case ctx := <-h.closing:
				h.last(ctx)
				return
			}
		}
		if wait := h.write(h.ctx); wait > 0 {
			timer.Reset(wait)
			select {
			case <-timer.C:
				h.signal()
			case ctx := <-h.closing:
				h.last(ctx)
				return
			}
		} else if h.len() > 0 {
			h.signal()
		}
	}
}

// last writes what is left until ctx ends.
func (h *history) last(ctx context.Context) {
	for h.len() > 0 && ctx.Err() == nil {
		if wait := h.write(ctx); wait > 0 {
			pause(ctx, wait)
		}
	}
}

// write stores one batch. After a failure it returns how long to wait before the next.
func (h *history) write(ctx context.Context) (wait time.Duration) {
	jobs := h.take(maxSaveBatch)
	if len(jobs) == 0 {
		return 0
	}
	err := h.save(ctx, jobs)
	if err == nil {
		h.trouble.over(h.m, "history")
		return 0
	}
	if jobs = h.salvage(ctx, jobs); len(jobs) == 0 {
		return 0
	}
	h.giveBack(jobs)
	return h.trouble.report(h.m, "history", err)
}

func (h *history) save(ctx context.Context, jobs []*job) error {
	saving, cancel := context.WithTimeout(ctx, saveTimeout)
	defer cancel()
	if l := h.m.journal; l != nil {
		if err := l.outwait(saving, jobs); err != nil {
			return err
		}
	}
	records := make([]Record, len(jobs))
	for i, j := range jobs {
		records[i] = j.snapshot(true)
	}
	n, err := h.m.store.backend.Save(saving, records)
	if err != nil {
		return err
	}
	h.m.registry.confirm(jobs)
	if n < len(records) { // another instance holds some of them, and says what became of them
		h.m.registry.disown(slices.DeleteFunc(slices.Clone(jobs), func(j *job) bool { return j.owner == "" }))
		records = h.written(ctx, records)
	}
	h.m.keys.settle(ctx, records)
	return nil
}

// written returns those of a batch, of which another instance holds some, whose keys are to be freed.
func (h *history) written(ctx context.Context, records []Record) []Record {
	ctx, cancel := context.WithTimeout(ctx, keyTimeout)
	defer cancel()
	return slices.DeleteFunc(records, func(r Record) bool {
		if r.Key == "" || r.Status == StatusSuccess || r.Owner == "" {
			return false
		}
		stored, err := h.m.store.get(ctx, r.ID)
		return err != nil || stored.Owner != r.Owner || stored.Status != r.Status
	})
}

// salvage stores the records of a failed batch one by one, so that one record that the backend cannot take does not keep
// the others from being stored. Such a record is given up, with an error in the log, when others succeed three times and it
// does not. It returns what remains to be stored.
func (h *history) salvage(ctx context.Context, jobs []*job) (rest []*job) {
	const probes = 8 // failures without a success that prove the backend to be away
	saved := 0
	for i, j := range jobs {
		if ctx.Err() != nil || saved == 0 && len(rest) >= probes {
			// begin with others next time: eight bad records must not look like an absent backend for ever
			return append(jobs[i:len(jobs):len(jobs)], rest...)
		}
		if err := h.save(ctx, []*job{j}); err == nil {
			saved++
		} else if j.misses++; j.misses > 3 && saved > 0 {
			h.m.log.Error("taskflow: a record cannot be stored, given up", "task_id", j.id.String(), "task", j.name, "error", err)
			h.m.registry.confirm([]*job{j})
		} else {
			rest = append(rest, j)
		}
	}
	return rest
}

// close stores what waits, at most until ctx ends, and ends run.
func (h *history) close(ctx context.Context) error {
	defer h.cancel()
	defer context.AfterFunc(ctx, h.cancel)() // a write under way does not outlast ctx either
	h.closing <- ctx
	<-h.done
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	if n := len(h.waiting); n > 0 {
		return fmt.Errorf("taskflow: stop: %d finished tasks could not be stored: %w", n, h.trouble.lastError())
	}
	return nil
}

// unsaved returns the finished jobs that the backend has not confirmed, except those of a batch under way.
func (h *history) unsaved() []*job {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]*job(nil), h.waiting...)
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
