package taskflow

import "sync"

// pool runs ready jobs, a bounded number at a time. Its workers are goroutines that live while there is something to do:
// push starts one when the limit allows, and it ends when it finds the queue empty.
type pool struct {
	m      *Manager
	name   string
	worker func() // p.work, bound once

	mu      sync.Mutex
	queue   readyQueue
	limit   int
	follows bool // limit follows GOMAXPROCS
	workers int
	open    bool // between Start and the end of Stop
}

// newPool makes a pool of at most limit workers; 0: as many as defaultConcurrency says, read again as it changes.
func newPool(m *Manager, name string, limit int) *pool {
	p := &pool{m: m, name: name, limit: limit}
	p.worker = p.work
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
		p.m.workers.Go(p.worker) // under the lock: after close, nothing is added to what Stop waits for
	}
}

// take reserves a worker for a job that need not queue: it is occupied, or released. False: the job must queue.
func (p *pool) take() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.open || p.workers >= p.limit {
		return false
	}
	p.workers++
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
			p.m.workers.Go(p.worker)
		}
	}()
	first()
	done = true
	p.work()
}

func (p *pool) remove(j *job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue.remove(j, j.policy.priority)
}

// work runs jobs until none is ready. It is the body of a worker goroutine, which Manager.workers waits for.
func (p *pool) work() {
	done := false
	defer func() {
		if !done { // the task called runtime.Goexit, which ends this goroutine: another one takes over
			p.m.workers.Go(p.worker)
		}
	}()
	for j := p.next(); j != nil; j = p.next() {
		p.m.run(j)
	}
	done = true
}

func (p *pool) next() *job {
	p.mu.Lock()
	defer p.mu.Unlock()
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
		p.m.workers.Go(p.worker)
	}
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
