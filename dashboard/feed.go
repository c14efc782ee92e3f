package dashboard

import (
	"context"
	"crypto/rand"
	"net/http"
	"sync"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// linger is how long the changes are still followed after the last viewer left: a viewer that reconnects misses nothing.
const linger = 30 * time.Second

// feed lets any number of viewers share one subscription of the manager. The goroutines that serve it are started for the first viewer and
// ended some time after the last one; close waits for them. Safe for concurrent use.
type feed struct {
	m   *taskflow.Manager
	max int

	wg      sync.WaitGroup // the goroutines, and the timer's function
	mu      sync.Mutex
	viewers int
	current *broadcast // nil while nobody watches
	around  *around    // of current
	cancel  context.CancelFunc
	idle    *time.Timer // set while it lingers
	ending  chan struct{}
	ended   bool
}

func newFeed(m *taskflow.Manager, most int) *feed {
	return &feed{m: m, max: most, ending: make(chan struct{})}
}

// viewer is one open stream.
type viewer struct {
	b       *broadcast
	seen    uint64
	resumed bool // it goes on where it was
}

// join admits a viewer; leave must be called when it ends.
func (f *feed) join(lastEventID string) (*viewer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-f.m.Draining():
		return nil, refuse(http.StatusServiceUnavailable, "the server is shutting down").after(5 * time.Second)
	default:
	}
	switch {
	case f.ended:
		return nil, refuse(http.StatusServiceUnavailable, "this dashboard was closed").after(5 * time.Second)
	case f.viewers >= f.max:
		return nil, refuse(http.StatusServiceUnavailable,
			"%d viewers are watching, which is the limit (dashboard.MaxViewers); poll the list instead", f.max).after(30 * time.Second)
	}
	if f.idle != nil && f.idle.Stop() {
		f.wg.Done() // its function will not run
	}
	f.idle = nil
	if f.current == nil || isClosed(f.current.done) {
		f.start()
	}
	f.viewers++
	seen, ok := f.current.resume(lastEventID)
	return &viewer{b: f.current, seen: seen, resumed: ok}, nil
}

func (f *feed) start() {
	if f.cancel != nil {
		f.cancel() // the goroutine before has ended by itself
	}
	ctx, cancel := context.WithCancel(context.Background())
	b := newBroadcast(rand.Text()[:epochBytes])
	// subscribed here and not in the goroutine: what changes from now on is in the stream
	sub := f.m.Subscribe()
	a := newAround(f.m, b)
	b.touched = &a.touched
	f.wg.Go(func() { // ended by cancel, or with the manager
		defer cancel() // the other one may be asking the backend
		b.follow(ctx, sub)
	})
	f.wg.Go(func() { a.run(ctx) }) // ended by cancel
	f.current, f.around, f.cancel = b, a, cancel
}

func (f *feed) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.viewers--; f.viewers > 0 || f.ended || isClosed(f.current.done) {
		return
	}
	f.wg.Add(1)
	var t *time.Timer
	t = time.AfterFunc(linger, func() { f.expire(&t) })
	f.idle = t
}

// expire ends the goroutine, unless somebody has joined since the timer was set.
func (f *feed) expire(t **time.Timer) {
	defer f.wg.Done()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.idle != nil && f.idle == *t {
		f.stop()
	}
}

func (f *feed) stop() {
	if f.current != nil {
		f.cancel()
		f.current, f.around, f.cancel, f.idle = nil, nil, nil, nil
	}
}

// close ends all streams and waits for the goroutine.
func (f *feed) close() {
	f.mu.Lock()
	if !f.ended {
		f.ended = true
		close(f.ending)
		if f.idle != nil && f.idle.Stop() {
			f.wg.Done()
		}
		f.stop()
	}
	f.mu.Unlock()
	f.wg.Wait()
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// operationChanged is told of each change of an operation.
func (f *feed) operationChanged(o *operation) {
	f.mu.Lock()
	a := f.around
	f.mu.Unlock()
	if a != nil {
		a.changed(o)
	}
}
