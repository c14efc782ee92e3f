package memory

import (
	"context"
	"fmt"
	"slices"
	"strings"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// Query implements [taskflow.Querier].
func (b *Backend) Query(ctx context.Context, q taskflow.Query) (taskflow.Page, error) {
	leave, err := b.enter(ctx, "query")
	if err != nil {
		return taskflow.Page{}, err
	}
	defer leave()
	var page taskflow.Page
	for _, id := range b.newestFirst() {
		r := b.history[id]
		if (q.Before != "" && id >= q.Before) || !q.Match(&r) {
			continue
		}
		if len(page.Records) == q.Limit {
			page.Next = page.Records[q.Limit-1].ID
			break
		}
		if !q.Full {
			r = r.Summary()
		}
		page.Records = append(page.Records, clone(r))
	}
	return page, nil
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

func (b *Backend) newestFirst() []string {
	ids := make([]string, 0, len(b.history))
	for id := range b.history {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(x, y string) int { return strings.Compare(y, x) })
	return ids
}
