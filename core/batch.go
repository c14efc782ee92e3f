package taskflow

import (
	"context"
	"fmt"
	"sync"
)

// Batch holds the tasks that one request adds until its response has been sent. An adapter makes one for each request, puts
// it into the request's context, and calls Release when the response is out or Discard when the request failed. Safe for
// concurrent use; made by [Manager.NewBatch], or embedded in a larger struct and prepared by Init.
type Batch struct {
	m       *Manager
	capture func(context.Context) context.Context // nil: contexts are kept as they are

	mu    sync.Mutex
	state batchState
	jobs  []*job
	one   [1]*job // room for the usual single task
}

type batchState uint8

const (
	batchOpen batchState = iota
	batchReleased
	batchDiscarded
)

// NewBatch returns an open batch of m.
func (m *Manager) NewBatch() *Batch {
	b := &Batch{}
	b.Init(m)
	return b
}

// Init prepares a zero Batch that is part of a larger struct.
func (b *Batch) Init(m *Manager) { b.m = m }

// Capture makes f replace the context of every task that is added, while the handler still runs. It is for frameworks that keep values in
// the request's context which they reuse for other requests: f returns a context with copies of those. Call it before the batch is shared.
func (b *Batch) Capture(f func(context.Context) context.Context) { b.capture = f }

// captured is ctx as a task may keep it.
func (b *Batch) captured(ctx context.Context) context.Context {
	if b.capture == nil || ctx == nil {
		return ctx
	}
	return b.capture(ctx)
}

// BatchKey is the key under which a request's context carries its *Batch. Adapters with a context type of their own answer
// it in Value; others use [ContextWithBatch].
type BatchKey struct{}

// ContextWithBatch returns a context that carries b.
func ContextWithBatch(ctx context.Context, b *Batch) context.Context {
	return context.WithValue(ctx, BatchKey{}, b)
}

// BatchFrom returns the batch that ctx carries; nil when no adapter's middleware has been passed.
func BatchFrom(ctx context.Context) *Batch {
	b, _ := ctx.Value(BatchKey{}).(*Batch)
	return b
}

// Manager is the manager whose batch this is.
func (b *Batch) Manager() *Manager { return b.m }

// Add adds a task to the request. It runs after Release, or at once when that has happened already or with [Eager]. Of ctx,
// the request's, the task keeps the values but not the cancellation. Add never fails a request: what it must refuse ends as
// cancelled, see [Handle.Rejected].
func (b *Batch) Add(ctx context.Context, w Work, opts ...AddOption) Handle {
	j, err := b.m.newJob(b.captured(ctx), w, opts, SourceManual)
	if err == nil && !j.eager && b.discarded() {
		err = ErrDiscarded
	}
	if err != nil {
		return b.m.refused(j, err)
	}
	b.m.announceAdded(j)
	b.hold(j)
	return Handle{job: j}
}

// Submit adds a task that the backend keeps: it returns once the task is safe, and the task runs after Release as with Add.
// Errors as of [Manager.Submit], and ErrDiscarded; then the task does not run. A request that fails later drops its
// submitted tasks too; one whose process dies before its response was sent does not.
func (b *Batch) Submit(ctx context.Context, c Call, opts ...AddOption) (Handle, error) {
	if b.discarded() {
		return Handle{}, fmt.Errorf("taskflow: submit %q: %w", c.Name(), ErrDiscarded)
	}
	j, begun, err := b.m.submit(b.captured(ctx), c, opts, false)
	if err != nil {
		return notSubmitted(err)
	}
	if !begun {
		b.hold(j)
	}
	return Handle{job: j}, nil
}

// hold keeps j for Release, or treats it as the batch was treated.
func (b *Batch) hold(j *job) {
	b.mu.Lock()
	state := b.state
	if j.eager {
		state = batchReleased
	}
	if state == batchOpen {
		j.mu.Lock()
		if j.place == placeAdder {
			j.place, j.since = placeBatch, 0
		}
		j.mu.Unlock()
		if b.jobs == nil {
			b.jobs = b.one[:0]
		}
		b.jobs = append(b.jobs, j)
	}
	b.mu.Unlock()
	switch state {
	case batchOpen:
		if b.m.life.stopping.Load() {
			b.m.reconsider(j) // Stop may have looked before the batch had it
		}
	case batchReleased:
		b.m.dispatch(j)
	case batchDiscarded:
		b.m.finish(j, StatusCancelled, ErrDiscarded)
	}
}

// Release lets the tasks run: the response is on the wire. It never blocks. Only the first Release or Discard counts.
func (b *Batch) Release() {
	jobs := b.close(batchReleased)
	for _, j := range jobs {
		b.m.dispatch(j)
	}
	clear(jobs) // they are in b.one: let go of them
}

// Discard drops the tasks: the request failed. They end as cancelled with reason, which should say how (nil: ErrDiscarded). It
// never blocks. Only the first Release or Discard counts.
func (b *Batch) Discard(reason error) {
	if reason == nil {
		reason = ErrDiscarded
	} else {
		reason = fmt.Errorf("%w: %w", ErrDiscarded, reason)
	}
	jobs := b.close(batchDiscarded)
	for _, j := range jobs {
		b.m.finish(j, StatusCancelled, reason)
	}
	clear(jobs)
}

func (b *Batch) close(state batchState) []*job {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state != batchOpen {
		return nil
	}
	b.state = state
	jobs := b.jobs
	b.jobs = nil
	return jobs
}

func (b *Batch) discarded() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state == batchDiscarded
}

// Empty reports whether nothing waits for Release.
func (b *Batch) Empty() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.jobs) == 0
}
