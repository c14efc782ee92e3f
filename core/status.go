package taskflow

import "slices"

// Status is the state of a task as stored, listed and streamed.
type Status string

// The statuses. Pending and Running are live, the others final: a task that has a final status never leaves it.
const (
	// StatusPending: waiting for its response, its turn, its delay or its next retry. It holds no worker.
	StatusPending Status = "pending"
	// StatusRunning: its function is being executed.
	StatusRunning Status = "running"
	// StatusSuccess: its function returned nil.
	StatusSuccess Status = "success"
	// StatusFailed: its function failed, and no retry is left or allowed.
	StatusFailed Status = "failed"
	// StatusInterrupted: the manager stopped before it could end.
	StatusInterrupted Status = "interrupted"
	// StatusCancelled: cancelled by somebody, refused at Add, or dropped with its request.
	StatusCancelled Status = "cancelled"
)

// Statuses lists every status, live ones first.
func Statuses() []Status {
	return []Status{StatusPending, StatusRunning, StatusSuccess, StatusFailed, StatusInterrupted, StatusCancelled}
}

// index is the position in Statuses.
func (s Status) index() int {
	switch s {
	case StatusPending:
		return 0
	case StatusRunning:
		return 1
	case StatusSuccess:
		return 2
	case StatusFailed:
		return 3
	case StatusInterrupted:
		return 4
	}
	return 5
}

// Final reports whether the status is one that a task never leaves.
func (s Status) Final() bool {
	switch s {
	case StatusSuccess, StatusFailed, StatusInterrupted, StatusCancelled:
		return true
	}
	return false
}

// Valid reports whether s is one of the six statuses.
func (s Status) Valid() bool { return slices.Contains(Statuses(), s) }

// Retryable reports whether [Manager.Retry] accepts a task of this status.
func (s Status) Retryable() bool {
	return s == StatusFailed || s == StatusInterrupted || s == StatusCancelled
}

// canBecome is the state machine: the only place that says which change of status is possible.
func (s Status) canBecome(next Status) bool {
	switch s {
	case StatusPending:
		// to success: never, a task must run to succeed. To failed: its overall deadline passed while it waited.
		return next == StatusRunning || next == StatusCancelled || next == StatusInterrupted || next == StatusFailed
	case StatusRunning:
		// to pending: it waits for its next retry
		return next == StatusPending || next.Final()
	}
	return false
}
