package taskflow

import "context"

// Handle refers to one task that was added. It may be ignored, copied and used concurrently. The zero Handle, which
// comes with an error of Submit, refers to none: its ID is empty and it is done.
type Handle struct {
	job       *job
	other     *otherTask // instead of job: it is not in memory
	duplicate bool
}

// ID is the task's id, the one in the dashboard's address.
func (h Handle) ID() string {
	switch {
	case h.other != nil:
		return h.other.id
	case h.job == nil:
		return ""
	}
	return h.job.id.String()
}

// Duplicate reports whether Add or Submit added nothing because another task has the [IdempotencyKey] (or is the one that [Unique]
// lets run): the Handle is that task's.
func (h Handle) Duplicate() bool { return h.duplicate }

// Done is closed when the task has reached its final status, or was saved for the next start. When another instance holds it, that
// is found out by asking the backend, less and less often: up to 2 s late. One goroutine for each such task does that, until the task is
// final or the manager stops; Wait takes none.
func (h Handle) Done() <-chan struct{} {
	if h.other != nil {
		return h.other.isDone()
	}
	if h.job == nil {
		c := make(chan struct{})
		close(c)
		return c
	}
	return h.job.doneChan()
}

// Wait waits for the task to be done. A handler must not wait for a task of its own request, which starts only after the
// response (except with [Eager]). It returns nil for a success, what the function returned (or ErrPanic, ErrGoexit,
// ErrDeadline) for a failure, ErrCancelled or the reason of the refusal, ErrInterrupted, ErrRequeued when the manager stopped
// first, or ErrLeaseLost when another instance holds it now; and the context's error when ctx ends before the task.
func (h Handle) Wait(ctx context.Context) error {
	if h.other != nil {
		return h.other.wait(ctx)
	}
	select {
	case <-h.Done():
	case <-ctx.Done():
		return ctx.Err()
	}
	if h.job == nil {
		return nil
	}
	return h.job.result()
}

// Rejected says why Add refused the task: ErrStopped, ErrQueueFull, ErrArguments, ErrInvalidOption, ErrNotRegistered or
// ErrDiscarded, with details. Nil when the task was accepted. The refused task is visible on the dashboard as cancelled.
func (h Handle) Rejected() error {
	if h.job == nil {
		return nil
	}
	return h.job.rejected
}

// Record returns the task as it is now, in full; of a [Handle.Duplicate] that another instance holds, as it was at Add. The zero Handle
// has the zero Record.
func (h Handle) Record() Record {
	switch {
	case h.other != nil:
		return h.other.record
	case h.job == nil:
		return Record{}
	}
	return h.job.snapshot(true)
}
