package memory

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// Query implements [taskflow.Querier].
func (b *Backend) Query(ctx context.Context, q taskflow.Query) (taskflow.Page, error) {
	leave, err := b.enter(ctx, "query")
	if err != nil {
		return taskflow.Page{}, err
	}
	defer leave()
	return page(maps.Keys(b.history), func(id string) taskflow.Record { return b.history[id] }, q), nil
}

// page answers a query of the records that get returns for the ids.
func page(ids iter.Seq[string], get func(id string) taskflow.Record, q taskflow.Query) taskflow.Page {
	var p taskflow.Page
	for _, id := range slices.Backward(slices.Sorted(ids)) {
		r := get(id)
		if (q.Before != "" && id >= q.Before) || !q.Match(&r) {
			continue
		}
		if len(p.Records) == q.Limit {
			p.Next = p.Records[q.Limit-1].ID
			break
		}
		if !q.Full {
			r = r.Summary()
		}
		p.Records = append(p.Records, clone(r))
	}
	return p
}

// Get implements [taskflow.Querier].
func (b *Backend) Get(ctx context.Context, id string) (taskflow.Record, error) {
	leave, err := b.enter(ctx, "get")
	if err != nil {
		return taskflow.Record{}, err
	}
	defer leave()
	r, ok := b.history[id]
	if !ok {
		return taskflow.Record{}, fmt.Errorf("memory: get %q: %w", id, taskflow.ErrNotFound)
	}
	return clone(r), nil
}

// Count implements [taskflow.Querier].
func (b *Backend) Count(ctx context.Context, f taskflow.Filter, limit int) (n int, exact bool, err error) {
	leave, err := b.enter(ctx, "count")
	if err != nil {
		return 0, false, err
	}
	defer leave()
	for _, r := range b.history {
		if n >= limit {
			break
		}
		if f.Match(&r) {
			n++
		}
	}
	return n, n < limit, nil
}
