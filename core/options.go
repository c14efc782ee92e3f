package taskflow

import (
	"fmt"
	"maps"
	"strings"
	"time"
)

// TaskOption is an option of [Define].
type TaskOption interface{ applyTask(*definition) error }

// AddOption is an option of Add and Submit.
type AddOption interface{ applyAdd(*invocation) error }

// Option is both: given to Define it is the task's policy; given to Add or Submit it overrides that policy for one call, and given to
// [WithSchedule] for the runs of the schedule. A
// value that makes no sense is ErrInvalidOption: Define panics with it, Submit returns it, Add refuses the task with it.
type Option interface {
	TaskOption
	AddOption
	ScheduleOption
}

// policy is how a task is run. A definition's policy is shared and never changed; a call that overrides has a copy.
type policy struct {
	retries  int
	backoff  Backoff
	decide   RetryDecider
	timeout  time.Duration
	deadline time.Duration
	priority int
	pool     string
	requeue  bool
	unique   time.Duration // window; 0: not unique
	tags     map[string]string
}

var defaultPolicy = policy{pool: DefaultPool} // never written to

// invocation is what Add's options say beyond the policy.
type invocation struct {
	policy *policy
	own    bool // policy is a copy of this call's own
	name   string
	delay  time.Duration
	runAt  time.Time
	eager  bool
	key    string
	keep   time.Duration
	source string // empty: what the way of adding says
}

type policyOption func(*policy) error

func (o policyOption) applyTask(d *definition) error { return o(&d.policy) }

func (o policyOption) applyAdd(in *invocation) error {
	if !in.own {
		p := *in.policy
		p.tags = maps.Clone(p.tags)
		in.policy, in.own = &p, true
	}
	return o(in.policy)
}

type addOption func(*invocation) error

func (o addOption) applyAdd(in *invocation) error { return o(in) }

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrInvalidOption}, args...)...)
}

// Retry allows n further attempts (0 or more) after a failed one, each after a wait that b gives; a nil b waits not at
// all. Without Retry and RetryWith a task has one attempt. A panic counts as a failure.
func Retry(n int, b Backoff) Option {
	return policyOption(func(p *policy) error {
		if n < 0 {
			return invalid("Retry: the number of retries must not be negative, not %d", n)
		}
		if v, ok := b.(interface{ validate() error }); ok {
			if err := v.validate(); err != nil {
				return err
			}
		}
		p.retries, p.backoff, p.decide = n, b, nil
		return nil
	})
}

// RetryWith lets decide say after each failed attempt whether and when to try again. [Permanent] and [RetryAfter] are
// honoured before it and after it.
func RetryWith(decide RetryDecider) Option {
	return policyOption(func(p *policy) error {
		if decide == nil {
			return invalid("RetryWith: the function is nil")
		}
		p.retries, p.backoff, p.decide = 0, nil, decide
		return nil
	})
}

// Timeout ends the context of an attempt after d (above 0), with cause ErrTimeout. The function must heed its context: Go cannot
// stop it from outside, and it keeps its worker until it returns. An attempt that returns an error then has failed and may be retried.
func Timeout(d time.Duration) Option {
	return policyOption(func(p *policy) error {
		if d <= 0 {
			return invalid("Timeout: must be above 0, not %v", d)
		}
		p.timeout = d
		return nil
	})
}

// Deadline bounds the whole task, waits and retries included, to d (above 0) after Add. When it passes, the running
// attempt's context ends with cause ErrDeadline; a task that waits then, or would have to, ends failed.
func Deadline(d time.Duration) Option {
	return policyOption(func(p *policy) error {
		if d <= 0 {
			return invalid("Deadline: must be above 0, not %v", d)
		}
		p.deadline = d
		return nil
	})
}

// MaxPriority is the largest priority; the smallest is its negative.
const MaxPriority = 100

// Priority orders waiting tasks of a pool: higher first, equal ones in order of arrival. From -100 to 100, default 0.
func Priority(n int) Option {
	return policyOption(func(p *policy) error {
		if n < -MaxPriority || n > MaxPriority {
			return invalid("Priority: must be from %d to %d, not %d", -MaxPriority, MaxPriority, n)
		}
		p.priority = n
		return nil
	})
}

