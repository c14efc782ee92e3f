package taskflow

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// otherTask is what a Handle refers to when the task that has the idempotency key is not in the memory of this instance.
type otherTask struct {
	m      *Manager
	id     string
	record Record // as it was when the duplicate was added; its ID is empty when it could not be read

	once sync.Once
	done <-chan struct{}
}

// How often a task of another instance is looked at by who waits for it: less and less often. A task in the memory of the other may take some
// looks to be seen at all.
const (
	otherPoll     = 250 * time.Millisecond
	otherPollLast = 2 * time.Second
	otherMissing  = 4
)

// isDone is closed when the task is final or the manager stops.
func (o *otherTask) isDone() <-chan struct{} {
	o.once.Do(func() { o.done = o.m.watch(o.id) })
	return o.done
}

// wait returns what became of the task, or the error of ctx.
func (o *otherTask) wait(ctx context.Context) error {
	r, err := o.m.endElsewhere(ctx, o.id)
	switch {
	case err != nil:
		return err
	case r.Status == StatusSuccess:
		return nil
	case r.Status == StatusCancelled:
		return fmt.Errorf("%w: %s", ErrCancelled, r.Error)
	case r.Status == StatusInterrupted:
		return fmt.Errorf("%w: %s", ErrInterrupted, r.Error)
	case r.Status == StatusFailed:
		return errors.New(r.Error)
	}
	return ErrRequeued // this manager stops, and another instance holds it
}

// endElsewhere looks at a task of another instance until it is final, ctx ends, or the manager stops: then the record is that of an unfinished task.
func (m *Manager) endElsewhere(ctx context.Context, id string) (Record, error) {
	missing := 0
	for wait := otherPoll; ; wait = min(2*wait, otherPollLast) {
		r, err := m.glance(ctx, id)
		switch {
		case ctx.Err() != nil:
			return r, ctx.Err()
		case err == nil && r.Status.Final():
			return r, nil
		case errors.Is(err, ErrNotFound):
			if missing++; missing >= otherMissing {
				return r, err
			}
		}
		look := time.NewTimer(wait)
		select {
		case <-look.C:
		case <-ctx.Done():
			look.Stop()
			return r, ctx.Err()
		case <-m.draining:
			look.Stop()
			if now, err := m.glance(ctx, id); err == nil {
				r = now
			}
			return r, nil
		}
	}
}

// glance is Get by somebody who has time to try again.
func (m *Manager) glance(ctx context.Context, id string) (Record, error) {
	ctx, cancel := context.WithTimeout(ctx, peersTimeout)
	defer cancel()
	return m.Get(ctx, id)
}

// watchers are the tasks of other instances of which somebody here wants to know when they are done.
type watchers struct {
	mu   sync.Mutex
	done map[string]chan struct{} // by id
}

// watch returns a channel that is closed when the task of another instance is final, or the manager stops. However many ask, one goroutine looks,
// which Manager.services waits for.
func (m *Manager) watch(id string) <-chan struct{} {
	w := &m.watchers
	m.life.mu.Lock() // Stop, which waits for the goroutine, comes before or after
	defer m.life.mu.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	if done := w.done[id]; done != nil {
		return done
	}
	done := make(chan struct{})
	if m.life.done != nil {
		close(done)
		return done
	}
	if w.done == nil {
		w.done = map[string]chan struct{}{}
	}
	w.done[id] = done
	m.services.Go(func() {
		if _, err := m.endElsewhere(context.Background(), id); err != nil {
			m.log.Debug("taskflow: a task of another instance is not watched any more", "task_id", id, "error", err)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.done, id)
		close(done)
	})
	return done
}
