package taskflow

import (
	"context"
	"fmt"
	"slices"
)

// Shared reports whether other instances share the backend, as of the latest heartbeat or a second ago.
func (m *Manager) Shared(ctx context.Context) (bool, error) {
	if m.peers == nil || !m.life.running() {
		return false, nil
	}
	others, err := m.peers.all(ctx)
	if err != nil {
		return false, fmt.Errorf("taskflow: instances: %w", err)
	}
	return len(others) > 0, nil
}

// ListElsewhere is List without what is in the memory of this instance: tasks of other instances, and old ones. Its pages may be short.
func (m *Manager) ListElsewhere(ctx context.Context, q Query) (Page, error) {
	if q.Limit <= 0 {
		q.Limit = DefaultLimit
	}
	q.Limit = min(q.Limit, MaxLimit)
	if m.store == nil {
		return Page{}, nil
	}
	stored, others, err := m.beyondMemory(ctx, q)
	if err != nil {
		return Page{}, err
	}
	page := merge(q.Limit, stored, others)
	page.Records = slices.DeleteFunc(page.Records, func(r Record) bool {
		id, err := parseID(r.ID)
		return err == nil && m.registry.get(id) != nil
	})
	return page, nil
}
