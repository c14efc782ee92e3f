package taskflow

import (
	"context"
	"fmt"
	"time"
)

// Explanation says why a task is where it is.
type Explanation struct {
	State       string    `json:"state"`                  // "waiting", "running" or "finished"
	Reason      string    `json:"reason"`                 // one of the Reason constants
	Text        string    `json:"text"`                   // one sentence for a person
	RunAt       time.Time `json:"run_at,omitzero"`        // when its delay or its wait for a retry is over
	Pool        string    `json:"pool,omitempty"`         // that it waits for; set with PoolLimit, PoolRunning and Ahead
	PoolLimit   int       `json:"pool_limit,omitempty"`   // tasks that the pool runs at once
	PoolRunning int       `json:"pool_running,omitempty"` // and that it runs now
	Ahead       int       `json:"ahead,omitempty"`        // tasks of the pool that come first
	HolderID    string    `json:"holder_id,omitempty"`    // the instance that holds it, when that is another
}

// Why a task waits: values of Explanation.Reason.
const (
	ReasonDelayed       = "delayed"         // its delay is not over
	ReasonRetryWait     = "retry_wait"      // an attempt failed, and the wait for the next is not over
	ReasonPoolFull      = "pool_full"       // it is next, but its pool runs as many tasks as it may
	ReasonBehind        = "behind"          // others of its pool come first
	ReasonHeldByRequest = "held_by_request" // the response of the request that added it is not out, or it is just being added
	ReasonParked        = "parked"          // no instance that is known here has a task of its name
	ReasonOtherInstance = "other_instance"  // another instance holds it, whose pools are not known here
	ReasonStopping      = "stopping"        // the manager stops: it is saved for the next start
	ReasonNone          = "none"            // it does not wait, or will not for long
)

// Explain says why a task waits, as far as this instance knows. Errors: ErrNotFound, and the backend's.
func (m *Manager) Explain(ctx context.Context, id string) (Explanation, error) {
	key, err := parseID(id)
	if err != nil {
		return Explanation{}, err
	}
	if j := m.registry.get(key); j != nil {
		return m.explainHere(j), nil
	}
	r, err := m.Get(ctx, id)
	if err != nil {
		return Explanation{}, err
	}
	return m.explainStored(&r), nil
}

func (m *Manager) explainHere(j *job) Explanation {
	j.mu.Lock()
	r, place := j.record(false), j.place
	j.mu.Unlock()
	if e, over := explainStatus(&r); over {
		return e
	}
	e := Explanation{State: "waiting", Reason: ReasonNone, RunAt: r.RunAt}
	switch place {
	case placeTimer:
		e.explainDelay(&r)
	case placeQueue:
		m.explainQueue(&e, j)
	case placeShelf:
		e.Reason, e.Text = ReasonStopping, "The manager is stopping; the task is saved for the next start."
	default:
		e.Reason, e.Text = ReasonHeldByRequest, "It begins when the response of the request that added it has been sent."
	}
	return e
}

// explainStatus explains a task that does not wait; over is false for one that does.
func explainStatus(r *Record) (e Explanation, over bool) {
	switch {
	case r.Status.Final():
		return Explanation{State: "finished", Reason: ReasonNone, Text: "It has ended as " + string(r.Status) + "."}, true
	case r.Status == StatusRunning:
		return Explanation{State: "running", Reason: ReasonNone, Text: fmt.Sprintf("It runs, in attempt %d.", r.Attempts)}, true
	}
	return e, false
}

func (e *Explanation) explainDelay(r *Record) {
	at := r.RunAt.UTC().Format(time.RFC3339)
	if r.Attempts > 0 {
		e.Reason, e.Text = ReasonRetryWait, fmt.Sprintf("Attempt %d failed; the next begins at %s.", r.Attempts, at)
		return
	}
	e.Reason, e.Text = ReasonDelayed, "It was added with a delay, which ends at "+at+"."
}

func (m *Manager) explainQueue(e *Explanation, j *job) {
	p := j.pool
	p.mu.Lock()
	running, limit, open, ahead := p.workers, p.limit, p.open, p.queue.before(j, j.policy.priority)
	p.mu.Unlock()
	e.RunAt, e.Pool, e.PoolLimit, e.PoolRunning, e.Ahead = time.Time{}, p.name, limit, running, ahead
	switch {
	case !m.life.begun.Load():
		e.Text = "The manager has not been started."
	case !open:
		e.Reason, e.Text = ReasonStopping, "The manager is stopping; its workers begin nothing more."
	case ahead > 0:
		e.Reason, e.Text = ReasonBehind, fmt.Sprintf("%d tasks of the pool %s come first, which runs %d of at most %d.", ahead, p.name, running, limit)
	case running >= limit:
		e.Reason, e.Text = ReasonPoolFull, fmt.Sprintf("It is next, but the pool %s runs %d tasks, as many as it may.", p.name, running)
	default:
		e.Text = "A worker is about to take it."
	}
}

// explainStored explains a task that is not in the memory of this instance.
func (m *Manager) explainStored(r *Record) Explanation {
	e, over := explainStatus(r)
	if !r.Status.Final() && r.Owner != m.Instance() {
		e.HolderID = r.Owner
	}
	if over {
		return e
	}
	e.State, e.Reason, e.RunAt = "waiting", ReasonNone, r.RunAt
	switch {
	case r.Owner != "" && r.RunAt.After(time.Now()):
		e.explainDelay(r)
	case r.Owner != "":
		e.Reason, e.Text = ReasonOtherInstance, "The instance "+r.Owner+" holds it; its dashboard knows what it waits for."
	case m.tasks[r.Name] == nil:
		e.Reason, e.Text = ReasonParked, fmt.Sprintf("Nobody holds it, and this instance has no task %q: it waits for one that registers the name.", r.Name)
	default:
		e.Text = "Nobody holds it; an instance takes it over at its next heartbeat."
	}
	return e
}

// before counts the jobs that come before j; those of its level that are behind it, or j itself, do not count.
func (q *readyQueue) before(j *job, priority int) (n int) {
	for _, l := range q.levels {
		if l.priority > priority {
			n += l.n
		}
		if l.priority != priority {
			continue
		}
		for _, other := range l.fifo[l.head:] {
			if other == j {
				break
			}
			if other != nil {
				n++
			}
		}
	}
	return n
}
