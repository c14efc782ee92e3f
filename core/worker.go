package taskflow

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"time"
)

// outcome is how an attempt ended.
type outcome struct {
	err      error
	stack    string
	returned bool // by return, not by a panic or Goexit
	unbegun  bool // the function was not called: the journal could not note the start
	again    bool // the policy allows another attempt, after wait
	wait     time.Duration
}

// run executes one attempt of a job on the worker's goroutine, which the task may end by runtime.Goexit.
func (m *Manager) run(j *job) {
	ctx, work, ok := m.begin(j)
	if !ok {
		return
	}
	var out outcome
	defer m.settle(j, ctx, &out)
	if j.durable {
		if err := m.journal.mark(m.life.killing, j); err != nil {
			out.err, out.unbegun = err, true
			return
		}
	}
	attempt(ctx, j, &work, &out)
}

// begin turns a ready job into a running one and makes its context.
func (m *Manager) begin(j *job) (*taskContext, Work, bool) {
	now := time.Now().UnixNano()
	j.mu.Lock()
	if j.deadline != 0 && now >= j.deadline && j.status == StatusPending {
		j.mu.Unlock()
		m.expire(j)
		return nil, Work{}, false
	}
	if j.place != placeQueue || !j.to(StatusRunning) {
		j.mu.Unlock()
		return nil, Work{}, false // cancelled, or saved for later, while it waited
	}
	j.place, j.runAt = placeNone, 0
	if j.startTime == 0 {
		j.startTime = now
	}
	j.attempts++
	admitted := j.admitted
	j.admitted = false
	ctx, cancel := context.WithCancelCause(j.ctx)
	j.cancel, j.cancelling = cancel, nil
	if m.life.killed.Load() {
		j.cancelling = ErrStopped
		cancel(ErrStopped)
	}
	task := &taskContext{Context: ctx, job: j, attempt: j.attempts}
	work := j.work
	m.emit(j, EventStarted)
	again := j.attempts > 1
	j.mu.Unlock()
	if admitted {
		m.pending.Add(-1)
	}
	if again {
		j.logLine("--- Retry " + strconv.Itoa(task.attempt-1) + " ---")
	}
	return task, work, true
}

// attempt calls the function and notes how it ended, whatever it does.
func attempt(ctx context.Context, j *job, work *Work, out *outcome) {
	defer func() {
		if out.returned {
			return
		}
		out.stack = clip(string(debug.Stack()), MaxStackBytes)
		if p := recover(); p == nil {
			out.err = ErrGoexit
		} else if err, ok := p.(error); ok {
			out.err = fmt.Errorf("%w: %w", ErrPanic, err)
		} else {
			out.err = fmt.Errorf("%w: %v", ErrPanic, p)
		}
	}()
	if d := j.policy.timeout; d > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeoutCause(ctx, d, ErrTimeout)
		defer stop()
	}
	if j.deadline != 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithDeadlineCause(ctx, time.Unix(0, j.deadline), ErrDeadline)
		defer stop()
	}
	err := work.run(ctx)
	if err != nil && errors.Is(err, context.DeadlineExceeded) {
		switch cause := context.Cause(ctx); {
		case errors.Is(cause, ErrTimeout):
			err = fmt.Errorf("%w after %v: %w", ErrTimeout, j.policy.timeout, err)
		case errors.Is(cause, ErrDeadline):
			err = fmt.Errorf("%w: not done %v after it was added: %w", ErrDeadline, j.policy.deadline, err)
		}
	}
	out.err, out.returned = err, true
}

// decide asks the policy about a retry. A policy of the user's that panics counts as no.
func (out *outcome) decide(p *policy, attempts int) {
	defer func() {
		if v := recover(); v != nil {
			out.again = false
			out.err = fmt.Errorf("%w; and the retry policy panicked: %v", out.err, v)
		}
	}()
	out.wait, out.again = p.nextRetry(attempts, out.err)
}

// settle gives a job that was running its next status: final, or pending until its next retry.
func (m *Manager) settle(j *job, ctx *taskContext, out *outcome) {
	if out.err != nil && !out.unbegun {
		out.decide(j.policy, ctx.attempt)
	}
	now := time.Now().UnixNano()
	j.mu.Lock()
	cancel, cancelling := j.cancel, j.cancelling
	j.cancel = nil
	if j.status != StatusRunning { // Stop has given it up
		j.mu.Unlock()
		return
	}
	j.stack = out.stack
	status, err, log := StatusFailed, out.err, ""
	switch {
	case err == nil:
		status = StatusSuccess
		if cancelling != nil {
			log = "cancelled (" + cancelling.Error() + "), but the function ran to its end"
		}
	case out.unbegun:
		j.attempts--
		if j.attempts == 0 {
			j.startTime = 0
		}
		status = StatusPending
	case cancelling != nil && errors.Is(cancelling, ErrStopped):
		status, err = StatusInterrupted, fmt.Errorf("%w: %w while it ran: %w", ErrInterrupted, ErrStopped, err)
	case cancelling != nil:
		status, err = StatusCancelled, cancelling
	case out.again && j.deadline != 0 && now+int64(out.wait) >= j.deadline:
		err = fmt.Errorf("%w before the next retry: %w", ErrDeadline, err)
	case out.again:
		status = StatusPending
	}
	if log != "" {
		j.appendLog(logStamp(time.Unix(0, now)) + " WARN taskflow: " + log)
	}
	if !j.to(status) {
		j.mu.Unlock()
		return // cannot happen: every status above may follow running
	}
	if status == StatusPending {
		j.setError(err)
		if out.wait > 0 {
			j.runAt = now + int64(out.wait)
		}
		m.emit(j, EventRetrying)
		j.mu.Unlock()
		cancel(nil)
		m.retryLater(j)
		return
	}
	m.conclude(j, err, now)
	cancel(nil)
	if m.history != nil {
		m.history.throttle()
	}
}

func (m *Manager) retryLater(j *job) {
	if j.durable {
		m.journal.note(j)
	}
	m.dispatch(j)
}
