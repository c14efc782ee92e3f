package taskflow_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	taskflow "github.com/taskflow-go/taskflow/core"
)

var errFlaky = errors.New("flaky")

// failing returns a task that fails n times, noting when each attempt started.
func failing(n int, err error, starts *[]time.Duration) func(context.Context) error {
	begin := time.Now()
	return func(context.Context) error {
		*starts = append(*starts, time.Since(begin))
		if len(*starts) <= n {
			return err
		}
		return nil
	}
}

func TestRetryTimes(t *testing.T) {
	t.Parallel()
	exact := taskflow.Exponential(time.Second, 2).Jitter(0)
	for name, c := range map[string]struct {
		err    error
		fails  int
		option taskflow.Option
		want   string
		status taskflow.Status
	}{
		"no retry by default":         {errFlaky, 9, taskflow.Priority(0), "[0s]", taskflow.StatusFailed},
		"exponential":                 {errFlaky, 9, taskflow.Retry(3, exact), "[0s 1s 3s 7s]", taskflow.StatusFailed},
		"capped":                      {errFlaky, 9, taskflow.Retry(4, exact.Cap(3*time.Second)), "[0s 1s 3s 6s 9s]", taskflow.StatusFailed},
		"success ends it":             {errFlaky, 2, taskflow.Retry(9, exact), "[0s 1s 3s]", taskflow.StatusSuccess},
		"constant":                    {errFlaky, 9, taskflow.Retry(2, taskflow.Constant(time.Minute)), "[0s 1m0s 2m0s]", taskflow.StatusFailed},
		"no wait":                     {errFlaky, 9, taskflow.Retry(2, nil), "[0s 0s 0s]", taskflow.StatusFailed},
		"permanent":                   {taskflow.Permanent(errFlaky), 9, taskflow.Retry(3, exact), "[0s]", taskflow.StatusFailed},
		"wrapped permanent":           {fmt.Errorf("w: %w", taskflow.Permanent(errFlaky)), 9, taskflow.Retry(3, exact), "[0s]", taskflow.StatusFailed},
		"retry after":                 {taskflow.RetryAfter(time.Hour, errFlaky), 9, taskflow.Retry(2, exact), "[0s 1h0m0s 2h0m0s]", taskflow.StatusFailed},
		"retry after needs a retry":   {taskflow.RetryAfter(time.Hour, errFlaky), 9, taskflow.Retry(0, nil), "[0s]", taskflow.StatusFailed},
		"custom backoff":              {errFlaky, 9, taskflow.Retry(2, taskflow.BackoffFunc(func(n int) time.Duration { return time.Duration(n) * time.Hour })), "[0s 1h0m0s 3h0m0s]", taskflow.StatusFailed},
		"custom policy":               {errFlaky, 9, taskflow.RetryWith(func(n int, err error) (time.Duration, bool) { return time.Second, n < 3 && errors.Is(err, errFlaky) }), "[0s 1s 2s]", taskflow.StatusFailed},
		"deadline leaves no time":     {errFlaky, 9, retryWithin(exact, 5*time.Second), "[0s 1s 3s]", taskflow.StatusFailed},
		"policy that panics is a no":  {errFlaky, 9, taskflow.RetryWith(func(int, error) (time.Duration, bool) { panic("policy") }), "[0s]", taskflow.StatusFailed},
		"negative custom wait is now": {errFlaky, 1, taskflow.Retry(1, taskflow.BackoffFunc(func(int) time.Duration { return -time.Hour })), "[0s 0s]", taskflow.StatusSuccess},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := started(t)
				var starts []time.Duration
				h := add(m, failing(c.fails, c.err, &starts), c.option)
				err := h.Wait(t.Context())
				if c.status == taskflow.StatusFailed {
					wantErr(t, err, errFlaky)
				}
				r := wantStatus(t, h, c.status)
				if got := fmt.Sprint(starts); got != c.want {
					t.Errorf("attempts started after %s, want %s", got, c.want)
				}
				if r.Attempts != len(starts) || r.RetriesUsed() != len(starts)-1 {
					t.Errorf("%d attempts and %d retries are recorded, %d ran", r.Attempts, r.RetriesUsed(), len(starts))
				}
			})
		})
	}
}

func retryWithin(b taskflow.Backoff, d time.Duration) taskflow.Option {
	return taskflow.Options(taskflow.Retry(9, b), taskflow.Deadline(d))
}

