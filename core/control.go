package taskflow

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Cancel cancels a task. One that waits, also for a retry, ends at once as cancelled. The context of a running one ends with a
// cause that is ErrCancelled and carries the reason, and the task ends as cancelled when its function returns with an error; a
// function that returns nil has succeeded all the same, and its log says that it was cancelled. The record is as it is right
// after. A task that another instance of the same backend holds is cancelled through that one, within 2 s if its function heeds that; one that
// nobody holds is cancelled in the backend. Errors: ErrNotFound, ErrNotCancellable,
// ErrHeldElsewhere, and the backend's.
func (m *Manager) Cancel(ctx context.Context, id, reason string) (Record, error) {
	key, err := parseID(id)
	if err != nil {
		return Record{}, err
	}
	if j := m.registry.get(key); j != nil {
		if r, err := m.cancelJob(j, cancelCause(reason)); !errors.Is(err, ErrLeaseLost) {
			return r, err
		}
	}
	return m.cancelElsewhere(ctx, id, reason)
}

// cancelHere is Cancel for a task that another instance wants to end, if it is here.
func (m *Manager) cancelHere(id, reason string) {
	key, err := parseID(id)
	if err != nil {
		return
	}
	if j := m.registry.get(key); j != nil {
		if _, err := m.cancelJob(j, cancelCause(reason)); err != nil && !errors.Is(err, ErrNotCancellable) && !errors.Is(err, ErrLeaseLost) {
			m.log.Warn("taskflow: another instance's request to cancel a task failed", "task_id", id, "error", err)
		}
	}
}

func cancelCause(reason string) error {
	if reason == "" {
		return ErrCancelled
	}
	return fmt.Errorf("%w: %s", ErrCancelled, clip(reason, MaxReasonBytes))
}

func (m *Manager) cancelJob(j *job, cause error) (Record, error) {
	for { // a job that begins, or goes back to waiting, between the two is met by the next round
		if m.cancelRun(j, cause) || m.finish(j, StatusCancelled, cause) {
			return j.snapshot(true), nil
		}
		switch r, shelved, lost := j.standing(); {
		case lost:
			return r, fmt.Errorf("%w: it cannot be cancelled here", ErrLeaseLost)
		case r.Status.Final():
			return r, fmt.Errorf("%w: it is %s already", ErrNotCancellable, r.Status)
		case shelved:
			return r, fmt.Errorf("%w: it is being saved for the next start", ErrNotCancellable)
		}
	}
}

// cancelRun ends the context of a running attempt; false when none is running.
func (m *Manager) cancelRun(j *job, cause error) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.status != StatusRunning {
		return false
	}
	if j.cancelling == nil {
		j.cancelling = cause
		j.note(time.Now().UnixNano(), "cancellation requested: "+cause.Error())
	}
	if j.cancel != nil {
		j.cancel(cause)
	}
	return true
}

// Retry runs a failed, interrupted or cancelled task again, as a new task with the same arguments, tags, priority and
// pool. The old record stays and names its repetition (RetriedBy). Errors: ErrNotFound, ErrNotRetryable, ErrNotRegistered (its
// name is not registered, or it was a closure), ErrStopped, ErrQueueFull, and the backend's.
func (m *Manager) Retry(ctx context.Context, id string) (Handle, error) {
	old, err := m.Get(ctx, id)
	if err != nil {
		return Handle{}, err
	}
	d := m.tasks[old.Name]
	switch {
	case !old.Status.Retryable():
		return Handle{}, fmt.Errorf("%w: only failed, interrupted and cancelled tasks can be, and %s is %s", ErrNotRetryable, id, old.Status)
	case old.Closure:
		return Handle{}, fmt.Errorf("%w: %s was a closure (%s), which cannot be called again; Define a task", ErrNotRegistered, id, old.Name)
	case d == nil:
		return Handle{}, fmt.Errorf("%w: %q, the task of %s, is not known to this process", ErrNotRegistered, old.Name, id)
	case old.Args == nil:
		return Handle{}, fmt.Errorf("%w: the arguments of %s were never stored", ErrNotRetryable, id)
	case !m.life.running():
		return Handle{}, fmt.Errorf("taskflow: retry %s: %w", id, ErrStopped)
	}
	durable, owner := old.Durable && m.journal != nil, ""
	if durable {
		owner = m.Instance()
	}
	j := m.jobOf(&Record{
		Owner: owner, Priority: old.Priority, MaxRetries: d.policy.retries, Requeue: d.policy.requeue, Tags: old.Tags, Pool: old.Pool,
		Args: old.Args, Source: SourceRetry, RetryOf: old.ID, Status: StatusPending, Durable: durable,
	}, d)
	if err := m.prepareRetry(ctx, j); err != nil {
		return Handle{}, fmt.Errorf("taskflow: retry %s: %w", id, err)
	}
	m.noteRetry(ctx, &old, j)
	m.announceAdded(j)
	m.dispatch(j)
	return Handle{job: j}, nil
}

func (m *Manager) prepareRetry(ctx context.Context, j *job) error {
	if err := m.admit(j, time.Now(), nil); err != nil {
		m.refuse(j, err)
		return err
	}
	if j.durable {
		return m.accept(ctx, j)
	}
	return nil
}

// noteRetry writes the repetition's id into the old record. That is only a link: the repetition goes on if it fails.
func (m *Manager) noteRetry(ctx context.Context, old *Record, by *job) {
	id, err := parseID(old.ID)
	if err != nil {
		return
	}
	if j := m.registry.get(id); j != nil {
		j.mu.Lock()
		j.retriedBy = by.id
		m.emit(j, EventLinked)
		j.mu.Unlock()
		if m.history != nil {
			m.history.put(j, true)
		}
		return
	}
	if m.store == nil {
		return // it has left memory meanwhile, and was nowhere else
	}
	old.RetriedBy = by.id.String()
	// Whoever asked for the retry may have gone by now; without the link it would be retried again with all that failed.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
	defer cancel()
	if _, err := m.store.backend.Save(ctx, []Record{*old}); err != nil {
		m.log.Warn("taskflow: the retried record could not be linked to its retry", "task_id", old.ID, "error", err)
	}
}

// DeleteHistory removes finished tasks added before t, from memory and from the backend, and returns how many it removed
// from each; live tasks stay. ErrNotSupported when the backend is no Deleter; then nothing is removed.
func (m *Manager) DeleteHistory(ctx context.Context, t time.Time) (memory, backend int, err error) {
	if m.store != nil {
		d, ok := m.cfg.backend.(Deleter)
		if !ok {
			return 0, 0, fmt.Errorf("taskflow: delete history: %w: it has no DeleteBefore", ErrNotSupported)
		}
		if backend, err = d.DeleteBefore(ctx, t); err != nil {
			return 0, 0, fmt.Errorf("taskflow: delete history: %w", err)
		}
	}
	return m.registry.forget(t), backend, nil
}
