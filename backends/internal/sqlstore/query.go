package sqlstore

import (
	"context"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// maxLimit is what a page holds at most.
const maxLimit = 1000

// Query implements [taskflow.Querier]. A combination of filters, or a text, may come back with fewer records than Limit, even
// none, together with a Next: that much was examined.
func (s *Store) Query(ctx context.Context, q taskflow.Query) (taskflow.Page, error) {
	return s.page(ctx, "query", false, q)
}

// QueryPending implements [taskflow.PendingQuerier]. With filters it reads the newest rows within the same bounds as Query.
func (s *Store) QueryPending(ctx context.Context, q taskflow.Query) (taskflow.Page, error) {
	return s.page(ctx, "query pending", true, q)
}

func (s *Store) page(ctx context.Context, operation string, pending bool, query taskflow.Query) (taskflow.Page, error) {
	p := page{limit: min(max(query.Limit, 1), maxLimit)}
	err := s.read(ctx, operation, func(o *session) error {
		q, err := o.search(pending, query.Filter, query.Before)
		if err != nil || q.nothing {
			return err
		}
		read := func(walks []Walk, checks []Fragment, low ID) error {
			return q.readPage(ctx, q.ids(walks, checks, low, p.limit+1-p.rows, 0), query.Full, &p)
		}
		if q.simple() {
			walks, _ := q.split(0)
			return read(walks, nil, q.low)
		}
		leader, err := q.leader(ctx)
		if err != nil {
			return err
		}
		walks, checks := q.split(leader)
		next, err := q.windows(ctx, walks, func(low ID) (more bool, err error) {
			err = read(walks, checks, low)
			return p.rows <= p.limit, err
		})
		if p.Next == "" {
			p.Next = next
		}
		return err
	})
	if err != nil {
		return taskflow.Page{}, err
	}
	return p.Page, nil
}

// page is one that is being read.
type page struct {
	taskflow.Page
	limit int
	rows  int // read so far, those that cannot be read among them
	last  ID  // of the last row of the page
}

// add takes in a row, or learns from it that there is a next page.
func (p *page) add(id ID, r taskflow.Record, readable bool) {
	if p.rows++; p.rows > p.limit {
		p.Next = p.last.String()
		return
	}
	p.last = id
	if readable {
		p.Records = append(p.Records, r)
	}
}

// readPage reads the records whose ids the statement finds.
func (q *search) readPage(ctx context.Context, ids Fragment, full bool, p *page) error {
	columns, join := summaryColumns, ""
	switch {
	case full && q.pending:
		columns += pendingDetail
	case full:
		columns, join = columns+historyDetail, joinDetail
	}
	// the ids are few: the server looks each of them up
	sql := "SELECT " + columns + " FROM (" + ids.SQL + ") found {join} {" + q.table().Name + "} h ON h.id = found.id" + join + " ORDER BY found.id DESC"
	return q.s.find(ctx, Fragment{sql, ids.Args}, func(row Row) error {
		r, id, damage, err := scanRecord(row, full)
		if err != nil {
			return err
		}
		if damage != nil {
			q.s.store.skipped(q.table().Name, id.String(), damage)
		}
		p.add(id, r, damage == nil)
		return nil
	})
}

// Count implements [taskflow.Querier]. Like Query it bounds its work: of a combination of filters it counts what is among the
// newest 20,000 rows of the index that leads, or among those that it gets to in 30 ms. Then the number is not exact.
func (s *Store) Count(ctx context.Context, f taskflow.Filter, limit int) (n int, exact bool, err error) {
	err = s.read(ctx, "count", func(o *session) error {
		q, err := o.search(false, f, "")
		if err != nil || q.nothing || limit < 1 {
			exact = err == nil && q.nothing
			return err
		}
		count := func(walks []Walk, checks []Fragment, low ID) error {
			ids := q.ids(walks, checks, low, limit-n, 0)
			return o.find(ctx, Fragment{"SELECT count(*) FROM (" + ids.SQL + ") found", ids.Args}, func(row Row) error {
				var found int64
				err := row.Scan(&found)
				n += int(found)
				return err
			})
		}
		next := ""
		if q.simple() {
			walks, _ := q.split(0)
			err = count(walks, nil, q.low)
		} else {
			var leader int
			if leader, err = q.leader(ctx); err != nil {
				return err
			}
			walks, checks := q.split(leader)
			next, err = q.windows(ctx, walks, func(low ID) (more bool, err error) {
				err = count(walks, checks, low)
				return n < limit, err
			})
		}
		exact = err == nil && next == "" && n < limit
		return err
	})
	return n, exact, err
}
