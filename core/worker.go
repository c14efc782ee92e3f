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
	began    int64 // when the function was called, Unix nanoseconds; 0: when the attempt began
	returned bool  // by return, not by a panic or Goexit
	unbegun  bool  // the function was not called: the journal could not note the start
	again    bool  // the policy allows another attempt, after wait
	wait     time.Duration
	overran  error // it returned nil, but only after its time-out or the deadline had passed
}

// run executes one attempt of a job on the worker's goroutine, which the task may end by runtime.Goexit.
func (m *Manager) run(j *job) {
	if ctx, work, ok := m.begin(j); ok {
		m.perform(j, ctx, &work, !j.durable)
	}
}

// perform executes an attempt that has begun. noted: the backend knows, or need not.
func (m *Manager) perform(j *job, ctx *taskContext, work *Work, noted bool) {
	var out outcome
	defer m.settle(j, ctx, &out)
	defer out.decide(j.policy, max(ctx.attempt-j.crashes, 1)) // a process that died has used no retry; before settle, which thus is called whatever the policy does
	if !noted {
		// A submitted task must not start before the backend knows.
		if err := m.noteStart(ctx, j); err != nil {
			out.err, out.unbegun = err, true
			if errors.Is(err, ErrLeaseLost) {
				m.lose(j, j.owner)
			}
			return
		}
		j.letUp()
	}
	if j.durable { // its start had to be written first
		out.began = time.Now().UnixNano()
	}
	attempt(ctx, j, work, &out)
}

// noteStart writes to the journal that j runs.
func (m *Manager) noteStart(ctx context.Context, j *job) error {
	if j.deadline != 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithDeadlineCause(ctx, time.Unix(0, j.deadline), ErrDeadline)
		defer stop()
	}
	return m.journal.put(ctx, j)
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
	j.meter.started(now, j.since)
	j.since = now
	j.attempts++
	if j.attempts > 1 {
		j.attemptBegins(now)
	}
	admitted := j.admitted
	j.admitted = false
	ctx, cancel := context.WithCancelCause(j.ctx)
	j.cancel, j.cancelling = cancel, nil
	if m.life.killed.Load() {
		j.cancelling = ErrStopped
		cancel(ErrStopped)
	}
	task := &taskContext{Context: ctx, job: j, request: j.ctx, attempt: j.attempts}
	work := j.work
	m.emit(j, EventStarted)
	again := j.attempts > 1 && j.holdups == 0 // one that was held up has said so already
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
	if err == nil && ctx.Err() != nil {
		if cause := context.Cause(ctx); errors.Is(cause, ErrTimeout) || errors.Is(cause, ErrDeadline) {
			out.overran = cause
		}
	}
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

// decide asks the policy about a retry. A policy of the user's that panics, or ends the goroutine, counts as no.
func (out *outcome) decide(p *policy, attempts int) {
	if out.err == nil || out.unbegun {
		return
	}
	decided := false
	defer func() {
		if v := recover(); !decided {
			out.again = false
			out.err = fmt.Errorf("%w; and the retry policy did not decide: %v", out.err, v)
		}
	}()
	out.wait, out.again = p.nextRetry(attempts, out.err)
	decided = true
}

