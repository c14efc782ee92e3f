package sqlite

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// SavePending implements [taskflow.Backend]. The rows that this opened handle stored before are replaced, unless somebody
// has claimed them since. A row whose owner this handle has not seen, in Claim or PutPending, belongs to another instance: it stays as
// it is, and does not count as written.
func (b *Backend) SavePending(ctx context.Context, records []taskflow.Record) (written int, err error) {
	db, err := b.opened(ctx)
	if err != nil {
		return 0, b.wrap("save pending", err)
	}
	err = b.write(ctx, "save pending", func(c *conn) error {
		if err := c.run(ctx, "DELETE FROM pending WHERE session = ?", db.session); err != nil {
			return err
		}
		ours, err := json.Marshal(db.owners)
		if err != nil {
			return err
		}
		for i := range records {
			stored, err := putPending(ctx, c, &records[i], nil, db.session, string(ours))
			if err != nil {
				return err
			}
			if stored {
				written++
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return written, nil
}

// PutPending implements [taskflow.Journal]. A row that another owner holds is [ErrHeld], and nothing is stored.
func (b *Backend) PutPending(ctx context.Context, records []taskflow.Record) error {
	db, err := b.opened(ctx)
	if err != nil {
		return b.wrap("put pending", err)
	}
	return b.write(ctx, "put pending", func(c *conn) error {
		for i := range records {
			r := &records[i]
			stored, err := putPending(ctx, c, r, optional(r.Owner), nil, "[]")
			if err == nil && !stored {
				err = fmt.Errorf("%w: record %s of %q", ErrHeld, r.ID, r.Owner)
			}
			if err != nil {
				return err
			}
			db.seen(r.Owner)
		}
		return nil
	})
}

// putPending stores a row unless somebody holds it who is neither owner nor one of ours, a JSON array.
func putPending(ctx context.Context, c *conn, r *taskflow.Record, owner, session any, ours string) (stored bool, err error) {
	if err := ctx.Err(); err != nil { // asked for between the statements, as in Save
		return false, err
	}
	id, err := checkRecord(r)
	if err != nil {
		return false, err
	}
	record, err := json.Marshal(r)
	if err != nil {
		return false, fmt.Errorf("%w: record %q: %w", ErrInvalidRecord, r.ID, err)
	}
	n, _, err := c.exec(context.WithoutCancel(ctx), `INSERT INTO pending (id, owner, session, record) VALUES (?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET owner = excluded.owner, session = excluded.session, record = excluded.record
		WHERE pending.owner IS NULL OR pending.owner = excluded.owner OR pending.owner IN (SELECT value FROM json_each(?))`,
		id, owner, session, string(record), ours)
	return n == 1, err
}

// LoadPending implements [taskflow.Backend]. Rows that other instances hold are among them: Claim tells.
func (b *Backend) LoadPending(ctx context.Context) ([]taskflow.Record, error) {
	var all []taskflow.Record
	err := b.read(ctx, "load pending", func(c *conn) error {
		return c.query(ctx, "SELECT id, owner, record FROM pending ORDER BY id", nil, func(row []driver.Value) error {
			r := rowReader{row: row}
			id, owner := r.id(), r.optional()
			var record taskflow.Record
			if r.json(&record); r.err != nil {
				b.skipped("pending", row[0], r.err)
				return nil
			}
			record.ID, record.Owner = id, owner
			all = append(all, record)
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// ClearPending implements [taskflow.Backend].
func (b *Backend) ClearPending(ctx context.Context) error {
	return b.write(ctx, "clear pending", func(c *conn) error { return c.run(ctx, "DELETE FROM pending") })
}

// Claim implements [taskflow.Claimer]. The rows are claimed in one transaction.
func (b *Backend) Claim(ctx context.Context, ids []string, owner string) ([]string, error) {
	if owner == "" {
		return nil, b.wrap("claim", fmt.Errorf("%w: the owner is empty: give the id of the instance", taskflow.ErrInvalidOption))
	}
	db, err := b.opened(ctx)
	if err != nil {
		return nil, b.wrap("claim", err)
	}
	var claimed []string
	err = b.write(ctx, "claim", func(c *conn) error {
		lasting := context.WithoutCancel(ctx)
		for _, id := range ids {
			if err := ctx.Err(); err != nil {
				return err
			}
			key, err := encodeID(id)
			if err != nil {
				continue // no row can have this id: it is gone
			}
			n, _, err := c.exec(lasting, "UPDATE pending SET owner = ?, session = NULL WHERE id = ? AND owner IS NULL", owner, key)
			if err != nil {
				return err
			}
			if n == 1 {
				db.seen(owner)
				claimed = append(claimed, id)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return claimed, nil
}

// releaseOwners makes every pending task claimable. Only for the process that alone has the file open.
func releaseOwners(ctx context.Context, c *conn) error {
	return c.transaction(ctx, func() error { return c.run(ctx, "UPDATE pending SET owner = NULL WHERE owner IS NOT NULL") })
}
