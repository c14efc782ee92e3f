package memory

import (
	"context"
	"fmt"
	"maps"
	"slices"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// pendingRow is an unfinished record. A snapshot row was written by SavePending, and the next SavePending of the same instance replaces
// it unless somebody has claimed it since.
type pendingRow struct {
	record   taskflow.Record
	snapshot bool
	by       string // the owner that the record named when SavePending wrote it
}

// SavePending implements [taskflow.Backend]. Managers that share this backend are told apart by the Owner that their records name; records
// without one are of an instance of their own.
func (b *Backend) SavePending(ctx context.Context, records []taskflow.Record) (int, error) {
	leave, err := b.enter(ctx, "save pending")
	if err != nil {
		return 0, err
	}
	defer leave()
	by := map[string]bool{"": len(records) == 0}
	for _, r := range records {
		by[r.Owner] = true
	}
	for id, row := range b.pending {
		if row.snapshot && by[row.by] {
			delete(b.pending, id)
		}
	}
	written := 0
	for _, r := range records {
		holder := b.pending[r.ID].record.Owner
		if _, finished := b.history[r.ID]; finished || holder != "" && r.Owner != "" && holder != r.Owner {
			continue
		}
		row := pendingRow{record: clone(r), snapshot: true, by: r.Owner}
		row.record.Owner = "" // whoever starts next may take it
		b.pending[r.ID] = row
		written++
	}
	if written > 0 {
		b.notify()
	}
	return written, nil
}

// PutPending implements [taskflow.Journal].
func (b *Backend) PutPending(ctx context.Context, records []taskflow.Record) error {
	leave, err := b.enter(ctx, "put pending")
	if err != nil {
		return err
	}
	defer leave()
	for _, r := range records {
		if held := b.pending[r.ID].record.Owner; held != "" && held != r.Owner {
			return fmt.Errorf("memory: put pending: %w: %s of %q is held by %q", taskflow.ErrLeaseLost, r.ID, r.Owner, held)
		}
		if _, finished := b.history[r.ID]; finished {
			return fmt.Errorf("memory: put pending: %w: %s of %q is finished", taskflow.ErrLeaseLost, r.ID, r.Owner)
		}
		if k, reserved := b.keys[r.Key]; reserved && k.taskID != r.ID && r.Key != "" {
			if _, pending := b.pending[r.ID]; !pending {
				return fmt.Errorf("memory: put pending: %w: the key %q of %s has been given to %s", taskflow.ErrLeaseLost, r.Key, r.ID, k.taskID)
			}
		}
	}
	for _, r := range records {
		b.pending[r.ID] = pendingRow{record: clone(r)}
	}
	return nil
}

// LoadPending implements [taskflow.Backend].
func (b *Backend) LoadPending(ctx context.Context) ([]taskflow.Record, error) {
	leave, err := b.enter(ctx, "load pending")
	if err != nil {
		return nil, err
	}
	defer leave()
	all := make([]taskflow.Record, 0, len(b.pending))
	for _, row := range b.pending {
		all = append(all, clone(row.record))
	}
	return all, nil
}

// ClearPending implements [taskflow.Backend].
func (b *Backend) ClearPending(ctx context.Context) error {
	leave, err := b.enter(ctx, "clear pending")
	if err != nil {
		return err
	}
	defer leave()
	clear(b.pending)
	return nil
}

// Claim implements [taskflow.Claimer].
func (b *Backend) Claim(ctx context.Context, owner string, names []string, limit int) ([]taskflow.Record, error) {
	leave, err := b.enter(ctx, "claim")
	if err != nil {
		return nil, err
	}
	defer leave()
	if owner == "" {
		return nil, fmt.Errorf("memory: claim: %w: the owner is empty: give the id of the instance", taskflow.ErrInvalidOption)
	}
	var claimed []taskflow.Record
	for _, id := range slices.Sorted(maps.Keys(b.pending)) {
		row := b.pending[id]
		if row.record.Owner != "" || !slices.Contains(names, row.record.Name) {
			continue
		}
		if len(claimed) >= limit {
			break
		}
		row.record.Owner, row.snapshot = owner, false
		b.pending[id] = row
		claimed = append(claimed, clone(row.record))
	}
	return claimed, nil
}

// QueryPending implements [taskflow.PendingQuerier].
func (b *Backend) QueryPending(ctx context.Context, q taskflow.Query) (taskflow.Page, error) {
	leave, err := b.enter(ctx, "query pending")
	if err != nil {
		return taskflow.Page{}, err
	}
	defer leave()
	return page(maps.Keys(b.pending), func(id string) taskflow.Record { return b.pending[id].record }, q), nil
}

// GetPending implements [taskflow.PendingQuerier].
func (b *Backend) GetPending(ctx context.Context, id string) (taskflow.Record, error) {
	leave, err := b.enter(ctx, "get pending")
	if err != nil {
		return taskflow.Record{}, err
	}
	defer leave()
	row, ok := b.pending[id]
	if !ok {
		return taskflow.Record{}, fmt.Errorf("memory: get pending %q: %w", id, taskflow.ErrNotFound)
	}
	return clone(row.record), nil
}
