package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// errEnough ends a walk over rows.
var errEnough = errors.New("enough")

// QueryPending implements [taskflow.PendingQuerier]. Unfinished rows have no indexes for listings: they would cost each submitted task more than
// they are worth. It walks from the newest on, at most over as many rows as Query does, and then returns a short page with a Next.
func (b *Backend) QueryPending(ctx context.Context, q taskflow.Query) (taskflow.Page, error) {
	var page taskflow.Page
	err := b.read(ctx, "query pending", func(c *conn) (err error) {
		page, err = b.pendingPage(ctx, c, q)
		return err
	})
	if err != nil {
		return taskflow.Page{}, err
	}
	return page, nil
}

func (b *Backend) pendingPage(ctx context.Context, c *conn, q taskflow.Query) (taskflow.Page, error) {
	var page taskflow.Page
	if !isText(q.Text) {
		return page, nil // no record has such text
	}
	s := search{}
	if err := s.limit(q.Filter, q.Before); err != nil {
		return page, err
	}
	floor, err := s.pendingFloor(ctx, c, q.Filter, b.cfg.bounds)
	if err != nil {
		return page, err
	}
	rows := s.pendingRows(q, floor)
	limit := min(max(q.Limit, 1), 1000)
	err = c.query(ctx, rows.sql, rows.args, func(row []driver.Value) error {
		r, err := decodePending(row, q.Full)
		switch {
		case err != nil:
			b.skipped("pending", row[0], err)
			return nil
		case !q.Match(&r):
			return nil
		case len(page.Records) == limit:
			page.Next = page.Records[limit-1].ID
			return errEnough
		}
		page.Records = append(page.Records, r)
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return taskflow.Page{}, err
	}
	if page.Next == "" && floor != nil {
		page.Next = decodeID(floor)
	}
	return page, nil
}

// pendingFloor returns the last id to examine; nil: there is no need to stop.
func (s *search) pendingFloor(ctx context.Context, c *conn, f taskflow.Filter, most bounds) (floor []byte, err error) {
	rows := most.rows
	switch {
	case f.Text != "" || len(f.Tags) > 0: // each record is decoded
		rows = most.texts / 4
	case f.Name == "" && f.Source == "" && len(f.Statuses) == 0:
		return nil, nil
	}
	where := s.pendingRange(nil)
	err = c.query(ctx, "SELECT id FROM pending"+where.sql+" ORDER BY id DESC LIMIT 1 OFFSET ?", append(where.args, int64(rows-1)), func(row []driver.Value) error {
		r := rowReader{row: row}
		floor = slices.Clone(r.blob())
		return r.err
	})
	return floor, err
}

// pendingRange limits the ids.
func (s *search) pendingRange(floor []byte) statement {
	where := statement{sql: " WHERE TRUE"}
	if s.high != nil {
		where.sql += " AND id < ?"
		where.args = append(where.args, s.high)
	}
	if low := maxBytes(s.low, floor); low != nil {
		where.sql += " AND id >= ?"
		where.args = append(where.args, low)
	}
	return where
}

// pendingRows selects what may match; the filter has the last word.
func (s *search) pendingRows(q taskflow.Query, floor []byte) statement {
	where := s.pendingRange(floor)
	equal := func(column, value string) {
		if value != "" {
			where.sql += " AND " + column + " = ?"
			where.args = append(where.args, value)
		}
	}
	equal("name", q.Name)
	equal("source", q.Source)
	if n := len(q.Statuses); n > 0 {
		where.sql += " AND status IN (" + strings.Join(slices.Repeat([]string{"?"}, n), ", ") + ")"
		for _, status := range q.Statuses {
			where.args = append(where.args, string(status))
		}
	}
	columns := pendingColumns
	if q.Full {
		columns += pendingDetailColumns
	}
	where.sql = "SELECT " + columns + " FROM pending" + where.sql + " AND format BETWEEN 1 AND ? ORDER BY id DESC"
	where.args = append(where.args, int64(taskflow.RecordFormat))
	return where
}

// GetPending implements [taskflow.PendingQuerier].
func (b *Backend) GetPending(ctx context.Context, id string) (taskflow.Record, error) {
	var found taskflow.Record
	key, err := encodeID(id)
	if err != nil {
		return found, b.wrap("get pending", fmt.Errorf("%w: %w", taskflow.ErrNotFound, err))
	}
	err = b.read(ctx, "get pending", func(c *conn) error {
		rowErr := fmt.Errorf("%w: %s", taskflow.ErrNotFound, id)
		err := c.query(ctx, "SELECT "+pendingColumns+pendingDetailColumns+" FROM pending WHERE id = ?", []any{key}, func(row []driver.Value) error {
			if found, rowErr = decodePending(row, true); rowErr != nil && !errors.Is(rowErr, taskflow.ErrNewerFormat) {
				rowErr = fmt.Errorf("%w: %s: %w", ErrCorrupt, id, rowErr)
			}
			return nil
		})
		if err != nil {
			return err
		}
		return rowErr
	})
	return found, err
}
