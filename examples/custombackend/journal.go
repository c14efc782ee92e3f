package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	taskflow "github.com/taskflow-go/taskflow/core"
)

var _ taskflow.Journal = (*Backend)(nil)

// PutPending stores all rows or none: they are in one file, which is replaced as a whole.
func (b *Backend) PutPending(ctx context.Context, records []taskflow.Record) error {
	leave, err := b.enter(ctx, "put pending")
	if err != nil {
		return err
	}
	defer leave()
	rows := maps.Clone(b.pending)
	for _, r := range records {
		if _, done := b.lines[r.ID]; done || !mayWrite(r.Owner, rows[r.ID].owner) || b.keyLost(r) {
			return fmt.Errorf("jsonl: put pending: %w: %s of %q", taskflow.ErrLeaseLost, r.ID, r.Owner)
		}
		if rows[r.ID], err = rowOf(r); err != nil {
			return fmt.Errorf("jsonl: put pending: %w", err)
		}
	}
	if err := b.setPending(rows); err != nil {
		return fmt.Errorf("jsonl: put pending: %w", err)
	}
	return nil
}

// mayWrite is the fence of unfinished rows: what somebody holds, nobody else changes.
func mayWrite(owner, holder string) bool { return holder == "" || holder == owner }

// ours is the fence of Save: it leaves out what another instance holds, or has finished. A record without an owner is always written.
func (b *Backend) ours(records []taskflow.Record) []taskflow.Record {
	return slices.DeleteFunc(slices.Clone(records), func(r taskflow.Record) bool {
		holder := b.lines[r.ID].owner
		if row, unfinished := b.pending[r.ID]; unfinished {
			holder = row.owner
		}
		return r.Owner != "" && !mayWrite(r.Owner, holder)
	})
}
