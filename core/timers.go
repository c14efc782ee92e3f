package taskflow

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// timers wakes jobs: those whose delay or retry wait is over, and those whose deadline passed while they waited. One
// goroutine and one runtime timer serve them all.
type timers struct {
	m    *Manager
	mu   sync.Mutex
	heap alarmHeap
	wake chan struct{} // the earliest alarm has changed
}

// alarm rings at a time for a job. It belongs to timers, under timers.mu.
type alarm struct {
	at    int64
	ring  func(*job)
	job   *job
	index int // in the heap; -1: not there
}

func (t *timers) init(m *Manager) {
	t.m = m
	t.wake = make(chan struct{}, 1)
}

func (t *timers) set(j *job, at int64, ring func(*job)) *alarm {
	a := &alarm{at: at, ring: ring, job: j}
	t.mu.Lock()
	heap.Push(&t.heap, a)
	first := a.index == 0
	t.mu.Unlock()
	if first {
		select {
		case t.wake <- struct{}{}:
		default:
		}
	}
	return a
}

// stop takes the alarm back; nil is allowed.
func (t *timers) stop(a *alarm) {
	if a == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if a.index >= 0 {
		heap.Remove(&t.heap, a.index)
	}
}

// due removes the alarms that have to ring and says how long it is until the next.
func (t *timers) due(now int64) (ring []*alarm, wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.heap) > 0 && t.heap[0].at <= now {
		ring = append(ring, heap.Pop(&t.heap).(*alarm))
	}
	wait = resizeEvery
	if len(t.heap) > 0 {
		wait = min(wait, time.Duration(t.heap[0].at-now))
	}
	return ring, wait
}

// resizeEvery is how often the default pool's limit is compared with GOMAXPROCS.
const resizeEvery = 30 * time.Second

// run serves the alarms until ctx ends. Manager.services waits for it. It also lets the default pool follow GOMAXPROCS.
func (t *timers) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	resized := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.wake:
		case <-timer.C:
		}
		now := time.Now()
		if now.Sub(resized) >= resizeEvery {
			resized = now
			t.m.usual.resize(defaultConcurrency())
		}
		ring, wait := t.due(now.UnixNano())
		for _, a := range ring {
			a.ring(a.job)
		}
		timer.Reset(wait)
	}
}

type alarmHeap []*alarm

func (h alarmHeap) Len() int           { return len(h) }
func (h alarmHeap) Less(a, b int) bool { return h[a].at < h[b].at }
func (h alarmHeap) Swap(a, b int) {
	h[a], h[b] = h[b], h[a]
	h[a].index, h[b].index = a, b
}

func (h *alarmHeap) Push(x any) {
	a := x.(*alarm)
	a.index = len(*h)
	*h = append(*h, a)
}

func (h *alarmHeap) Pop() any {
	old := *h
	a := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	a.index = -1
	return a
}
