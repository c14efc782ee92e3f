package main

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"

	taskflow "github.com/taskflow-go/taskflow/core"
)

var _ taskflow.Querier = (*Backend)(nil)

// maxLooks bounds what one call reads, because all others wait for it meanwhile.
const maxLooks = 5000

// Query reads from the newest on, as far as the page needs.
func (b *Backend) Query(ctx context.Context, q taskflow.Query) (taskflow.Page, error) {
	leave, err := b.enter(ctx, "query")
	if err != nil {
		return taskflow.Page{}, err
	}
	defer leave()
	p, err := page(b.finished(ctx, newest(maps.Keys(b.lines), q.Before)), q)
	if err != nil {
		return taskflow.Page{}, fmt.Errorf("jsonl: query: %w", err)
	}
	return p, nil
}

// newest returns the ids before the cursor in the order of listings. Ids are their own index: their order is the order of adding.
func newest(ids iter.Seq[string], before string) []string {
	sorted := slices.Sorted(ids)
	if before != "" {
		end, _ := slices.BinarySearch(sorted, before)
		sorted = sorted[:end]
	}
	slices.Reverse(sorted)
	return sorted
}

// page takes what matches. Filter.Match is the meaning of a filter.
func page(records iter.Seq2[taskflow.Record, error], q taskflow.Query) (p taskflow.Page, err error) {
	looked, last := 0, ""
	for r, err := range records {
		if err != nil {
			return taskflow.Page{}, err
		}
		if len(p.Records) == q.Limit || looked == maxLooks {
			p.Next = last // there is more, or there may be
			break
		}
		looked, last = looked+1, r.ID
		if !q.Match(&r) {
			continue
		}
		if !q.Full {
			r = r.Summary()
		}
		p.Records = append(p.Records, r)
	}
	return p, nil
}

// Get reads one record.
func (b *Backend) Get(ctx context.Context, id string) (taskflow.Record, error) {
	leave, err := b.enter(ctx, "get")
	if err != nil {
		return taskflow.Record{}, err
	}
	defer leave()
	if _, known := b.lines[id]; known {
		for r, err := range b.finished(ctx, []string{id}) {
			if err != nil {
				return taskflow.Record{}, fmt.Errorf("jsonl: get %s: %w", id, err)
			}
			return r, nil
		}
	}
	return taskflow.Record{}, fmt.Errorf("jsonl: get %q: %w", id, taskflow.ErrNotFound)
}

// Count reads as far as limit, and says whether that was all.
func (b *Backend) Count(ctx context.Context, f taskflow.Filter, limit int) (n int, exact bool, err error) {
	leave, err := b.enter(ctx, "count")
	if err != nil {
		return 0, false, err
	}
	defer leave()
	looked := 0
	for r, err := range b.finished(ctx, newest(maps.Keys(b.lines), "")) {
		if err != nil {
			return 0, false, fmt.Errorf("jsonl: count: %w", err)
		}
		if n == limit || looked == maxLooks {
			return n, false, nil
		}
		if looked++; f.Match(&r) {
			n++
		}
	}
	return n, n < limit, nil
}
