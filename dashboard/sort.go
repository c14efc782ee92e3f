package dashboard

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// newestFirst is the order that every backend has an index for, and that needs no sorting.
const newestFirst = "-created_at"

// order is another order than that. It is made in memory, of a selection that is small enough.
type order struct {
	name    string
	compare func(a, b *taskflow.Record) int
}

// maxSorted bounds the selections that are sorted.
const maxSorted = maxLimit

// sort reads the order of a list; nil is the newest first.
func (p params) sort() (*order, error) {
	name, err := p.one("sort")
	if err != nil || name == "" || name == newestFirst {
		return nil, err
	}
	compare := map[string]func(a, b *taskflow.Record) int{
		"created_at": func(a, b *taskflow.Record) int { return strings.Compare(a.ID, b.ID) },
		"duration":   func(a, b *taskflow.Record) int { return cmp.Compare(a.Duration(), b.Duration()) },
		"end_time":   func(a, b *taskflow.Record) int { return a.EndTime.Compare(b.EndTime) },
	}[strings.TrimPrefix(name, "-")]
	if compare == nil {
		return nil, refuse(http.StatusBadRequest,
			"sort=%q is not possible; possible are -created_at, the newest first, and for up to %d tasks created_at, duration, end_time, -duration, -end_time", name, maxSorted)
	}
	if p["cursor"] != nil {
		return nil, refuse(http.StatusBadRequest, "cursor goes with sort=%s only; another order has one page", newestFirst)
	}
	if strings.HasPrefix(name, "-") {
		ascending := compare
		compare = func(a, b *taskflow.Record) int { return ascending(b, a) }
	}
	return &order{name, compare}, nil
}

// find is Handler.find in this order: one page, whose length the limit bounds.
func (o *order) find(h *Handler) func(context.Context, *selection, taskflow.Query) (taskflow.Page, error) {
	return func(ctx context.Context, s *selection, q taskflow.Query) (taskflow.Page, error) {
		var all []taskflow.Record
		whole, err := h.walk(ctx, s, "", lookPages, func(r *taskflow.Record) (bool, error) {
			all = append(all, *r)
			return len(all) <= maxSorted, nil
		})
		if err != nil {
			return taskflow.Page{}, err
		}
		if !whole {
			return taskflow.Page{}, refuse(http.StatusBadRequest,
				"sort=%s is possible for up to %d tasks, and these are more; narrow the filter, or take %s, which is possible always", o.name, maxSorted, newestFirst)
		}
		slices.SortStableFunc(all, func(a, b taskflow.Record) int { return o.compare(&a, &b) })
		all = all[:min(len(all), q.Limit)]
		if q.Full {
			for i := range all {
				if full, err := h.m.Get(ctx, all[i].ID); err == nil { // otherwise it was deleted meanwhile: what is known of it stays
					all[i] = full
				}
			}
		}
		return taskflow.Page{Records: all}, nil
	}
}
