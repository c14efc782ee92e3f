package taskflow

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Add adds a task from code that has only the request's context (a service layer, for example), behind a middleware of one
// of the adapters; in a running task it adds to the same manager, starting at once, with the values of the request that the
// running task came from. Elsewhere it panics; code without a request uses [Manager.Add]. See [Batch.Add] for what becomes of the task.
func Add[R Runnable](ctx context.Context, r R, opts ...AddOption) Handle {
	w := WorkOf(r)
	if c := taskContextFrom(ctx); c != nil {
		return c.job.m.addNow(ctx, w, opts)
	}
	return mustBatch(ctx).Add(ctx, w, opts...)
}

func mustBatch(ctx context.Context) *Batch {
	b := BatchFrom(ctx)
	if b == nil {
		panic("taskflow.Add: the context carries no request of taskflow's: register tasks.Middleware(m) before the handler, and pass on " +
			"the request's own context (c.Request.Context() in Gin, not c); code without a request uses m.Add")
	}
	return b
}

// Add adds a task from code that has no request: it starts as soon as a worker is free. It never fails: what it must refuse
// (see [Handle.Rejected]) ends at once as cancelled. Tasks added before Start wait for it. Wrap the function by [WorkOf].
func (m *Manager) Add(w Work, opts ...AddOption) Handle {
	return m.addNow(context.Background(), w, opts)
}

func (m *Manager) addNow(ctx context.Context, w Work, opts []AddOption) Handle {
	j, err := m.newJob(ctx, w, opts, SourceManual)
	if err != nil {
		return m.refused(j, err)
	}
	m.announceAdded(j)
	m.dispatch(j)
	return Handle{job: j}
}

// newJob makes a pending job that nobody runs yet, and takes it into the registry. With an error the job must be refused.
func (m *Manager) newJob(ctx context.Context, w Work, opts []AddOption, source string) (*job, error) {
	j := &job{m: m, work: w, source: source, status: StatusPending, place: placeAdder, policy: &defaultPolicy}
	return j, m.prepareChild(ctx, j, opts)
}

// prepareChild is prepare for a job that may have been added by a running task, whose child it is then.
func (m *Manager) prepareChild(ctx context.Context, j *job, opts []AddOption) error {
	var parent *taskContext
	if j.ctx, parent = detach(ctx); parent == nil || parent.job.m != m {
		return m.prepare(ctx, j, opts)
	}
	j.more = &jobExtra{RecordExtra: RecordExtra{ParentID: parent.job.id.String()}}
	err := m.prepare(ctx, j, opts)
	if err == nil {
		parent.job.adopts(j.id)
	}
	return err
}

// prepare configures a new job and takes it in. With a duplicateError it is not taken in.
func (m *Manager) prepare(ctx context.Context, j *job, opts []AddOption) error {
	now := time.Now()
	if !j.durable { // one that waits for neither a commit nor a response is ready now
		j.since = now.UnixNano()
	}
	reason := m.configure(j, opts, now)
	if reason == nil && j.key != "" {
		if reason = m.reserve(ctx, j, now); isDuplicate(reason) {
			return reason
		}
	}
	return m.admit(j, now, reason)
}

// admit takes a job into the registry, which gives it its id, and counts it against the queue size. With a reason, or
// when there is no room or the manager stops, it is taken in all the same, to be refused where everybody sees it.
func (m *Manager) admit(j *job, now time.Time, reason error) error {
	if reason == nil {
		if m.pending.Add(1) > int64(m.cfg.queueSize) {
			m.pending.Add(-1)
			reason = fmt.Errorf("%w: %d tasks are waiting, see WithQueueSize", ErrQueueFull, m.cfg.queueSize)
		} else {
			j.admitted = true
		}
	}
	j.meter = m.series.meters.of(j.name)
	if j.policy.deadline > 0 {
		j.deadline = later(now.UnixNano(), j.policy.deadline)
	}
	keeps := reason == nil && m.life.stopping.Load() && m.life.saves && j.keeps()
	if !m.enlist(j, now, keeps) && reason == nil {
		reason = ErrStopped
	}
	if reason == nil {
		j.meter.added.Add(1)
	}
	return reason
}

