package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"

	taskflow "github.com/taskflow-go/taskflow/core"
)

const pendingValues = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

// putStatements store this many rows each, the largest first: a statement costs as much as a few rows, and a group commit has up to hundreds.
var putStatements = []struct {
	rows int
	sql  string
}{{16, putSQL(16)}, {8, putSQL(8)}, {4, putSQL(4)}, {2, putSQL(2)}, {1, putSQL(1)}}

// putSQL stores n rows: those whose tasks are not finished, and that nobody holds but their owner, or one of the last argument, a JSON array.
func putSQL(n int) string {
	return `INSERT INTO pending (id, owner, session, name, status, source, format, record, stack, logs, args)
		SELECT column1, column2, column3, column4, column5, column6, column7, column8, column9, column10, column11
		FROM (VALUES ` + repeat(pendingValues, n) + `)
		WHERE NOT EXISTS (SELECT 1 FROM history WHERE id = column1)
		ON CONFLICT DO UPDATE SET owner = excluded.owner, session = excluded.session, name = excluded.name, status = excluded.status,
		source = excluded.source, format = excluded.format, record = excluded.record, stack = excluded.stack, logs = excluded.logs, args = excluded.args
		WHERE pending.owner IS NULL OR pending.owner = excluded.owner OR pending.owner IN (SELECT value FROM json_each(?))`
}

// putter stores pending rows.
type putter struct {
	session any    // of a snapshot, whose rows have no owner; nil: of the journal
	ours    string // owners whose rows may be replaced, as a JSON array
}

// put stores what may be stored, and returns how many rows that were.
func (p putter) put(ctx context.Context, c *conn, records []taskflow.Record) (stored int, err error) {
	var args []any
	size := 0
	for len(records) > 0 {
		if err := ctx.Err(); err != nil { // asked for between the statements, as in Save
			return 0, err
		}
		for putStatements[size].rows > len(records) {
			size++
		}
		n, sql := putStatements[size].rows, putStatements[size].sql
		args = args[:0]
		for i := range records[:n] {
			if args, err = p.values(args, &records[i]); err != nil {
				return 0, err
			}
		}
		changed, _, err := c.exec(context.WithoutCancel(ctx), sql, append(args, p.ours)...)
		if err != nil {
			return 0, err
		}
		stored += int(changed)
		records = records[n:]
	}
	return stored, nil
}

// values appends the values of a row.
func (p putter) values(args []any, r *taskflow.Record) ([]any, error) {
	row, err := encodePending(r)
	if err != nil {
		return nil, err
	}
	owner := optional(r.Owner)
	if p.session != nil {
		owner = nil
	}
	return append(args, row.id, owner, p.session, r.Name, string(r.Status), r.Source, int64(taskflow.RecordFormat), row.record, row.stack, row.logs, row.args), nil
}

// refused returns the error for the first of some records that were not all stored.
func refused(ctx context.Context, c *conn, records []taskflow.Record) error {
	for i := range records {
		r := &records[i]
		id, err := encodeID(r.ID)
		if err != nil {
			return err
		}
		why := "is finished"
		err = c.query(ctx, "SELECT coalesce(owner, '') FROM pending WHERE id = ?", []any{id}, func(row []driver.Value) error {
			v := rowReader{row: row}
			if why = ""; v.text() != r.Owner {
				why = fmt.Sprintf("is held by %q", row[0])
			}
			return v.err
		})
		if err != nil {
			return err
		}
		if why != "" {
			return fmt.Errorf("%w: %s of %q %s", taskflow.ErrLeaseLost, r.ID, r.Owner, why)
		}
	}
	return fmt.Errorf("%w: one of %d records", taskflow.ErrLeaseLost, len(records))
}
