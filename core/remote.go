package taskflow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// What this file does concerns tasks that another instance holds, or nobody.

// cancelPatience is how long Cancel waits to see another instance obey.
const cancelPatience = 2 * time.Second

// Instances describes the running instances that share the backend, this one among them, in the order of their ids.
func (m *Manager) Instances(ctx context.Context) ([]Instance, error) {
	if m.peers == nil || !m.life.running() {
		i := m.asInstance(m.self)
		i.SeenAt = time.Now().UTC().Round(0)
		i.ExpiresAt = i.SeenAt
		return []Instance{i}, nil
	}
	others, err := m.peers.all(ctx)
	if err != nil {
		return nil, fmt.Errorf("taskflow: instances: %w", err)
	}
	all := append(slices.Clone(others), m.peers.seen())
	slices.SortFunc(all, func(a, b Instance) int { return strings.Compare(a.ID, b.ID) })
	return all, nil
}

// asInstance is this manager as it is now; self is what does not change.
func (m *Manager) asInstance(self Instance) Instance {
	self.ID, self.Pools, self.DegradedSince = m.Instance(), m.Pools(), m.DegradedSince()
	pending, running := m.live()
	self.Waiting, self.Running = int(pending), int(running)
	return self
}

// DegradedSince is when writes to the backend began to fail; the zero time when they do not.
func (m *Manager) DegradedSince() time.Time {
	var first time.Time
	for _, t := range m.troubles() {
		if at := t.began(); !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}

func (m *Manager) troubles() []*trouble {
	var all []*trouble
	if m.history != nil {
		all = append(all, &m.history.trouble)
	}
	if m.journal != nil {
		all = append(all, &m.journal.trouble)
	}
	if m.peers != nil {
		all = append(all, &m.peers.trouble)
	}
	return all
}

// rowless returns up to n live tasks that the backend has no row of, newest first.
func (m *Manager) rowless(n int) (found []Record) {
	looked := 0
	m.registry.walk(taskID{}, func(j *job) bool {
		j.mu.Lock()
		defer j.mu.Unlock()
		if looked++; j.owner == "" && !j.status.Final() {
			found = append(found, j.record(false))
		}
		return len(found) < n && looked < 4*walkChunk // what is live is among the newest, mostly
	})
	return found
}

// elsewhere returns the unfinished tasks of other instances that match q.
func (m *Manager) elsewhere(ctx context.Context, q Query) (Page, error) {
	var p Page
	if m.store.pending != nil {
		var err error
		if p, err = m.store.pending.QueryPending(ctx, q); err != nil {
			return Page{}, err
		}
	}
	if m.peers != nil && m.life.running() {
		others, err := m.peers.all(ctx)
		if err != nil {
			return Page{}, err
		}
		for _, i := range others {
			for _, r := range i.Live {
				if (q.Before == "" || r.ID < q.Before) && (p.Next == "" || r.ID >= p.Next) && q.Match(&r) {
					p.Records = append(p.Records, r)
				}
			}
		}
	}
	return p, nil
}

// getElsewhere finds an unfinished task that is not in the memory of this instance.
func (m *Manager) getElsewhere(ctx context.Context, id string) (Record, error) {
	if m.store.pending != nil {
		r, err := m.store.pending.GetPending(ctx, id)
		if err == nil || !errors.Is(err, ErrNotFound) {
			return r, err
		}
	}
	if m.peers != nil && m.life.running() {
		others, err := m.peers.all(ctx)
		if err != nil {
			return Record{}, err
		}
		for _, i := range others {
			for _, r := range i.Live {
				if r.ID == id {
					return r, nil
				}
			}
		}
	}
	return Record{}, fmt.Errorf("%w: %s", ErrNotFound, id)
}

// cancelElsewhere cancels a task that is not in memory: at once when nobody holds it, otherwise through the instance that does.
func (m *Manager) cancelElsewhere(ctx context.Context, id, reason string) (Record, error) {
	if m.store == nil {
		return Record{}, fmt.Errorf("%w: %s", ErrNotFound, id)
	}
	r, err := m.getElsewhere(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound):
		if r, err = m.store.get(ctx, id); err != nil {
			return Record{}, fmt.Errorf("taskflow: cancel %s: %w", id, err)
		}
		return r, fmt.Errorf("%w: it is %s already", ErrNotCancellable, r.Status)
	case err != nil:
		return Record{}, fmt.Errorf("taskflow: cancel %s: %w", id, err)
	case r.Owner == "" && m.journal != nil:
		return m.cancelFree(ctx, r, reason)
	case m.peers == nil || m.peers.mail == nil:
		return r, fmt.Errorf("%w: %s; cancel it on that instance's dashboard", ErrHeldElsewhere, clip(r.Owner, 64))
	}
	if err := m.peers.mail.Post(ctx, CancelMessage(id, reason)); err != nil {
		return r, fmt.Errorf("taskflow: cancel %s: %w", id, err)
	}
	return m.awaitOthers(ctx, r)
}

// awaitOthers watches a task of another instance for a moment and returns what has become of it.
func (m *Manager) awaitOthers(ctx context.Context, r Record) (Record, error) {
	ctx, cancel := context.WithTimeout(ctx, cancelPatience)
	defer cancel()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-look.C:
		case <-ctx.Done():
			return r, nil // it runs on until its function heeds the context
		}
		now, err := m.Get(ctx, r.ID)
		if err != nil {
			continue
		}
		if r = now; r.Status.Final() {
			return r, nil
		}
	}
}

// cancelFree cancels a task that waits in the backend and that nobody holds.
func (m *Manager) cancelFree(ctx context.Context, r Record, reason string) (Record, error) {
	waiting := r
	r.Owner, r.Status, r.EndTime = m.Instance(), StatusCancelled, time.Now().UTC().Round(0)
	r.RunAt, r.Error = time.Time{}, newFailure(cancelCause(reason)).text
	// One step, which whoever asked for it cannot interrupt: a row that nobody holds may be finished by anybody, one that somebody has just taken
	// may not.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
	defer cancel()
	switch n, err := m.store.backend.Save(ctx, []Record{r}); {
	case err != nil:
		return waiting, fmt.Errorf("taskflow: cancel %s: %w", r.ID, err)
	case n == 0:
		return waiting, fmt.Errorf("%w: another instance has just taken it", ErrNotCancellable)
	}
	m.keys.settle(ctx, []Record{r})
	return r, nil
}
