package taskflow

import (
	"context"
	"fmt"
	"slices"
)

// Deletion is what DeleteRecords did.
type Deletion struct {
	Deleted    int // records that are gone
	Unfinished int // tasks that are live here, or so fresh that the backend does not have them yet: they stay
}

// DeleteRecords removes the finished tasks of these ids, from memory and from the backend; unfinished tasks stay, and ids of tasks that do not
// exist do nothing. ErrNotSupported when the backend is no [RecordDeleter]; then nothing is removed. With another error some may be gone.
func (m *Manager) DeleteRecords(ctx context.Context, ids []string) (Deletion, error) {
	d, can := m.cfg.backend.(RecordDeleter)
	if m.store != nil && !can {
		return Deletion{}, fmt.Errorf("taskflow: delete records: %w: it has no Delete", ErrNotSupported)
	}
	var done Deletion
	here := map[taskID]bool{}
	var ended []string
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		key, err := parseID(id)
		if err != nil {
			continue
		}
		if j := m.registry.get(key); j == nil {
			ended = append(ended, id)
		} else if m.registry.kept(j) {
			here[key] = true
			ended = append(ended, id)
		} else {
			done.Unfinished++
		}
	}
	if m.store == nil {
		done.Deleted = m.registry.forgetThese(here)
		return done, nil
	}
	var err error
	if done.Deleted, err = d.Delete(ctx, ended); err != nil {
		return done, fmt.Errorf("taskflow: delete records: %w", err)
	}
	m.registry.forgetThese(here)
	return done, nil
}

// Capable reports whether the manager can do what a capability of a backend is for. Without a backend, memory can be asked, counted and deleted from.
func (m *Manager) Capable(c Capability) bool {
	if m.cfg.backend != nil {
		return slices.Contains(Capabilities(m.cfg.backend), c)
	}
	switch c {
	case CapabilityQuery, CapabilityStats, CapabilityDelete, CapabilityDeleteRecords:
		return true
	}
	return false
}

// kept reports whether the final record of a job is where it stays: nothing will write it again.
func (r *registry) kept(j *job) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return j.stored
}

// forgetThese removes finished jobs from memory and returns how many.
func (r *registry) forgetThese(ids map[taskID]bool) (n int) {
	return r.forgetIf(func(j *job) bool { return ids[j.id] })
}
