package taskflow

import (
	"context"
	"fmt"
	"slices"
)

// Count returns how many tasks match, live ones and those of the backend's history alike, counting no further than limit (at least 1). exact is false when
// there may be more: because limit was reached, or because the backend bounds its work. Tasks that end while it counts may be missing or counted
// twice.
func (m *Manager) Count(ctx context.Context, f Filter, limit int) (n int, exact bool, err error) {
	limit = max(limit, 1)
	if m.store == nil || m.store.query == nil {
		return m.countListed(ctx, f, limit)
	}
	if live := f.among(StatusPending, StatusRunning); live != nil {
		if n, exact, err = m.countListed(ctx, *live, limit); err != nil || n >= limit {
			return n, false, err
		}
	}
	if ended := f.among(StatusSuccess, StatusFailed, StatusInterrupted, StatusCancelled); ended != nil {
		for _, j := range m.history.unsaved() {
			if r := j.snapshot(false); r.Status.Final() && f.Match(&r) {
				n++
			}
		}
		if n >= limit {
			return limit, false, nil
		}
		stored, whole, err := m.store.query.Count(ctx, f, limit-n)
		if err != nil {
			return 0, false, fmt.Errorf("taskflow: count: %w", err)
		}
		n, exact = n+stored, whole
	}
	return n, exact || f.nothing(), nil
}

// countListed counts by listing.
func (m *Manager) countListed(ctx context.Context, f Filter, limit int) (n int, exact bool, err error) {
	q := Query{Filter: f, Limit: MaxLimit}
	for n < limit {
		page, err := m.List(ctx, q)
		if err != nil {
			return 0, false, err
		}
		n += len(page.Records)
		if q.Before = page.Next; q.Before == "" {
			return min(n, limit), n <= limit, nil
		}
	}
	return limit, false, nil
}

// among narrows a filter to some statuses; nil when none is left.
func (f *Filter) among(statuses ...Status) *Filter {
	narrow := *f
	if len(f.Statuses) > 0 {
		statuses = slices.DeleteFunc(statuses, func(s Status) bool { return !slices.Contains(f.Statuses, s) })
	}
	if narrow.Statuses = statuses; len(statuses) == 0 {
		return nil
	}
	return &narrow
}

// nothing reports whether a filter asks for statuses that no task has.
func (f *Filter) nothing() bool {
	return len(f.Statuses) > 0 && !slices.ContainsFunc(f.Statuses, Status.Valid)
}

// QueueUsage tells how many tasks wait in this instance and count against the queue's size, and that size; see [WithQueueSize].
func (m *Manager) QueueUsage() (waiting, size int) { return int(m.pending.Load()), m.cfg.queueSize }
