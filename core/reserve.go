package taskflow

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// How often who wants a key looks again at a task that has it, and of which is not known yet what becomes of it.
const (
	firstLook = 5 * time.Millisecond
	lastLook  = 250 * time.Millisecond
)

// commit is the write to the journal that a Submit waits for. The jobs of one SubmitMany share one.
type commit struct {
	done chan struct{} // closed when the answer is known
	err  error         // set before
	many bool          // of a SubmitMany, which holds keys while it asks for others
}

func newCommit(many bool) *commit { return &commit{done: make(chan struct{}), many: many} }

// answer lets those go who wait for the commit of another's task. A nil commit has none.
func (c *commit) answer(err error) {
	if c != nil {
		c.err = err
		close(c.done)
	}
}

// failed reports whether the answer is known, and is an error.
func (c *commit) failed() bool {
	if c == nil {
		return false
	}
	select {
	case <-c.done:
		return c.err != nil
	default:
		return false
	}
}

// duplicateError is what prepare returns instead of a new task.
type duplicateError struct{ holder Handle }

func (e *duplicateError) Error() string {
	return "taskflow: another task has the idempotency key: " + e.holder.ID()
}

// duplicate returns the Handle of the task that has the key which err is about; ok is false when err is about something else.
func duplicate(err error) (h Handle, ok bool) {
	if dup, ok := errors.AsType[*duplicateError](err); ok {
		return dup.holder, true
	}
	return Handle{}, false
}

func isDuplicate(err error) bool { _, ok := duplicate(err); return ok }

// unsettledError: the task that has the key may not do what was asked for; that is known soon.
type unsettledError struct{ text string }

func (e *unsettledError) Error() string { return e.text }

func unsettled(format string, args ...any) error {
	return &unsettledError{fmt.Sprintf(format, args...)}
}

// reserve gets the idempotency key for a new job, which is given its id for that; or returns a duplicateError, when another task has the
// key and does what was asked for. For Submit that is one that is safe, or done.
func (m *Manager) reserve(ctx context.Context, j *job, now time.Time) error {
	m.registry.name(j, now)
	if j.durable && j.commit == nil {
		j.commit = newCommit(false)
	}
	ends := time.Now().Add(keyTimeout)
	for wait := firstLook; ; wait = min(2*wait, lastLook) {
		if m.life.stopping.Load() && !(m.life.saves && j.keeps()) {
			return ErrStopped
		}
		owner := m.name.Load()
		holder, err := m.keys.reserve(ctx, j, *owner, ends)
		if err != nil {
			return err
		}
		if holder == j.id.String() {
			if j.keyOwner = owner; owner == m.name.Load() {
				return nil
			}
			continue // the lease was lost meanwhile
		}
		h, err := m.sameTask(ctx, j, holder, &ends)
		if err == nil {
			return &duplicateError{h}
		}
		_, later := errors.AsType[*unsettledError](err)
		if !later || time.Until(ends) < wait {
			return fmt.Errorf("another task has the idempotency key %q: %w", j.key, err)
		}
		pause(ctx, wait)
	}
}

// sameTask returns the Handle of the task that has the key of j, if it does what j was to do.
func (m *Manager) sameTask(ctx context.Context, j *job, holder string, ends *time.Time) (Handle, error) {
	if id, err := parseID(holder); err == nil {
		if other := m.registry.get(id); other != nil {
			if err := m.awaitCommit(ctx, j, other, ends); err != nil {
				return Handle{}, err
			}
			return Handle{job: other, duplicate: true}, other.standsFor(j)
		}
	}
	o := &otherTask{m: m, id: holder}
	ctx, cancel := context.WithDeadline(ctx, *ends)
	defer cancel()
	if j.durable {
		var err error
		if o.record, err = m.storedTask(ctx, holder); err != nil {
			return Handle{}, err
		}
	} else if r, err := m.Get(ctx, holder); err == nil {
		o.record = r
	} else if !errors.Is(err, ErrNotFound) {
		m.log.Warn("taskflow: the task that has an idempotency key cannot be read", "task_id", holder, "error", err)
	}
	return Handle{other: o, duplicate: true}, nil
}

// awaitCommit waits until it is known whether a task that is being submitted here is safe. A Submit that has no key yet keeps nobody waiting and
// may wait for as long as that takes; ends is then moved. A SubmitMany has keys that others may wait for, so it does not wait for long.
func (m *Manager) awaitCommit(ctx context.Context, j, other *job, ends *time.Time) error {
	c := other.commit
	if c == nil || c == j.commit {
		return nil
	}
	bounded := !j.durable || j.commit.many
	if bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, *ends)
		defer cancel()
	}
	select {
	case <-c.done:
		if !bounded {
			*ends = time.Now().Add(keyTimeout)
		}
		return nil
	case <-m.life.killing.Done():
		return ErrStopped
	case <-ctx.Done():
	}
	switch {
	case !j.durable:
		return nil // Add promises nothing that the other's commit could break
	case bounded:
		return unsettled("%s is being submitted, and the backend has not answered yet; submit again", other.id)
	}
	return ctx.Err()
}

// standsFor says why a task in memory does not do what another, with the same key, was to do; nil: it does.
func (j *job) standsFor(other *job) error {
	if j.commit != nil && j.commit == other.commit {
		return nil // of the same SubmitMany: both are safe, or none
	}
	failed := j.commit.failed()
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.status == StatusSuccess:
		return nil
	case j.status.Final():
		return unsettled("%s is %s, and the backend has not been told yet; ask again", j.id, j.status)
	case failed || j.lost:
		return unsettled("%s was not accepted, or is another instance's now; ask again", j.id)
	case other.durable && !j.durable:
		return fmt.Errorf("%w: %s was added by Add and is in memory only; wait for it, or use Submit for all tasks with this key", ErrNotDurable, j.id)
	}
	return nil
}

// storedTask returns a task that is not in memory, if the backend has it: then it is safe, or done.
func (m *Manager) storedTask(ctx context.Context, id string) (Record, error) {
	r, err := m.pendingRow(ctx, id)
	if errors.Is(err, ErrNotFound) {
		if r, err = m.store.get(ctx, id); err == nil && r.Status != StatusSuccess {
			return r, unsettled("%s is %s; ask again", id, r.Status) // which has just freed the key
		}
	}
	if err == nil {
		return r, nil
	}
	if !errors.Is(err, ErrNotFound) {
		return r, fmt.Errorf("look for %s: %w", id, err)
	}
	if r, err := m.getElsewhere(ctx, id); err == nil && r.Owner != "" {
		return r, fmt.Errorf("%w: %s was added by Add and is in the memory of instance %s only; wait for it, or use Submit for all tasks with this key",
			ErrNotDurable, id, clip(r.Owner, 64))
	}
	return r, unsettled("the backend does not have %s: it is being submitted, was added by Add, or its instance has died; ask again, at the latest "+
		"when the lease of that instance is over", id)
}

// pendingRow returns an unfinished task as the backend has it.
func (m *Manager) pendingRow(ctx context.Context, id string) (Record, error) {
	if m.store.pending != nil {
		return m.store.pending.GetPending(ctx, id)
	}
	rows, err := m.cfg.backend.LoadPending(ctx)
	if err != nil {
		return Record{}, err
	}
	for i := range rows {
		if rows[i].ID == id {
			return rows[i], nil
		}
	}
	return Record{}, fmt.Errorf("%w: %s", ErrNotFound, id)
}