// enlist takes a job into the registry, see registry.add. One that will have a row is held under the name that this instance has in this moment: when
// the lease is lost later, it is among the jobs that are given up.
func (m *Manager) enlist(j *job, now time.Time, keeps bool) bool {
	if j.durable && m.peers != nil {
		m.peers.naming.Lock()
		defer m.peers.naming.Unlock()
		j.owner = m.Instance()
	}
	return m.registry.add(j, now, keeps)
}

// configure applies the policy and the options, and finds the pool.
func (m *Manager) configure(j *job, opts []AddOption, now time.Time) error {
	d := j.work.call.def
	j.pool = m.usual
	if d == nil {
		j.name = m.names.of(j.work.fn)
	} else {
		j.name, j.policy = d.name, &d.policy
	}
	if len(opts) > 0 {
		in := invocation{policy: j.policy}
		for _, o := range opts {
			if o == nil {
				return invalid("an option is nil")
			}
			if err := o.applyAdd(&in); err != nil {
				return err
			}
		}
		j.policy = in.policy
		if d == nil && in.name != "" {
			j.name = in.name
		}
		j.eager, j.key, j.keep = in.eager, in.key, in.keep
		if in.source != "" {
			j.source = in.source
		}
		switch {
		case in.delay > 0:
			j.runAt = later(now.UnixNano(), in.delay)
		case !in.runAt.IsZero():
			j.runAt = unixNano(in.runAt)
		}
	}
	if j.policy.pool != DefaultPool {
		j.pool = m.pools[j.policy.pool]
	}
	switch {
	case j.pool == nil:
		j.pool = m.usual
		return invalid("Pool: there is no pool %q; define it by WithPool", j.policy.pool)
	case d != nil && j.work.call.err != nil:
		return j.work.call.err
	case j.policy.unique > 0 && d == nil:
		return invalid("Unique: a closure has no arguments to compare; Define a task, or give an IdempotencyKey")
	case j.policy.requeue && !j.registered():
		if d == nil {
			return invalid("Requeue: a closure cannot be kept over a restart; Define a task")
		}
		return fmt.Errorf("%w: %q wants Requeue, but would not be found after a restart; give it to WithTasks", ErrNotRegistered, d.name)
	}
	switch {
	case j.key == "" && j.policy.unique > 0:
		j.key, j.keep = uniqueKey(j.name, j.work.call.args), j.policy.unique
	case j.keep == 0:
		j.keep = DefaultKeyRetention
	}
	return nil
}

// refused ends a job that Add cannot accept, or finds the task that it would have doubled.
func (m *Manager) refused(j *job, reason error) Handle {
	if h, ok := duplicate(reason); ok {
		return h
	}
	m.refuse(j, reason)
	return Handle{job: j}
}

// refuse ends a job that cannot be accepted. What was wrong with the call itself is known to who called Submit: no record is kept of that, which
// somebody could retry.
func (m *Manager) refuse(j *job, reason error) {
	if j.durable && (errors.Is(reason, ErrInvalidOption) || errors.Is(reason, ErrArguments)) {
		m.registry.lose(j, false)
		m.refusals.report(m.log, j.name, reason)
		return
	}
	j.mu.Lock()
	j.rejected = reason
	j.mu.Unlock()
	m.finish(j, StatusCancelled, reason)
	m.refusals.report(m.log, j.name, reason)
}

// announceAdded tells the subscribers of a job that was accepted, and sets its deadline's alarm.
func (m *Manager) announceAdded(j *job) {
	if j.deadline == 0 && !m.hub.wanted() {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.status != StatusPending {
		return // somebody was faster to cancel it
	}
	if j.deadline != 0 {
		j.expiry = m.timers.set(j, j.deadline, m.expire)
	}
	m.emit(j, EventAdded)
}

// emit publishes the job's state. The caller holds j.mu, so that the events of a job keep their order.
func (m *Manager) emit(j *job, kind EventKind) {
	if m.hub.wanted() {
		m.hub.publish(Event{Kind: kind, Time: time.Now(), Task: j.record(false)})
	}
}