func TestARetryWaitHoldsNoWorker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := started(t, taskflow.WithConcurrency(1))
		var starts []time.Duration
		retried := add(m, failing(1, errFlaky, &starts), taskflow.Retry(1, taskflow.Constant(time.Hour)))
		synctest.Wait()
		r := wantStatus(t, retried, taskflow.StatusPending)
		if !r.RunAt.Equal(time.Now().Add(time.Hour)) || r.Error != "flaky" {
			t.Errorf("it waits until %v with error %q", r.RunAt, r.Error)
		}
		begin := time.Now()
		if err := add(m, func() {}).Wait(t.Context()); err != nil || time.Since(begin) != 0 {
			t.Errorf("the only worker was not free: %v after %v", err, time.Since(begin))
		}
		if err := retried.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestJitterStaysWithinItsShare(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		base := time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "base"))
		factor := rapid.Float64Range(1, 10).Draw(t, "factor")
		limit := time.Duration(rapid.OneOf(rapid.Int64Range(1, math.MaxInt64), rapid.Just[int64](math.MaxInt64)).Draw(t, "cap"))
		share := rapid.Float64Range(0, 1).Draw(t, "share")
		retry := rapid.IntRange(1, 1000).Draw(t, "retry")
		exact := taskflow.Exponential(base, factor).Cap(limit).Jitter(0).Delay(retry)
		got := taskflow.Exponential(base, factor).Cap(limit).Jitter(share).Delay(retry)
		if exact < 0 || exact > limit {
			t.Fatalf("without jitter it waits %v, the cap is %v", exact, limit)
		}
		spread := float64(exact)*(share+1e-12) + 1 // as floats, for exact+spread can be larger than any duration
		if off := math.Abs(float64(got) - float64(exact)); got < 0 || off > spread {
			t.Fatalf("waits %v, want %v ± %.0fns", got, exact, spread)
		}
	})
}

func TestPanicAndGoexitFailTheTaskAndKeepTheStack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fn   func()
		want error
		text string
	}{
		"panic":           {func() { panic("boom") }, taskflow.ErrPanic, "task panicked: boom"},
		"panic error":     {func() { panic(errFlaky) }, errFlaky, "task panicked: flaky"},
		"panic nil":       {func() { panic(nil) }, taskflow.ErrPanic, "panic called with nil"},
		"nil dereference": {func() { var n *node; _ = n.Next }, taskflow.ErrPanic, "nil pointer"},
		"goexit":          {runtime.Goexit, taskflow.ErrGoexit, "runtime.Goexit"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := started(t, taskflow.WithConcurrency(1))
			h := add(m, c.fn, taskflow.Retry(1, nil))
			wantErr(t, h.Wait(t.Context()), c.want)
			r := wantStatus(t, h, taskflow.StatusFailed)
			if !strings.Contains(r.Error, c.text) || !strings.Contains(r.Stack, "goroutine") || r.Attempts != 2 {
				t.Errorf("error %q after %d attempts, stack of %d bytes", r.Error, r.Attempts, len(r.Stack))
			}
			if err := add(m, func() {}).Wait(t.Context()); err != nil { // the only worker is back
				t.Error(err)
			}
		})
	}
}

type silent struct{}

func (silent) Error() string { return "" }

type explosive struct{}

func (*explosive) Error() string { panic("in Error") }

func TestStrangeErrorsAreShown(t *testing.T) {
	t.Parallel()
	m := started(t)
	for want, err := range map[string]error{
		"error without text (taskflow_test.silent)": silent{},
		"PANIC=Error method: in Error":              &explosive{},
		"a\uFFFDb":                                  errors.New("a\xffb"),
		"nul\uFFFD":                                 errors.New("nul\x00"),
		"…[truncated]":                              errors.New(strings.Repeat("é", taskflow.MaxErrorBytes)),
	} {
		h := add(m, func() error { return err })
		<-h.Done()
		if r := wantStatus(t, h, taskflow.StatusFailed); !strings.Contains(r.Error, want) || len(r.Error) > taskflow.MaxErrorBytes {
			t.Errorf("the record says %.80q (%d bytes), want %q", r.Error, len(r.Error), want)
		}
	}
}

func TestTimeoutEndsAnAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := started(t)
		var causes []error
		h := add(m, func(ctx context.Context) error {
			<-ctx.Done()
			causes = append(causes, context.Cause(ctx))
			return ctx.Err()
		}, taskflow.Timeout(time.Minute), taskflow.Retry(1, nil))
		begin := time.Now()
		err := h.Wait(t.Context())
		wantErr(t, err, taskflow.ErrTimeout)
		wantErr(t, err, context.DeadlineExceeded)
		if r := h.Record(); time.Since(begin) != 2*time.Minute || r.Error != "attempt timed out after 1m0s: context deadline exceeded" {
			t.Errorf("%q after %v", r.Error, time.Since(begin))
		}
		for _, cause := range causes {
			wantErr(t, cause, taskflow.ErrTimeout)
		}
	})
}

func TestDeadlineBoundsTheWholeTask(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fn   func(context.Context) error
		opts []taskflow.AddOption
		want time.Duration
	}{
		"while it runs":   {func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, nil, time.Minute},
		"while delayed":   {untilCancelled, []taskflow.AddOption{taskflow.Delay(time.Hour)}, time.Minute},
		"before a retry":  {func(context.Context) error { return errFlaky }, []taskflow.AddOption{taskflow.Retry(1, taskflow.Constant(time.Hour))}, 0},
		"while it queues": {untilCancelled, []taskflow.AddOption{taskflow.Pool("busy")}, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := started(t, taskflow.WithPool("busy", 1))
				blocker := add(m, untilCancelled, taskflow.Pool("busy"))
				synctest.Wait()
				begin := time.Now()
				h := add(m, c.fn, append(c.opts, taskflow.Deadline(time.Minute))...)
				wantErr(t, h.Wait(t.Context()), taskflow.ErrDeadline)
				wantStatus(t, h, taskflow.StatusFailed)
				if got := time.Since(begin); got != c.want {
					t.Errorf("failed after %v, want %v", got, c.want)
				}
				if _, err := m.Cancel(t.Context(), blocker.ID(), ""); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
