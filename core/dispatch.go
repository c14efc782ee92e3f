package taskflow

import (
	"fmt"
	"time"
)

// dispatch sends a pending job on its way: to its timer, to its pool, or, when the manager is stopping, to where Stop puts
// what will not run any more. It never blocks.
func (m *Manager) dispatch(j *job) {
	j.mu.Lock()
	if j.status != StatusPending || j.place == placeShelf || j.lost {
		j.mu.Unlock()
		return
	}
	if m.life.stopping.Load() {
		if v := m.verdict(j); v != mayRun {
			m.putAside(j, v) // unlocks
			return
		}
	} else if !m.life.begun.Load() && m.life.warned.CompareAndSwap(false, true) {
		m.log.Warn("taskflow: tasks wait until the manager is started: call m.Start, or serve by tasks.Run", "task", j.name)
	}
	if j.runAt != 0 && j.runAt > time.Now().UnixNano() {
		j.place = placeTimer
		j.start = m.timers.set(j, j.runAt, m.ripen)
		j.mu.Unlock()
		return
	}
	j.place = placeQueue
	if j.since == 0 {
		j.since = time.Now().UnixNano()
	}
	j.mu.Unlock()
	j.pool.push(j)
}

// ripen is rung when a delay or a retry's wait is over.
func (m *Manager) ripen(j *job) {
	j.mu.Lock()
	if j.status != StatusPending || j.place != placeTimer {
		j.mu.Unlock()
		return
	}
	j.place, j.start, j.since = placeQueue, nil, j.runAt
	j.mu.Unlock()
	j.pool.push(j)
}

// expire is rung when a job's deadline has passed. A running attempt has it in its context.
func (m *Manager) expire(j *job) {
	j.mu.Lock()
	waits := j.status == StatusPending && j.place != placeShelf && !j.lost
	text := j.errText
	j.mu.Unlock()
	if !waits {
		return
	}
	err := fmt.Errorf("%w: not done %v after it was added", ErrDeadline, j.policy.deadline)
	if text != "" {
		err = fmt.Errorf("%w; last error: %s", err, text)
	}
	m.finish(j, StatusFailed, err)
}

// verdict is what becomes of a pending job while the manager is stopping.
type verdict uint8

const (
	mayRun    verdict = iota // there is drain time left
	toShelf                  // saved for the next start
	toHistory                // interrupted: its time would come after the drain time
)

// verdict decides about a pending job. The caller holds j.mu.
func (m *Manager) verdict(j *job) verdict {
	switch {
	case m.life.saves && j.keeps():
		return toShelf
	case m.life.killed.Load(), m.life.drainEnds != 0 && j.runAt > m.life.drainEnds:
		return toHistory
	}
	return mayRun
}

// putAside carries out a verdict other than mayRun. The caller holds j.mu; putAside unlocks it.
func (m *Manager) putAside(j *job, v verdict) {
	if v == toShelf {
		m.shelve(j)
		return
	}
	reason := fmt.Errorf("%w: %w before it was due to start", ErrInterrupted, ErrStopped)
	if j.err != nil {
		reason = fmt.Errorf("%w: %w before the next retry; last error: %w", ErrInterrupted, ErrStopped, j.err)
	}
	j.mu.Unlock()
	m.finish(j, StatusInterrupted, reason)
}

// reconsider puts a job aside that waits and may not run any more. One that is with its adder is left to dispatch.
func (m *Manager) reconsider(j *job) {
	j.mu.Lock()
	if j.status == StatusPending && j.place != placeShelf && j.place != placeAdder && !j.lost {
		if v := m.verdict(j); v != mayRun {
			m.putAside(j, v) // unlocks
			return
		}
	}
	j.mu.Unlock()
}

// shelve puts a pending job aside to be saved for the next start. The caller holds j.mu; shelve unlocks it.
func (m *Manager) shelve(j *job) {
	place, start, expiry := j.place, j.start, j.expiry
	j.place, j.start, j.expiry = placeShelf, nil, nil
	j.mu.Unlock()
	m.letGo(j, place, start, expiry)
	m.life.shelf.put(j)
	m.registry.shelve()
}

// letGo removes a job from where it waited.
func (m *Manager) letGo(j *job, place place, alarms ...*alarm) {
	if place == placeQueue {
		j.pool.remove(j)
	}
	for _, a := range alarms {
		m.timers.stop(a)
	}
}

// finish gives a job that waits its final status; err says why. False: it runs, is over, or is saved for the next start. It
// never blocks: a worker waits for the history by itself, see run.
func (m *Manager) finish(j *job, status Status, err error) bool {
	why, now := newFailure(err), time.Now().UnixNano()
	j.mu.Lock()
	if j.status != StatusPending || j.place == placeShelf || !j.to(status) {
		j.mu.Unlock()
		return false
	}
	m.conclude(j, why, now) // unlocks
	return true
}

// giveUp gives a running job its final status although its function has not returned, or never will. False: it does not run.
func (m *Manager) giveUp(j *job, status Status, err error) bool {
	why, now := newFailure(err), time.Now().UnixNano()
	j.mu.Lock()
	if j.status != StatusRunning || !j.to(status) {
		j.mu.Unlock()
		return false
	}
	m.conclude(j, why, now) // unlocks
	return true
}

// conclude does what follows a change to a final status. The caller holds j.mu; conclude unlocks it.
func (m *Manager) conclude(j *job, why failure, now int64) {
	j.setFailure(why)
	if j.more != nil && j.more.open() != nil {
		j.attemptEnds(now, why.text)
	}
	j.progressEnds()
	j.endTime, j.runAt = now, 0
	place, start, expiry, admitted := j.place, j.start, j.expiry, j.admitted
	j.place, j.start, j.expiry, j.admitted = placeNone, nil, nil, false
	// What the function captured, and the request's values, can be let go.
	j.work.fn, j.ctx, j.cancel = nil, nil, nil
	j.size = j.weight()
	status := j.status
	ran, optional := j.startTime != 0, j.startTime == 0 && !j.durable && j.key == ""
	var duration time.Duration
	if ran {
		duration = time.Duration(max(now-j.startTime, 0))
	}
	j.meter.finished(status, now, why.text)
	m.emit(j, EventFinished)
	j.mu.Unlock()

	if place != placeNone || start != nil || expiry != nil {
		m.letGo(j, place, start, expiry)
	}
	if admitted {
		m.pending.Add(-1)
	}
	// The history comes first: when the registry has no live job left, Stop goes on to store what the history has.
	kept := m.history != nil && m.history.put(j, optional)
	if !kept && j.key != "" && status != StatusSuccess {
		m.keys.releaseHere(j.key, j.id.String())
	}
	m.registry.finish(j, status, duration, j.size, !kept)
	j.announce()
	if status == StatusFailed {
		m.logFailure(j)
	}
}

// logFailure is what keeps a failure from being silent when nobody looks at the dashboard.
func (m *Manager) logFailure(j *job) {
	j.mu.Lock()
	attrs := []any{"task_id", j.id.String(), "task", j.name, "attempts", j.attempts, "error", j.errText}
	if j.stack != "" {
		attrs = append(attrs, "stack", j.stack)
	}
	j.mu.Unlock()
	m.log.Error("taskflow: task failed", attrs...)
}