// Pool runs the task in the pool of that name; see [WithPool]. Adding a task to a pool that the manager does not have is
// refused.
func Pool(name string) Option {
	return policyOption(func(p *policy) error {
		if name == "" {
			return invalid("Pool: the name is empty")
		}
		p.pool = name
		return nil
	})
}

// Requeue keeps a task that has not started over a graceful stop: it is saved by the backend and dispatched at the next
// start. It needs a backend and a registered task ([WithTasks]); closures have no name to find them by. After the restart
// the call keeps its arguments, tags, priority, pool, number of retries and due time; a Timeout, Deadline, Backoff or
// RetryDecider given to that one call is gone, and those of its task's definition hold.
func Requeue() Option {
	return policyOption(func(p *policy) error { p.requeue = true; return nil })
}

// Tag labels the task, for people and filters. Given again, the same key is replaced. Keys and values longer than
// [MaxTagBytes] are cut; the key must not be empty. A task with more than [MaxTags] tags is refused (ErrInvalidOption). Both texts are
// copied at once: they may be of a framework that reuses their memory.
func Tag(key, value string) Option {
	key, value = strings.Clone(clip(key, MaxTagBytes)), strings.Clone(clip(value, MaxTagBytes))
	return policyOption(func(p *policy) error {
		if key == "" {
			return invalid("Tag: the key is empty (value %q)", clip(value, 40))
		}
		if _, known := p.tags[key]; !known && len(p.tags) >= MaxTags {
			return invalid("Tag: more than %d tags, %q is one too many", MaxTags, key)
		}
		if p.tags == nil {
			p.tags = make(map[string]string, 1)
		}
		p.tags[key] = value
		return nil
	})
}

// Name gives one call another name to show: a closure has its file and line otherwise. A Call keeps its task's name. The text is copied at
// once, as Tag's are.
func Name(name string) AddOption {
	name = strings.Clone(name)
	return addOption(func(in *invocation) error {
		if err := validateName(name); err != nil {
			return invalid("Name: %v", err)
		}
		in.name = name
		return nil
	})
}

// Delay starts the task no sooner than d (0 or more) after Add.
func Delay(d time.Duration) AddOption {
	return addOption(func(in *invocation) error {
		if d < 0 {
			return invalid("Delay: must not be negative, not %v", d)
		}
		in.delay, in.runAt = d, time.Time{}
		return nil
	})
}

// RunAt starts the task no sooner than t; a time in the past means at once.
func RunAt(t time.Time) AddOption {
	return addOption(func(in *invocation) error {
		if t.IsZero() {
			return invalid("RunAt: the time is zero")
		}
		in.runAt, in.delay = t, 0
		return nil
	})
}

// Eager starts the task without waiting for the response.
func Eager() AddOption {
	return addOption(func(in *invocation) error { in.eager = true; return nil })
}

type taskOption func(*definition) error

func (o taskOption) applyTask(d *definition) error { return o(d) }

// Aliases are former names of the task: stored tasks of these names are run by it.
func Aliases(names ...string) TaskOption {
	return taskOption(func(d *definition) error {
		for _, n := range names {
			if err := validateName(n); err != nil {
				return invalid("Aliases: %v", err)
			}
		}
		d.aliases = append(d.aliases, names...)
		return nil
	})
}

// Idempotent says that the function may run again after an attempt of it was cut off by the death of its process.
func Idempotent() TaskOption {
	return taskOption(func(d *definition) error { d.idempotent = true; return nil })
}

// Options joins several options into one, applied in order: a policy with a name, to be shared by tasks.
//
//	var Patient = taskflow.Options(taskflow.Retry(8, taskflow.Exponential(time.Second, 2)), taskflow.Deadline(time.Hour))
func Options(opts ...Option) Option { return joined(opts) }

type joined []Option

func (o joined) applyTask(d *definition) error {
	for _, option := range o {
		if option == nil {
			return invalid("Options: an option is nil")
		}
		if err := option.applyTask(d); err != nil {
			return err
		}
	}
	return nil
}

func (o joined) applyAdd(in *invocation) error {
	for _, option := range o {
		if option == nil {
			return invalid("Options: an option is nil")
		}
		if err := option.applyAdd(in); err != nil {
			return err
		}
	}
	return nil
}
