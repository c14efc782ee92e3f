package sqlite

import (
	"context"
	"database/sql/driver"
	"slices"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// bounds is how much one Query or Count does at most. A filter by one thing finds all it wants in an index and needs no limit; of
// a combination each part may match half of the history, and nothing both.
type bounds struct {
	rows     int           // examined of the index that leads
	texts    int           // the same, when texts of each row must be looked into
	textTime time.Duration // in the full-text index: a text may consist of pieces that each are everywhere
}

// Query implements [taskflow.Querier]. A combination of filters, or a text that is short or found everywhere, may come back
// with fewer records than Limit, even none, together with a Next: that much was examined.
func (b *Backend) Query(ctx context.Context, q taskflow.Query) (taskflow.Page, error) {
	var page taskflow.Page
	err := b.read(ctx, "query", func(c *conn) error {
		s, err := newSearch(ctx, c, q.Filter, q.Before, b.cfg.bounds)
		if err != nil || s.nothing {
			return err
		}
		leader, floor, err := s.lead(ctx, c)
		if err != nil {
			return err
		}
		limit := min(max(q.Limit, 1), 1000)
		page, err = b.page(ctx, c, s.ids(leader, floor, limit+1), limit, q.Full)
		if err == nil && page.Next == "" && floor != nil {
			page.Next = decodeID(floor)
		}
		return err
	})
	if err != nil {
		return taskflow.Page{}, err
	}
	return page, nil
}

// page reads the records whose ids the statement finds, one more than limit if there is a next page.
func (b *Backend) page(ctx context.Context, c *conn, ids statement, limit int, full bool) (taskflow.Page, error) {
	sql := "SELECT " + summaryColumns
	if full {
		sql += detailColumns
	}
	sql += " FROM (" + ids.sql + ") found CROSS JOIN history h ON h.id = found.id LEFT JOIN name n ON n.name_id = h.name_id"
	if full {
		sql += joinDetail
	}
	sql += " ORDER BY found.id DESC"
	var (
		page taskflow.Page
		read int
		last []byte
	)
	err := c.query(ctx, sql, ids.args, func(row []driver.Value) error {
		if read++; read > limit {
			page.Next = decodeID(last)
			return nil
		}
		if id, ok := row[0].([]byte); ok && len(id) == 16 {
			last = slices.Clone(id) // the next page may see a row with a damaged id again, and skips it again
		}
		r, err := decode(row, full)
		if err != nil {
			b.skipped("history", row[0], err)
			return nil
		}
		page.Records = append(page.Records, r)
		return nil
	})
	return page, err
}

// Count implements [taskflow.Querier]. Like Query it bounds its work: of a combination of filters it counts what is among
// the newest 20,000 rows (8,000 for texts) of the index that leads, which is all of them unless every filter of the
// combination matches more than that; then the number is not exact.
func (b *Backend) Count(ctx context.Context, f taskflow.Filter, limit int) (n int, exact bool, err error) {
	err = b.read(ctx, "count", func(c *conn) error {
		s, err := newSearch(ctx, c, f, "", b.cfg.bounds)
		if err != nil || s.nothing || limit < 1 {
			exact = err == nil && s.nothing
			return err
		}
		leader, floor, err := s.lead(ctx, c)
		if err != nil {
			return err
		}
		ids := s.ids(leader, floor, limit)
		found, _, err := c.number(ctx, "SELECT count(*) FROM ("+ids.sql+")", ids.args...)
		n = int(found)
		exact = n < limit && floor == nil
		return err
	})
	return n, exact && err == nil, err
}
