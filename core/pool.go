package taskflow

import "sync"

// pool runs ready jobs, a bounded number at a time. Its workers are goroutines that live while there is something to do:
// push starts one when the limit allows, and it ends when it finds the queue empty.
type pool struct {
	m      *Manager
	name   string
	worker func() // p.work for a new worker, bound once
	heir   func() // p.work for one that takes over, bound once

	mu      sync.Mutex
	queue   readyQueue
	limit   int
	follows bool // limit follows GOMAXPROCS
	workers int
	coming  int      // workers that were started for a job in the queue and have not come for it yet
	open    bool     // between Start and the end of Stop
	most    PoolInfo // the most workers and waiting jobs since seen was called
}

// newPool makes a pool of at most limit workers; 0: as many as defaultConcurrency says, read again as it changes.
func newPool(m *Manager, name string, limit int) *pool {
	p := &pool{m: m, name: name, limit: limit}
	p.worker, p.heir = func() { p.work(true) }, func() { p.work(false) }
	if limit == 0 {
		p.limit, p.follows = defaultConcurrency(), true
	}
	return p
}

// push queues a job whose place is placeQueue.
func (p *pool) push(j *job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue.push(j, j.policy.priority)
	if p.open && p.workers < p.limit {
		p.workers++
		p.coming++
		p.m.workers.Go(p.worker) // under the lock: after close, nothing is added to what Stop waits for
	}
	p.watch()
}

// take reserves a worker for a job that need not queue: it is occupied, or released. False: the job must queue.
func (p *pool) take() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.open || p.workers >= p.limit {
		return false
	}
	p.workers++
	p.watch()
	return true
}

// release gives a worker back that was taken.
func (p *pool) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.workers--
	p.fill() // something may have queued meanwhile
}

// occupy lets a worker that was taken do first, and then go on as any other.
func (p *pool) occupy(first func()) {
	p.m.workers.Go(func() { p.workAfter(first) })
}

// workAfter is work with something to do before; like that, it may be left by runtime.Goexit.
func (p *pool) workAfter(first func()) {
	done := false
	defer func() {
		if !done {
			p.m.workers.Go(p.heir)
		}
	}()
	first()
	done = true
	p.work(false)
}

func (p *pool) remove(j *job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue.remove(j, j.policy.priority)
}

// work runs jobs until none is ready. It is the body of a worker goroutine, which Manager.workers waits for. fresh: it was started for a job
// in the queue.
func (p *pool) work(fresh bool) {
	done := false
	defer func() {
		if !done { // the task called runtime.Goexit, which ends this goroutine: another one takes over
			p.m.workers.Go(p.heir)
		}
	}()
	for j := p.next(fresh); j != nil; j = p.next(false) {
		p.m.run(j)
	}
	done = true
}

func (p *pool) next(fresh bool) *job {
	p.mu.Lock()
	defer p.mu.Unlock()
	if fresh {
		p.coming--
	}
	if p.open && p.workers <= p.limit {
		if j := p.queue.pop(); j != nil {
			return j
		}
	}
	p.workers--
	return nil
}

// start opens the pool and starts workers for what waits already.
func (p *pool) start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = true
	p.fill()
}

// fill starts as many workers as there are waiting jobs and free slots. The caller holds p.mu.
func (p *pool) fill() {
	for range min(p.limit-p.workers, p.queue.len()) {
		p.workers++
		p.coming++
		p.m.workers.Go(p.worker)
	}
	p.watch()
}

// close ends the workers when they have finished the job at hand.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = false
}

// resize follows a change of GOMAXPROCS (a container's CPU limit, for example) for a pool without a fixed limit.
func (p *pool) resize(limit int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.follows || p.limit == limit {
		return
	}
	p.limit = limit
	if p.open {
		p.fill()
	}
}

func (p *pool) info() PoolInfo {
	p.mu.Lock()
	defer p.mu.Unlock()
	return PoolInfo{Name: p.name, Limit: p.limit, Running: p.workers, Waiting: p.queue.len()}
}

// waiting is how many jobs no worker comes for. The caller holds p.mu.
func (p *pool) waiting() int { return max(p.queue.len()-p.coming, 0) }

// watch notes the most workers and waiting jobs. The caller holds p.mu.
func (p *pool) watch() {
	p.most.Running, p.most.Waiting = max(p.most.Running, p.workers), max(p.most.Waiting, p.waiting())
}

// seen is the most that ran and waited since the last call. What finds a worker free does not count as waiting.
func (p *pool) seen() PoolInfo {
	p.mu.Lock()
	defer p.mu.Unlock()
	most := p.most
	most.Name, most.Limit = p.name, p.limit
	p.most = PoolInfo{}
	p.watch()
	most.Running, most.Waiting = max(most.Running, p.most.Running), max(most.Waiting, p.most.Waiting)
	return most
}
