package memory

import (
	"context"
	"fmt"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// SavePending implements [taskflow.Backend].
func (b *Backend) SavePending(ctx context.Context, records []taskflow.Record) (int, error) {
	leave, err := b.enter(ctx, "save pending")
	if err != nil {
		return 0, err
	}
	defer leave()
	for id, row := range b.pending {
		if row.snapshot {
			delete(b.pending, id)
		}
	}
	for _, r := range records {
		r = clone(r)
		r.Owner = "" // whoever starts next may take it
		b.pending[r.ID] = pendingRow{record: r, snapshot: true}
	}
	return len(records), nil
}

// PutPending implements [taskflow.Journal]. A row that another owner holds is [ErrHeld], and nothing is stored.
func (b *Backend) PutPending(ctx context.Context, records []taskflow.Record) error {
	leave, err := b.enter(ctx, "put pending")
	if err != nil {
		return err
	}
	defer leave()
	for _, r := range records {
		if held := b.pending[r.ID].record.Owner; held != "" && held != r.Owner {
			return fmt.Errorf("memory: put pending: record %s of %q: %w", r.ID, r.Owner, ErrHeld)
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
func (b *Backend) Claim(ctx context.Context, ids []string, owner string) ([]string, error) {
	leave, err := b.enter(ctx, "claim")
	if err != nil {
		return nil, err
	}
	defer leave()
	var claimed []string
	for _, id := range ids {
		row, ok := b.pending[id]
		if !ok || row.record.Owner != "" {
			continue
		}
		row.record.Owner, row.snapshot = owner, false
		b.pending[id] = row
		claimed = append(claimed, id)
	}
	return claimed, nil
}
