package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	taskflow "github.com/taskflow-go/taskflow/core"
)

var _ taskflow.Claimer = (*Backend)(nil)

// Claim gives rows that nobody holds to an owner. What makes it atomic is the mutex, and that the file is replaced as a whole.
func (b *Backend) Claim(ctx context.Context, owner string, names []string, limit int) ([]taskflow.Record, error) {
	leave, err := b.enter(ctx, "claim")
	if err != nil {
		return nil, err
	}
	defer leave()
	if owner == "" {
		return nil, fmt.Errorf("jsonl: claim: %w: the owner is empty", taskflow.ErrInvalidOption)
	}
	free := slices.DeleteFunc(slices.Sorted(maps.Keys(b.pending)), func(id string) bool {
		return b.pending[id].owner != "" || !slices.Contains(names, b.pending[id].name)
	})
	free = free[:min(limit, len(free))]
	if len(free) == 0 {
		return nil, nil
	}
	rows := maps.Clone(b.pending)
	var claimed []taskflow.Record
	for r, err := range b.unfinished(ctx, free) {
		if err == nil {
			r.Owner = owner
			rows[r.ID], err = rowOf(r) // no snapshot row any more
		}
		if err != nil {
			return nil, fmt.Errorf("jsonl: claim: %w", err)
		}
		claimed = append(claimed, r)
	}
	if err := b.setPending(rows); err != nil {
		return nil, fmt.Errorf("jsonl: claim: %w", err)
	}
	return claimed, nil
}
