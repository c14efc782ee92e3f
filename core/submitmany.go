package taskflow

import (
	"context"
	"fmt"
	"strconv"
)

// What one [Manager.SubmitMany] takes: all of it is one commit.
const (
	MaxSubmitMany      = 1000    // calls
	MaxSubmitManyBytes = 8 << 20 // of arguments, in all of them, as JSON
)

// SubmitMany is Submit for several calls at once: all are safe when it returns, or none is. See [Batch.SubmitMany].
func SubmitMany(ctx context.Context, calls []Call, opts ...AddOption) ([]Handle, error) {
	if t := taskContextFrom(ctx); t != nil {
		return t.job.m.SubmitMany(ctx, calls, opts...)
	}
	return mustBatch(ctx).SubmitMany(ctx, calls, opts...)
}

// SubmitMany is Submit for up to [MaxSubmitMany] calls at once, of any tasks, which together are one commit: all are safe when it returns, or,
// with an error, none of them runs. The handles are in the order of the calls; without calls there are none. The options hold for each
// call.
//
// A call that is [Unique] and has its task already gets that task's handle, as in Submit, also when the task is of an earlier call of the same
// SubmitMany. An [IdempotencyKey] would be the same for all: with more than one call it is ErrInvalidOption, as are too many calls or too large
// ones. The other errors are those of [Manager.Submit]. Safe for concurrent use.
func (m *Manager) SubmitMany(ctx context.Context, calls []Call, opts ...AddOption) ([]Handle, error) {
	s, err := m.submitMany(ctx, ctx, calls, opts, true)
	if err != nil {
		return nil, err
	}
	for _, j := range s.waiting {
		m.dispatch(j)
	}
	return s.handles, nil
}

// SubmitMany is [Batch.Submit] for several calls at once; see [Manager.SubmitMany] for what may be different.
func (b *Batch) SubmitMany(ctx context.Context, calls []Call, opts ...AddOption) ([]Handle, error) {
	if b.discarded() {
		return nil, fmt.Errorf("taskflow: submit %s: %w", tasks(len(calls)), ErrDiscarded)
	}
	s, err := b.m.submitMany(ctx, b.captured(ctx), calls, opts, false)
	if err != nil {
		return nil, err
	}
	for _, j := range s.waiting {
		b.hold(j)
	}
	return s.handles, nil
}

// submission is what SubmitMany is about.
type submission struct {
	m       *Manager
	handles []Handle
	jobs    []*job // new ones
	begun   []begun
	commit  *commit
	waiting []*job // of jobs, those that do not start at once: the caller dispatches them when all are written
}

// begun is a job that starts when it is written, and what it needs for that.
type begun struct {
	job  *job
	ctx  *taskContext
	work Work
}

// submitMany takes durable jobs as far as their commit, and lets as many start in it as there are free workers; with now unset only Eager ones.
// values is the context whose values they keep.
func (m *Manager) submitMany(ctx, values context.Context, calls []Call, opts []AddOption, now bool) (_ *submission, err error) {
	s := &submission{m: m, handles: make([]Handle, 0, len(calls)), commit: newCommit(len(calls) > 1)}
	defer func() { s.commit.answer(err) }()
	fail := func(err error) (*submission, error) {
		return nil, fmt.Errorf("taskflow: submit %s: %w", tasks(len(calls)), err)
	}
	if err := m.mayAllSubmit(calls, opts); err != nil {
		return fail(err)
	}
	for i, c := range calls {
		if err := s.add(values, c, opts); err != nil {
			err = fmt.Errorf("task %d, %q: %w", i+1, c.def.name, err)
			s.withdraw(fmt.Errorf("%w: %w", errNotWritten, err))
			return fail(err)
		}
	}
	if len(s.jobs) == 0 {
		return s, nil
	}
	for _, j := range s.jobs {
		if j.key != "" {
			ctx = j.committing(ctx)
		}
		if !(now || j.eager) || !s.begin(j) {
			s.waiting = append(s.waiting, j)
		}
	}
	if err := m.journal.put(ctx, s.jobs[0], s.jobs[1:]...); err != nil {
		for i := range s.begun {
			s.begun[i].job.pool.release()
		}
		s.withdraw(err)
		return fail(err)
	}
	for i := range s.begun {
		b := &s.begun[i]
		b.job.pool.occupy(func() { m.perform(b.job, b.ctx, &b.work, true) })
	}
	for _, j := range s.waiting {
		m.announceAdded(j)
	}
	return s, nil
}

// mayAllSubmit is why the calls cannot be submitted, nil: they can.
func (m *Manager) mayAllSubmit(calls []Call, opts []AddOption) error {
	if len(calls) > MaxSubmitMany {
		return invalid("SubmitMany: %d calls are more than %d (MaxSubmitMany): submit them in parts", len(calls), MaxSubmitMany)
	}
	if len(calls) > 1 && haveKey(opts) {
		return invalid("IdempotencyKey: it would be the same for all tasks of a SubmitMany; submit one at a time, or use Unique")
	}
	size := 0
	for i, c := range calls {
		if err := m.maySubmit(c); err != nil {
			return fmt.Errorf("task %d, %q: %w", i+1, c.def.name, err)
		}
		size += len(c.args)
	}
	if size > MaxSubmitManyBytes {
		return invalid("SubmitMany: the arguments of the %d calls have %d bytes, more than %d (MaxSubmitManyBytes): submit them in parts",
			len(calls), size, MaxSubmitManyBytes)
	}
	return nil
}

// haveKey reports whether the options give an idempotency key. What is wrong with one of them is for whoever applies them to a task.
func haveKey(opts []AddOption) bool {
	in := invocation{policy: &defaultPolicy}
	for _, o := range opts {
		if o != nil && o.applyAdd(&in) != nil {
			return false
		}
	}
	return in.key != ""
}

// add makes a job of a call, or finds the one that has its key. With an error nothing is to be done for this call any more.
func (s *submission) add(values context.Context, c Call, opts []AddOption) error {
	j, err := s.m.newDurableJob(values, c, opts, s.commit)
	if h, ok := duplicate(err); ok {
		s.handles = append(s.handles, h)
		return nil
	}
	if err != nil {
		s.m.refuse(j, err)
		return err
	}
	s.jobs = append(s.jobs, j)
	s.handles = append(s.handles, Handle{job: j})
	return nil
}

// begin takes a worker for j and makes it a running one, if it can start now. False: it waits.
func (s *submission) begin(j *job) bool {
	if j.runAt != 0 || s.m.life.stopping.Load() || !j.pool.take() {
		return false
	}
	j.mu.Lock()
	j.place = placeQueue
	j.mu.Unlock()
	s.m.announceAdded(j)
	ctx, work, ok := s.m.begin(j)
	if !ok { // cancelled, or put aside by Stop, in this moment
		j.pool.release()
		return true
	}
	s.begun = append(s.begun, begun{j, ctx, work})
	return true
}

// withdraw ends the jobs: they were not accepted, for this reason.
func (s *submission) withdraw(reason error) {
	for _, j := range s.jobs {
		s.m.unaccept(j, reason)
	}
}

func tasks(n int) string {
	if n == 1 {
		return "1 task"
	}
	return strconv.Itoa(n) + " tasks"
}