// settle gives a job that was running its next status: final, or pending until its next retry.
func (m *Manager) settle(j *job, ctx *taskContext, out *outcome) {
	now := time.Now().UnixNano()
	status, why := StatusSuccess, failure{}
	if out.err == nil {
		j.mu.Lock()
	} else {
		status, why = m.judge(j, out, now) // locks
	}
	cancel := j.cancel
	j.cancel = nil
	if !j.to(status) { // Stop has given it up, or another instance holds it
		lost := j.lost
		j.mu.Unlock()
		if lost {
			cancel(nil)
			m.registry.found()
		}
		return
	}
	j.stack = out.stack
	if !out.unbegun {
		j.meter.run.observe(now - max(j.since, out.began))
	}
	if status.Final() {
		if out.err == nil && j.cancelling != nil {
			j.note(now, "cancelled ("+j.cancelling.Error()+"), but the function ran to its end")
		}
		if out.overran != nil {
			j.note(now, out.overran.Error()+", but the function ran to its end")
		}
		m.conclude(j, why, now) // unlocks
		cancel(nil)
		if m.history != nil {
			m.history.throttle()
		}
		return
	}
	if out.unbegun {
		j.attemptUnbegun()
		m.holdUp(j, out, now, ctx.attempt, why)
	} else {
		j.meter.retried.Add(1)
		j.attemptEnds(now, why.text)
		j.setFailure(why)
		j.note(now, fmt.Sprintf("attempt %d failed: %s", ctx.attempt, why.text))
	}
	j.since = 0
	if out.wait > 0 {
		j.runAt = later(now, out.wait)
	}
	m.emit(j, EventRetrying)
	j.mu.Unlock()
	cancel(nil)
	if j.durable && !(out.unbegun && errors.Is(out.err, errNotWritten)) { // otherwise its row is as it was
		m.journal.note(j)
	}
	m.dispatch(j)
}

// lastHoldup bounds the wait between two tries of a job to begin. Many may wait for a backend to answer: they must not keep the processor busy.
const lastHoldup = 15 * time.Second

// holdUp puts a job back whose start could not be noted. Its log says so once, however long that lasts. The caller holds j.mu.
func (m *Manager) holdUp(j *job, out *outcome, now int64, attempt int, why failure) {
	j.attempts--
	if j.attempts == 0 {
		j.startTime = 0
	}
	if j.holdups == 0 {
		j.note(now, fmt.Sprintf("attempt %d waits for the backend, which does not take note of its start: %s", attempt, why.text))
	}
	out.wait = min(retryFirst<<min(j.holdups, 10), lastHoldup)
	j.setFailure(why)
	j.holdups++
}

// letUp notes that the start of a job that was held up has been noted at last.
func (j *job) letUp() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.holdups > 0 {
		j.note(time.Now().UnixNano(), fmt.Sprintf("the backend has taken note of the start of attempt %d, after %d tries", j.attempts, j.holdups+1))
		j.holdups = 0
	}
}

// judge finds the status that follows a failed attempt, and returns with j.mu held. What users' errors say is asked for
// without it.
func (m *Manager) judge(j *job, out *outcome, now int64) (status Status, why failure) {
	var cancelling, err error
	for judged := false; ; judged = true {
		j.mu.Lock()
		if judged && (cancelling == nil) == (j.cancelling == nil) {
			return status, why // nobody has cancelled it meanwhile
		}
		cancelling = j.cancelling
		j.mu.Unlock()
		status, err = out.next(j, cancelling, now)
		why = newFailure(err)
	}
}

// next is the status that follows a failed attempt, and the error that goes with it.
func (out *outcome) next(j *job, cancelling error, now int64) (Status, error) {
	err := out.err
	late := j.deadline != 0 && later(now, out.wait) >= j.deadline
	switch {
	case cancelling != nil && !errors.Is(cancelling, ErrStopped):
		return StatusCancelled, cancelling
	case out.unbegun && late:
		return StatusFailed, fmt.Errorf("%w: its start could not be noted: %w", ErrDeadline, err)
	case out.unbegun:
		return StatusPending, err
	case cancelling != nil && errors.Is(err, ErrStopped): // the cause of its context, which it has returned
		return StatusInterrupted, fmt.Errorf("%w: %w", ErrInterrupted, err)
	case cancelling != nil:
		return StatusInterrupted, fmt.Errorf("%w: %w while it ran: %w", ErrInterrupted, ErrStopped, err)
	case out.again && late:
		return StatusFailed, fmt.Errorf("%w before the next retry: %w", ErrDeadline, err)
	case out.again:
		return StatusPending, err
	}
	return StatusFailed, err
}
