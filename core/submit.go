package taskflow

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Submit is Add for a Call that must not be lost: it returns once the backend has the task. See [Batch.Submit].
func Submit(ctx context.Context, c Call, opts ...AddOption) (Handle, error) {
	if t := taskContextFrom(ctx); t != nil {
		return t.job.m.Submit(ctx, c, opts...)
	}
	return mustBatch(ctx).Submit(ctx, c, opts...)
}

// Submit adds a task from code that has no request and returns once the backend has it. Errors: ErrNotDurable,
// ErrNotRegistered, ErrStopped, ErrQueueFull, ErrArguments, ErrInvalidOption, the context's and the backend's; then the
// task does not run. One exception nobody can rule out: when the backend did not answer ([ErrUnavailable], or the context ended) it may have
// the task all the same, and if this process dies before the backend can be told otherwise, another one runs it, once. Whoever tries again
// gives an [IdempotencyKey].
func (m *Manager) Submit(ctx context.Context, c Call, opts ...AddOption) (Handle, error) {
	j, begun, err := m.submit(ctx, c, opts, true)
	if err != nil {
		return notSubmitted(err)
	}
	if !begun {
		m.dispatch(j)
	}
	return Handle{job: j}, nil
}

// submit takes a durable job as far as its commit. With now it may start at once: when a worker is free, the commit notes that too and the
// job is on its way when submit returns, which begun tells. Otherwise the caller dispatches it.
func (m *Manager) submit(ctx context.Context, c Call, opts []AddOption, now bool) (_ *job, begun bool, err error) {
	fail := func(err error) (*job, bool, error) {
		return nil, false, fmt.Errorf("taskflow: submit %q: %w", c.def.name, err)
	}
	if err := m.maySubmit(c); err != nil {
		return fail(err)
	}
	j, err := m.newDurableJob(ctx, c, opts, nil)
	defer func() { j.commit.answer(err) }()
	if err != nil {
		if !isDuplicate(err) {
			m.refuse(j, err)
		}
		return fail(err)
	}
	ctx = j.committing(ctx)
	if (now || j.eager) && j.runAt == 0 && !m.life.stopping.Load() && j.pool.take() {
		if err := m.acceptBegun(ctx, j); err != nil {
			return fail(err)
		}
		return j, true, nil
	}
	if err := m.accept(ctx, j); err != nil {
		return fail(err)
	}
	m.announceAdded(j)
	return j, false, nil
}

// maySubmit is why c cannot be submitted now, nil: it can.
func (m *Manager) maySubmit(c Call) error {
	if c.def == nil {
		panic("taskflow: Submit of a zero Call: make it with Task.With")
	}
	running := m.life.running() // asked first: what stops is not taken for what has not been started
	switch {
	case m.life.stopping.Load() && !m.life.saves:
		return ErrStopped
	case m.store == nil:
		return fmt.Errorf("%w: there is no backend: give New a WithBackend, of backends/sqlite for example", ErrNotDurable)
	case m.journal == nil:
		return fmt.Errorf("%w: the backend, a %T, has no journal", ErrNotDurable, m.cfg.backend)
	case m.tasks[c.def.name] != c.def:
		return fmt.Errorf("%w: give it to WithTasks", ErrNotRegistered)
	case !running && !m.life.saving():
		return fmt.Errorf("%w, or not started yet", ErrStopped)
	case m.peers != nil && m.peers.outcast.Load():
		return fmt.Errorf("%w, and the backend cannot be reached to get another", ErrLeaseLost)
	}
	return nil
}

// acceptBegun writes a new durable job to the journal as running, and lets the worker that was taken for it run it. With an error the job has
// ended.
func (m *Manager) acceptBegun(ctx context.Context, j *job) error {
	j.mu.Lock()
	j.place = placeQueue
	j.mu.Unlock()
	m.announceAdded(j)
	run, work, ok := m.begin(j)
	if !ok { // cancelled, or put aside by Stop, in this moment
		j.pool.release()
		return m.accept(ctx, j)
	}
	if err := m.journal.put(ctx, j); err != nil {
		j.pool.release()
		m.unaccept(j, err)
		return err
	}
	j.pool.occupy(func() { m.perform(j, run, &work, true) })
	return nil
}

// accept writes a new durable job to the journal. With an error the job has ended.
func (m *Manager) accept(ctx context.Context, j *job) error {
	err := m.journal.put(ctx, j)
	if err != nil {
		m.unaccept(j, err)
	}
	return err
}

// unaccept ends a job that the journal has not taken, before its function was called.
func (m *Manager) unaccept(j *job, err error) {
	why, now := newFailure(fmt.Errorf("%w: not accepted: %w", ErrCancelled, err)), time.Now().UnixNano()
	j.mu.Lock()
	if errors.Is(err, errNotWritten) {
		j.durable, j.owner = false, "" // it was never accepted
	}
	// If it was written all the same, the finished record takes the row's place.
	if j.place == placeShelf || !j.to(StatusCancelled) {
		astray := j.lost && j.status == StatusRunning // as which it was counted, and its function will not run
		j.mu.Unlock()
		if astray {
			m.registry.found()
		}
		return
	}
	j.startTime, j.attempts = 0, 0
	m.conclude(j, why, now) // unlocks
}

// newDurableJob makes a pending job that is not in the journal yet, and takes it into the registry; of is the commit that it shares with
// others, nil: none.
func (m *Manager) newDurableJob(ctx context.Context, c Call, opts []AddOption, of *commit) (*job, error) {
	j := &job{
		m: m, work: Work{call: c}, source: SourceManual, status: StatusPending, place: placeAdder,
		policy: &defaultPolicy, durable: true, owner: m.Instance(), commit: of,
	}
	return j, m.prepareChild(ctx, j, opts)
}

// committing is the context for the commit of a new durable job. One that has a key is written although its caller has gone: somebody who asked for
// the same, of another instance too, may have been told already that the task is safe.
func (j *job) committing(ctx context.Context) context.Context {
	if j.key == "" {
		return ctx
	}
	return context.WithoutCancel(ctx)
}

// notSubmitted is Submit's answer to an error: none when there is a task already, as safe, that does what was asked for.
func notSubmitted(err error) (Handle, error) {
	if h, ok := duplicate(err); ok {
		return h, nil
	}
	return Handle{}, err
}
