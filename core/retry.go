package taskflow

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Backoff says how long to wait before a retry. Implementations must be safe for concurrent use.
type Backoff interface {
	// Delay returns the wait before the retry-th retry, counted from 1. A negative wait counts as none.
	Delay(retry int) time.Duration
}

// BackoffFunc is a function as a Backoff.
type BackoffFunc func(retry int) time.Duration

// Delay calls f.
func (f BackoffFunc) Delay(retry int) time.Duration { return f(retry) }

func (f BackoffFunc) validate() error {
	if f == nil {
		return invalid("Retry: the BackoffFunc is nil; for no wait between attempts, give Retry a nil Backoff")
	}
	return nil
}

// ExponentialBackoff waits longer before each retry: base, base·factor, base·factor², … up to a cap, each spread at random by
// the jitter so that tasks that failed together do not come back together. Made by [Exponential].
type ExponentialBackoff struct {
	base   time.Duration
	factor float64
	limit  time.Duration
	jitter float64
}

// Exponential returns a backoff that starts at base (above 0) and multiplies by factor (at least 1) each time; a wait
// never exceeds one hour and is spread by ±10 %, unless Cap and Jitter say otherwise. A bad value is reported by
// what uses the backoff: Define panics, Add refuses.
func Exponential(base time.Duration, factor float64) ExponentialBackoff {
	return ExponentialBackoff{base: base, factor: factor, limit: time.Hour, jitter: 0.1}
}

// Cap returns a copy whose waits, jitter aside, never exceed d (above 0).
func (b ExponentialBackoff) Cap(d time.Duration) ExponentialBackoff { b.limit = d; return b }

// Jitter returns a copy that spreads each wait evenly by ±share (0 to 1) of itself; 0 switches jitter off.
func (b ExponentialBackoff) Jitter(share float64) ExponentialBackoff { b.jitter = share; return b }

// Delay implements Backoff.
func (b ExponentialBackoff) Delay(retry int) time.Duration {
	d := saturated(float64(b.base) * math.Pow(b.factor, float64(max(retry, 1)-1)))
	d = min(d, b.limit)
	if b.jitter > 0 {
		d = saturated(float64(d) * (1 + b.jitter*(2*rand.Float64()-1)))
	}
	return d
}

// saturated converts d, which may be larger than any duration.
func saturated(d float64) time.Duration {
	if d >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(d)
}

func (b ExponentialBackoff) validate() error {
	switch {
	case b.base <= 0:
		return fmt.Errorf("%w: Exponential: base must be above 0, not %v", ErrInvalidOption, b.base)
	case !(b.factor >= 1) || math.IsInf(b.factor, 0):
		return fmt.Errorf("%w: Exponential: factor must be at least 1, not %v", ErrInvalidOption, b.factor)
	case b.limit <= 0:
		return fmt.Errorf("%w: Exponential: Cap must be above 0, not %v", ErrInvalidOption, b.limit)
	case !(b.jitter >= 0 && b.jitter <= 1):
		return fmt.Errorf("%w: Exponential: Jitter must be from 0 to 1, not %v", ErrInvalidOption, b.jitter)
	}
	return nil
}

// Constant returns a backoff that always waits d (0 or more).
func Constant(d time.Duration) Backoff { return constantBackoff(d) }

type constantBackoff time.Duration

func (d constantBackoff) Delay(int) time.Duration { return time.Duration(d) }

func (d constantBackoff) validate() error {
	if d < 0 {
		return fmt.Errorf("%w: Constant: wait must not be negative, not %v", ErrInvalidOption, time.Duration(d))
	}
	return nil
}

// RetryDecider decides after each failed attempt whether and when to try again: attempt counts from 1, err is what the
// attempt returned. It replaces the fixed number of [Retry]; see [RetryWith]. Must be safe for concurrent use.
type RetryDecider func(attempt int, err error) (wait time.Duration, again bool)

// Permanent wraps an error that no retry can mend: the task ends failed at once. Permanent(nil) is nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

// RetryAfter wraps an error with the time to wait before the next attempt, in place of the backoff's: what a server said
// in its Retry-After header, for example. It uses up a retry like any failure. A nil err stands for "not ready yet".
func RetryAfter(wait time.Duration, err error) error {
	if err == nil {
		err = errNotReady
	}
	return &retryAfterError{max(wait, 0), err}
}

var errNotReady = errors.New("not ready yet")

type retryAfterError struct {
	wait time.Duration
	err  error
}

func (e *retryAfterError) Error() string { return e.err.Error() }
func (e *retryAfterError) Unwrap() error { return e.err }

// nextRetry says whether and after which wait to try again after the given attempt (from 1) failed with err.
func (p *policy) nextRetry(attempt int, err error) (time.Duration, bool) {
	if _, permanent := errors.AsType[*permanentError](err); permanent {
		return 0, false
	}
	var wait time.Duration
	switch {
	case p.decide != nil:
		var again bool
		if wait, again = p.decide(attempt, err); !again {
			return 0, false
		}
	case attempt > p.retries:
		return 0, false
	case p.backoff != nil:
		wait = p.backoff.Delay(attempt)
	}
	if after, ok := errors.AsType[*retryAfterError](err); ok {
		wait = after.wait
	}
	return max(wait, 0), true
}
