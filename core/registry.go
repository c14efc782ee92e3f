package taskflow

import (
	"sync"
	"time"
)

// windowBytes bounds what the window of finished tasks holds in memory, whatever their number.
const windowBytes = 48 << 20

// registry knows every live job and a window of the latest finished ones, in the order of their ids. One lock, held for a
// few pointer operations.
type registry struct {
	mu     sync.Mutex
	ids    idSource
	byID   map[taskID]*job
	newest *job
	oldest *job
	// adopted is the latest that came with an id of its own, or one near it.
	adopted *job
	live    int           // jobs that Stop waits for
	lost    int           // functions that still run although their jobs are another instance's, see Manager.lose
	closed  bool          // only jobs that can be saved for the next start are taken
	sealed  bool          // none is
	idle    chan struct{} // closed when live falls to 0; nil: nobody waits

	limit  int // size of the window
	window jobRing
	weight int

	counts    [6]int64 // final statuses reached since New, in the order of Statuses
	durations [8 * 62]int64
	duration  time.Duration
}

func (r *registry) init(window int) {
	r.limit = window
	r.byID = make(map[taskID]*job)
}

// add gives the job its id, unless it has one, and takes it in. False: the manager stops, and the job cannot be saved (or it is too late for
// that): it must be refused.
func (r *registry) add(j *job, now time.Time, keeps bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if j.id == (taskID{}) {
		r.give(j, now)
		r.link(j, r.newest)
	} else {
		r.link(j, r.before(j.id))
	}
	r.live++
	return !r.closed || keeps && !r.sealed
}

// name gives a job its id before it is taken in.
func (r *registry) name(j *job, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.give(j, now)
}

func (r *registry) give(j *job, now time.Time) {
	id, at := r.ids.next(now)
	j.id, j.created = id, at.UnixNano()
}

// adopt takes in a job that has an id already. False: it is known.
func (r *registry) adopt(j *job) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byID[j.id] != nil {
		return false
	}
	r.ids.last = max(r.ids.last, j.id.ticks()) // of an instance whose clock is ahead: ours must still come later
	r.link(j, r.before(j.id))
	r.adopted = j
	r.live++
	return true
}

// before returns the newest job that is older than id. It looks from the newest on, and at the same time from the one that was adopted last:
// rows of a backend come in the order of their ids, so they mostly belong right behind it.
func (r *registry) before(id taskID) *job {
	up := r.adopted
	if up != nil && up.id.compare(id) > 0 {
		up = nil
	}
	down := r.newest
	for ; down != nil && down.id.compare(id) > 0; down = down.older {
		if up == nil {
			continue
		}
		if up.newer.id.compare(id) > 0 { // there is a newer one: down has just been that
			return up
		}
		up = up.newer
	}
	return down
}

// link inserts j as the next newer of older.
func (r *registry) link(j, older *job) {
	r.byID[j.id] = j
	j.older = older
	if older == nil {
		j.newer, r.oldest = r.oldest, j
	} else {
		j.newer, older.newer = older.newer, j
	}
	if j.newer == nil {
		r.newest = j
	} else {
		j.newer.older = j
	}
}

func (r *registry) unlink(j *job) {
	delete(r.byID, j.id)
	if r.adopted == j {
		r.adopted = j.older
	}
	if j.newer == nil {
		r.newest = j.older
	} else {
		j.newer.older = j.older
	}
	if j.older == nil {
		r.oldest = j.newer
	} else {
		j.older.newer = j.newer
	}
	j.newer, j.older = nil, nil
}

// finish moves a job that has a final status from the live ones to the window. stored: no backend
// will confirm it.
func (r *registry) finish(j *job, status Status, d time.Duration, weight int, stored bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts[status.index()]++
	if status == StatusSuccess || status == StatusFailed {
		r.durations[Bucket(d)]++
		r.duration += d
	}
	j.stored = j.stored || stored // the backend may have been faster
	if j.stored && r.blocked() {
		r.unlink(j) // nobody waits for it, and those that wait to be stored need the room
	} else {
		r.window.push(j, weight)
		r.weight += weight
		r.evict()
	}
	r.leave()
}

// blocked reports whether the window is full of records that must not be dropped yet.
func (r *registry) blocked() bool {
	if r.window.len() == 0 || r.window.len() < r.limit && r.weight < windowBytes {
		return false
	}
	oldest, _ := r.window.oldest()
	return !oldest.stored
}

// lose lets go of a live job that another instance holds; its function may still run.
func (r *registry) lose(j *job, runs bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unlink(j)
	if runs {
		r.lost++
	}
	r.leave()
}

// found notes that the function of a lost job has returned.
func (r *registry) found() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lost--
}

// astray reports whether functions of lost jobs still run.
func (r *registry) astray() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lost > 0
}

