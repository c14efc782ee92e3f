package taskflow

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
)

// Errors that callers branch on with [errors.Is].
var (
	// ErrStopped: the manager is stopping or stopped. It is also the cause (see [context.Cause]) of the context of a task
	// that was still running when the drain time was over.
	ErrStopped = errors.New("taskflow: manager stopped")
	// ErrQueueFull: as many tasks are waiting as [WithQueueSize] allows.
	ErrQueueFull = errors.New("taskflow: queue is full")
	// ErrNotRegistered: the task is not among [WithTasks], so that it could not be found again after a restart.
	ErrNotRegistered = errors.New("taskflow: task is not registered")
	// ErrNotDurable: what Submit promises cannot be promised, because the backend has no [Journal], or because a task of Add, which is in
	// memory only, has the [IdempotencyKey].
	ErrNotDurable = errors.New("taskflow: task would not be durable")
	// ErrLeaseLost: another instance holds the task, because this one did not renew its lease in time (it was paused, or cut off from the
	// backend). It is the cause of the context of a task that was running then.
	ErrLeaseLost = errors.New("taskflow: lease lost, another instance may hold the task")
	// ErrUnavailable: the backend cannot be reached, or did not answer: it may have carried out what it was asked for. Backends wrap it, see
	// [Unavailable].
	ErrUnavailable = errors.New("taskflow: backend does not answer")
	// ErrNewerFormat: the record was written by a newer version of this package.
	ErrNewerFormat = errors.New("taskflow: record of a newer version")
	// ErrArguments: the arguments of a Call cannot be encoded as JSON, or are larger than [MaxArgsBytes].
	ErrArguments = errors.New("taskflow: arguments cannot be stored")
	// ErrInvalidOption: an option has a value that makes no sense; the text names the option and the value.
	ErrInvalidOption = errors.New("taskflow: invalid option")
	// ErrCancelled: the task was cancelled. It is also the cause of the context of a task cancelled while it ran.
	ErrCancelled = errors.New("taskflow: task cancelled")
	// ErrDiscarded: the request that added the task failed (its handler panicked, or returned an error in Fiber).
	ErrDiscarded = errors.New("taskflow: request failed, its tasks were dropped")
	// ErrDeadline: the overall [Deadline] of the task passed.
	ErrDeadline = errors.New("taskflow: task deadline exceeded")
	// ErrTimeout: an attempt took longer than the task's [Timeout]. It is the cause of the attempt's context.
	ErrTimeout = errors.New("taskflow: attempt timed out")
	// ErrPanic: the task's function panicked; the record has the stack.
	ErrPanic = errors.New("taskflow: task panicked")
	// ErrGoexit: the task's function called [runtime.Goexit] (as testing.T.FailNow does).
	ErrGoexit = errors.New("taskflow: task called runtime.Goexit")
	// ErrNotFound: no task has this id.
	ErrNotFound = errors.New("taskflow: task not found")
	// ErrNotRetryable: only failed, interrupted and cancelled tasks can be retried.
	ErrNotRetryable = errors.New("taskflow: task cannot be retried")
	// ErrNotCancellable: only pending and running tasks can be cancelled.
	ErrNotCancellable = errors.New("taskflow: task cannot be cancelled")
	// ErrHeldElsewhere: another instance holds the task, and the backend has no [Messenger] to reach it.
	ErrHeldElsewhere = errors.New("taskflow: another instance holds the task")
	// ErrNotSupported: the backend lacks the optional interface that the operation needs.
	ErrNotSupported = errors.New("taskflow: not supported by the backend")
	// ErrScheduleNotFound: no schedule has this name.
	ErrScheduleNotFound = errors.New("taskflow: schedule not found")
	// ErrScheduleBusy: the former run of the schedule has not ended, and its runs must not overlap.
	ErrScheduleBusy = errors.New("taskflow: schedule is busy, its former run has not ended")
	// ErrInterrupted: the manager stopped before the task could end.
	ErrInterrupted = errors.New("taskflow: task interrupted")
	// ErrRequeued: the manager stopped; the task was saved and runs after the next start.
	ErrRequeued = errors.New("taskflow: task saved for the next start")
)

// Unavailable returns an error of that text which is also [ErrUnavailable]: for a backend's own sentinel of a server that does not answer.
func Unavailable(text string) error { return unavailable(text) }

type unavailable string

// Error implements error.
func (e unavailable) Error() string { return string(e) }

// Is makes it ErrUnavailable, too.
func (e unavailable) Is(target error) bool { return target == ErrUnavailable }

// unanswered reports whether err leaves open what the backend did: it did not answer, or the answer was lost on the way. Backends that do not wrap
// ErrUnavailable are understood by what the standard library's connections say.
func unanswered(err error) bool {
	if _, ok := errors.AsType[net.Error](err); ok { // time-outs of a context are of that kind, too
		return true
	}
	for _, lost := range []error{ErrUnavailable, context.Canceled, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, driver.ErrBadConn} {
		if errors.Is(err, lost) {
			return true
		}
	}
	return false
}
