package redis

import (
	"context"
	"slices"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// How many ids one step of a search looks at: few at first, because they may be what is wanted.
const (
	firstStep = 250
	nextStep  = 1000
)

// Query implements [taskflow.Querier]. A combination of filters, or a text, may come back with fewer records than Limit, even none,
// together with a Next: that much was examined.
func (b *Backend) Query(ctx context.Context, q taskflow.Query) (taskflow.Page, error) {
	return b.page(ctx, "query", historyStore(), q)
}

// QueryPending implements [taskflow.PendingQuerier]. It bounds its work as Query does.
func (b *Backend) QueryPending(ctx context.Context, q taskflow.Query) (taskflow.Page, error) {
	return b.page(ctx, "query pending", pendingStore(), q)
}

func (b *Backend) page(ctx context.Context, operation string, s store, q taskflow.Query) (page taskflow.Page, err error) {
	err = b.use(ctx, operation, func(c *connection) error {
		w, err := c.plan(ctx, s, &q)
		if err != nil {
			return err
		}
		limit := min(max(q.Limit, 1), 1000)
		budget := b.budget()
		for w.high != "" && len(page.Records) <= limit {
			need := limit + 1 - len(page.Records) // one more tells that there is another page
			n := need
			if len(w.conditions) > 0 {
				n = budget.next()
			} else {
				budget.spend(n)
			}
			err := b.step(ctx, c, &w, n, need, func(r *taskflow.Record) {
				if q.Match(r) {
					if !q.Full {
						*r = r.Summary()
					}
					page.Records = append(page.Records, *r)
				}
			})
			if err != nil {
				return err
			}
			if budget.over() {
				break
			}
		}
		switch {
		case len(page.Records) > limit:
			page.Records = page.Records[:limit]
			page.Next = page.Records[limit-1].ID
		case w.high != "":
			page.Next = w.last
		}
		return nil
	})
	if err != nil {
		return taskflow.Page{}, err
	}
	return page, nil
}

// budget is what is left of the bounds.
type budget struct {
	rows  int
	spent int
	until time.Time
}

func (b *Backend) budget() budget {
	return budget{rows: b.cfg.bounds.rows, until: time.Now().Add(b.cfg.bounds.time)}
}

// next returns how many ids the next step may look at, and takes them off.
func (b *budget) next() int {
	n := nextStep
	if b.spent == 0 {
		n = firstStep
	}
	n = max(min(n, b.rows), 1)
	b.spend(n)
	return n
}

func (b *budget) spend(n int) {
	b.rows -= n
	b.spent += n
}

// over: what one more step would find is left to the next page. However slow the server is, that much is looked at which one step may be.
func (b *budget) over() bool {
	return b.rows <= 0 || b.spent >= nextStep && time.Now().After(b.until)
}

// Count implements [taskflow.Querier]. What indexes tell is counted at once, however much it is. Otherwise it bounds its work as Query
// does: then the number is not exact.
func (b *Backend) Count(ctx context.Context, f taskflow.Filter, limit int) (n int, exact bool, err error) {
	err = b.use(ctx, "count", func(c *connection) error {
		if limit < 1 {
			return nil
		}
		w, err := c.plan(ctx, historyStore(), &taskflow.Query{Filter: f})
		if err != nil {
			return err
		}
		var except []string
		all := terms(&f)
		switch {
		case len(w.conditions) == 0:
		case len(all) == 1 && all[0].rest:
			except = all[0].except
		default:
			n, exact, err = b.countRows(ctx, c, &w, &f, limit)
			return err
		}
		n, exact, err = b.countIDs(ctx, c, &w, &f, except, limit)
		return err
	})
	return n, exact && err == nil, err
}

// countIDs counts what is in the indexes of a walk and not in some others. At the ends of a time the records are looked at.
func (b *Backend) countIDs(
	ctx context.Context, c *connection, w *walk, f *taskflow.Filter, except []string, limit int,
) (n int, exact bool, err error) {
	low, high := w.low, w.high
	edges := edgesOf(f)
	if !f.Since.IsZero() {
		low = "(" + edges[0].highest
	}
	if !f.Until.IsZero() {
		high = "(" + edges[len(edges)-1].lowest
	}
	sizes, err := c.sizes(ctx, low, high, slices.Concat(w.keys, except))
	if err != nil {
		return 0, false, err
	}
	n, exact = int(sum(sizes[:len(w.keys)])-sum(sizes[len(w.keys):])), true
	for i, e := range edges {
		if i > 0 && e == edges[0] {
			continue
		}
		w.low, w.high = "["+e.lowest, "["+e.highest
		some, all, err := b.countRows(ctx, c, w, f, max(limit-n, 1))
		if err != nil {
			return 0, false, err
		}
		n, exact = n+some, exact && all
	}
	return min(n, limit), exact && n < limit, nil
}

// edge is the ids of a moment: their clock is coarser than that of records, whose times must be looked at there.
type edge struct{ lowest, highest string }

func edgesOf(f *taskflow.Filter) (edges []edge) {
	for _, t := range []time.Time{f.Since, f.Until} {
		if !t.IsZero() {
			lowest, highest := taskflow.IDBounds(t)
			edges = append(edges, edge{lowest, highest})
		}
	}
	return edges
}

// countRows counts by looking at each record, up to a limit.
func (b *Backend) countRows(ctx context.Context, c *connection, w *walk, f *taskflow.Filter, limit int) (n int, exact bool, err error) {
	left := b.budget()
	for w.high != "" {
		if n >= limit || left.over() {
			return min(n, limit), false, nil
		}
		size := left.next()
		err := b.step(ctx, c, w, size, size, func(r *taskflow.Record) {
			if f.Match(r) {
				n++
			}
		})
		if err != nil {
			return 0, false, err
		}
	}
	return min(n, limit), n < limit, nil
}
