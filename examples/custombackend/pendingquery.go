package main

import (
	"context"
	"fmt"
	"maps"

	taskflow "github.com/taskflow-go/taskflow/core"
)

var _ taskflow.PendingQuerier = (*Backend)(nil)

// QueryPending is Query for the other store.
func (b *Backend) QueryPending(ctx context.Context, q taskflow.Query) (taskflow.Page, error) {
	leave, err := b.enter(ctx, "query pending")
	if err != nil {
		return taskflow.Page{}, err
	}
	defer leave()
	p, err := page(b.unfinished(ctx, newest(maps.Keys(b.pending), q.Before)), q)
	if err != nil {
		return taskflow.Page{}, fmt.Errorf("jsonl: query pending: %w", err)
	}
	return p, nil
}

// GetPending is Get for the other store.
func (b *Backend) GetPending(ctx context.Context, id string) (taskflow.Record, error) {
	leave, err := b.enter(ctx, "get pending")
	if err != nil {
		return taskflow.Record{}, err
	}
	defer leave()
	if _, known := b.pending[id]; known {
		for r, err := range b.unfinished(ctx, []string{id}) {
			if err != nil {
				return taskflow.Record{}, fmt.Errorf("jsonl: get pending %s: %w", id, err)
			}
			return r, nil
		}
	}
	return taskflow.Record{}, fmt.Errorf("jsonl: get pending %q: %w", id, taskflow.ErrNotFound)
}
