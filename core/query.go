package taskflow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The bounds of Query.Limit.
const (
	DefaultLimit = 100
	MaxLimit     = 1000
)

// Get returns one task in full: a live one, a recent one from memory, or one from the backend. ErrNotFound when there is none.
func (m *Manager) Get(ctx context.Context, id string) (Record, error) {
	key, err := parseID(id)
	if err != nil {
		return Record{}, err
	}
	if j := m.registry.get(key); j != nil {
		return j.snapshot(true), nil
	}
	if m.store == nil {
		return Record{}, fmt.Errorf("%w: %s", ErrNotFound, id)
	}
	// Unfinished before finished: a task that ends in between is seen all the same.
	r, err := m.getElsewhere(ctx, id)
	if errors.Is(err, ErrNotFound) {
		r, err = m.store.get(ctx, id)
	}
	if err != nil {
		return Record{}, fmt.Errorf("taskflow: get %s: %w", id, err)
	}
	return r, nil
}

// List returns one page of tasks, newest first: live ones, recent ones from memory and the backend's history, as one list. A
// Limit of 0 is DefaultLimit, a larger one than MaxLimit is MaxLimit. A Before that is no id is an error.
func (m *Manager) List(ctx context.Context, q Query) (Page, error) {
	if q.Limit <= 0 {
		q.Limit = DefaultLimit
	}
	q.Limit = min(q.Limit, MaxLimit)
	var before taskID
	if q.Before != "" {
		var err error
		if before, err = parseID(q.Before); err != nil {
			return Page{}, fmt.Errorf("taskflow: list: before: %w", err)
		}
	}
	here := m.inMemory(q, before)
	if m.store == nil {
		return cut(here, q.Limit, ""), nil
	}
	stored, others, err := m.beyondMemory(ctx, q)
	if err != nil {
		return Page{}, err
	}
	return merge(q.Limit, Page{Records: here}, stored, others), nil
}

// beyondMemory returns pages of the history and of what is unfinished elsewhere.
func (m *Manager) beyondMemory(ctx context.Context, q Query) (stored, others Page, err error) {
	// Unfinished before finished: a task that ends in between is in both, and must not be in none.
	if !onlyFinal(q.Statuses) {
		others, err = m.elsewhere(ctx, q)
	}
	if err == nil && !onlyLive(q.Statuses) {
		stored, err = m.store.page(ctx, q)
	}
	if err != nil {
		err = fmt.Errorf("taskflow: list: %w", err)
	}
	return stored, others, err
}

// inMemory returns up to q.Limit+1 matching tasks.
func (m *Manager) inMemory(q Query, before taskID) (found []Record) {
	m.registry.walk(before, func(j *job) bool {
		j.mu.Lock()
		defer j.mu.Unlock()
		if q.match(j.status, j.name, j.source, timeOf(j.created), j.policy.tags, j.errText, j.id.String) {
			found = append(found, j.record(q.Full))
		}
		return len(found) <= q.Limit
	})
	return found
}

// merge joins pages; a task that is in several is the one of the first.
func merge(limit int, pages ...Page) Page {
	var all []Record
	next := "" // none of them has looked further than the newest of their ends
	for _, p := range pages {
		all = append(all, p.Records...)
		next = max(next, p.Next)
	}
	if next != "" {
		all = slices.DeleteFunc(all, func(r Record) bool { return r.ID < next })
	}
	slices.SortStableFunc(all, func(a, b Record) int { return strings.Compare(b.ID, a.ID) })
	all = slices.CompactFunc(all, func(a, b Record) bool { return a.ID == b.ID })
	return cut(all, limit, next)
}

func cut(all []Record, limit int, next string) Page {
	if len(all) > limit {
		return Page{Records: all[:limit], Next: all[limit-1].ID}
	}
	return Page{Records: all, Next: next}
}

func onlyLive(statuses []Status) bool {
	return len(statuses) > 0 && !slices.ContainsFunc(statuses, Status.Final)
}

func onlyFinal(statuses []Status) bool {
	return len(statuses) > 0 && !slices.ContainsFunc(statuses, func(s Status) bool { return !s.Final() })
}

// Stats returns totals over all tasks: the backend's whole history where it keeps totals, otherwise since New; and what
// is live now, on other instances as of their latest heartbeat. Tasks that end while it counts may be missing or counted twice.
func (m *Manager) Stats(ctx context.Context) (Stats, error) {
	var s Stats
	if reader, ok := m.cfg.backend.(StatsReader); ok {
		stored, err := reader.Stats(ctx)
		if err != nil {
			return Stats{}, fmt.Errorf("taskflow: stats: %w", err)
		}
		s.Merge(&stored)
		for _, j := range m.history.unsaved() {
			r := j.snapshot(false)
			s.Add(&r)
		}
	} else {
		since := m.registry.stats()
		s.Merge(&since)
	}
	pending, running := m.live()
	if s.Counts == nil {
		s.Counts = make(map[Status]int64, 2)
	}
	if m.peers != nil && m.life.running() {
		others, err := m.peers.all(ctx)
		if err != nil {
			return Stats{}, fmt.Errorf("taskflow: stats: %w", err)
		}
		for _, i := range others {
			pending, running = pending+int64(i.Waiting), running+int64(i.Running)
		}
	}
	s.Counts[StatusPending], s.Counts[StatusRunning] = pending, running
	return s, nil
}

// live counts the live tasks.
func (m *Manager) live() (pending, running int64) {
	m.registry.walk(taskID{}, func(j *job) bool {
		j.mu.Lock()
		defer j.mu.Unlock()
		switch j.status {
		case StatusPending:
			pending++
		case StatusRunning:
			running++
		}
		return true
	})
	return pending, running
}

// Pools returns the state of the pools, the default pool first, the others by name.
func (m *Manager) Pools() []PoolInfo {
	infos := make([]PoolInfo, 0, len(m.pools))
	for _, p := range m.pools {
		infos = append(infos, p.info())
	}
	slices.SortFunc(infos, func(a, b PoolInfo) int {
		if (a.Name == DefaultPool) != (b.Name == DefaultPool) {
			if a.Name == DefaultPool {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	return infos
}