// disown drops finished jobs from memory: the backend knows better.
func (r *registry) disown(jobs []*job) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, j := range jobs {
		if r.byID[j.id] == j {
			r.unlink(j)
		}
	}
}

// busy is the number of live jobs.
func (r *registry) busy() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.live
}

// shelve lets go of a job that Stop saves for the next start.
func (r *registry) shelve() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leave()
}

// unshelve takes back a job that could not be saved.
func (r *registry) unshelve() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.live++
}

func (r *registry) leave() {
	if r.live--; r.live == 0 && r.idle != nil {
		close(r.idle)
		r.idle = nil
	}
}

// confirm notes that the backend has the final records of jobs, which may leave the window from now on.
func (r *registry) confirm(jobs []*job) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, j := range jobs {
		j.stored = true
	}
	r.evict()
}

// evict drops the oldest finished jobs beyond the window's bounds, but never one that only we know.
func (r *registry) evict() {
	for r.window.len() > 0 && (r.window.len() > r.limit || r.weight > windowBytes) {
		j, weight := r.window.oldest()
		if !j.stored {
			return
		}
		r.window.drop()
		r.weight -= weight
		if r.byID[j.id] == j {
			r.unlink(j)
		}
	}
}

// forget removes finished jobs added before t from memory and returns how many.
func (r *registry) forget(t time.Time) (n int) {
	limit := t.UnixNano()
	return r.forgetIf(func(j *job) bool { return j.created < limit })
}

// forgetIf removes those finished jobs from memory that the backend has, if there is one, and returns how many.
func (r *registry) forgetIf(which func(*job) bool) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := r.window.len(); i > 0; i-- {
		j, weight := r.window.oldest()
		r.window.drop()
		if j.stored && which(j) {
			r.weight -= weight
			if r.byID[j.id] == j {
				r.unlink(j)
				n++
			}
		} else {
			r.window.push(j, weight)
		}
	}
	return n
}

func (r *registry) get(id taskID) *job {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.byID[id]
}

// walkChunk is how many jobs a walk takes from the list under one lock, so that Add never waits long for a listing.
const walkChunk = 2048

// walk calls visit with each job older than before (the zero id: all), newest first, until visit returns false.
func (r *registry) walk(before taskID, visit func(*job) bool) {
	chunk := make([]*job, 0, 128)
	for {
		r.mu.Lock()
		j := r.newest
		if before != (taskID{}) {
			if at := r.byID[before]; at != nil {
				j = at.older
			} else {
				for j != nil && j.id.compare(before) >= 0 {
					j = j.older
				}
			}
		}
		chunk = chunk[:0]
		for ; j != nil && len(chunk) < walkChunk; j = j.older {
			chunk = append(chunk, j)
		}
		r.mu.Unlock()
		for _, j := range chunk {
			if !visit(j) {
				return
			}
		}
		if len(chunk) < walkChunk {
			return
		}
		before = chunk[len(chunk)-1].id
	}
}

// close refuses further jobs, except those that can be saved: a task that is given the drain time may add what is to follow it.
func (r *registry) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
}

// seal refuses all further jobs.
func (r *registry) seal() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sealed = true
}

// whenIdle returns a channel that is closed once no job is live.
func (r *registry) whenIdle() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	idle := make(chan struct{})
	if r.live == 0 {
		close(idle)
	} else {
		r.idle = idle
	}
	return idle
}

// stats are the final statuses reached since New.
func (r *registry) stats() (s Stats) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.Counts = make(map[Status]int64, 6)
	for i, status := range Statuses() {
		if n := r.counts[i]; n > 0 {
			s.Counts[status] = n
		}
	}
	for i, n := range r.durations {
		if n > 0 {
			s.Durations.AddBucket(i, n, 0)
		}
	}
	s.Durations.Sum = r.duration
	return s
}

// jobRing is a queue of finished jobs with their weights.
type jobRing struct {
	jobs    []*job
	weights []int
	head, n int
}

func (q *jobRing) len() int            { return q.n }
func (q *jobRing) oldest() (*job, int) { return q.jobs[q.head], q.weights[q.head] }

func (q *jobRing) push(j *job, weight int) {
	if q.n == len(q.jobs) {
		size := max(64, 2*q.n)
		jobs, weights := make([]*job, size), make([]int, size)
		for i := range q.n {
			k := (q.head + i) % len(q.jobs)
			jobs[i], weights[i] = q.jobs[k], q.weights[k]
		}
		q.jobs, q.weights, q.head = jobs, weights, 0
	}
	k := (q.head + q.n) % len(q.jobs)
	q.jobs[k], q.weights[k] = j, weight
	q.n++
}

func (q *jobRing) drop() {
	q.jobs[q.head] = nil
	q.head = (q.head + 1) % len(q.jobs)
	q.n--
}
