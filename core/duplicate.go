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
	done chan struct{}
}

// otherPoll is how often a task of another instance is looked at by who waits for it.
const otherPoll = 250 * time.Millisecond

// duplicateError is what prepare returns instead of a new task.
type duplicateError struct{ holder string }

func (e *duplicateError) Error() string {
	return "taskflow: another task has the idempotency key: " + e.holder
}

func isDuplicate(err error) bool { _, ok := errors.AsType[*duplicateError](err); return ok }

// duplicate returns the Handle of the task that has the key which err is about; ok is false when err is about something else.
func (m *Manager) duplicate(ctx context.Context, err error) (h Handle, ok bool) {
	dup, ok := errors.AsType[*duplicateError](err)
	if !ok {
		return Handle{}, false
	}
	if id, err := parseID(dup.holder); err == nil {
		if j := m.registry.get(id); j != nil {
			return Handle{job: j, duplicate: true}, true
		}
	}
	o := &otherTask{m: m, id: dup.holder}
	ctx, cancel := context.WithTimeout(ctx, keyTimeout)
	defer cancel()
	if r, err := m.Get(ctx, dup.holder); err == nil {
		o.record = r
	} else if !errors.Is(err, ErrNotFound) {
		m.log.Warn("taskflow: the task that has an idempotency key cannot be read", "task_id", dup.holder, "error", err)
	}
	return Handle{other: o, duplicate: true}, true
}

// reserve gets the idempotency key for a new job, which is given its id for that.
func (m *Manager) reserve(ctx context.Context, j *job, now time.Time) error {
	if j.m.life.stopping.Load() {
		return ErrStopped
	}
	m.registry.name(j, now)
	holder, err := m.keys.reserve(ctx, j.key, j.id.String(), j.keep)
	switch {
	case err != nil:
		j.key = "" // it is not ours to free
		return err
	case holder != j.id.String():
		return &duplicateError{holder}
	}
	return nil
}

// isDone is closed when the task is final or the manager stops.
func (o *otherTask) isDone() <-chan struct{} {
	o.once.Do(func() {
		o.done = make(chan struct{})
		l := &o.m.life
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.done != nil {
			close(o.done)
			return
		}
		o.m.services.Go(o.watch) // before Stop, which waits for it
	})
	return o.done
}

func (o *otherTask) watch() {
	defer close(o.done)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	look := time.NewTicker(otherPoll)
	defer look.Stop()
	for {
		if r, err := o.m.Get(ctx, o.id); err == nil && r.Status.Final() || errors.Is(err, ErrNotFound) {
			return
		}
		select {
		case <-look.C:
		case <-o.m.draining:
			return
		}
	}
}

// result is what became of the task, read now.
func (o *otherTask) result(ctx context.Context) error {
	r, err := o.m.Get(ctx, o.id)
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
