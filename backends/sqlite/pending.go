package sqlite

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// SavePending implements [taskflow.Backend]. The rows that this opened handle stored before are replaced, unless somebody
// has claimed them since. A row whose owner this handle has not seen, in Join, Claim or PutPending, belongs to another instance: it stays
// as it is, and does not count as written, like a task that is finished.
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

// PutPending implements [taskflow.Journal].
func (b *Backend) PutPending(ctx context.Context, records []taskflow.Record) error {
	db, err := b.opened(ctx)
	if err != nil {
		return b.wrap("put pending", err)
	}
	return b.write(ctx, "put pending", func(c *conn) error {
		noted := "" // the owner that was noted last: nearly always all records have the same
		for i := range records {
			r := &records[i]
			stored, err := putPending(ctx, c, r, optional(r.Owner), nil, "[]")
			if err == nil && !stored {
				err = whyNotPut(ctx, c, r)
			}
			if err != nil {
				return err
			}
			if r.Owner != noted {
				noted = r.Owner
				if err := db.holds(ctx, c, noted); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// holds notes an owner as one of this handle's, and as one that may hold rows. Only for who holds the writer.
func (db *database) holds(ctx context.Context, c *conn, owner string) error {
	if owner == "" {
		return nil
	}
	db.seen(owner)
	return c.run(context.WithoutCancel(ctx), "INSERT OR IGNORE INTO holder (owner) VALUES (?)", owner)
}

// putPending stores a row, unless the task is finished, or somebody holds it who is neither owner nor one of ours, a JSON array.
func putPending(ctx context.Context, c *conn, r *taskflow.Record, owner, session any, ours string) (stored bool, err error) {
	if err := ctx.Err(); err != nil { // asked for between the statements, as in Save
		return false, err
	}
	p, err := encodePending(r)
	if err != nil {
		return false, err
	}
	n, _, err := c.exec(context.WithoutCancel(ctx), `INSERT INTO pending (id, owner, session, name, status, source, format, record, stack, logs, args)
		SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11 WHERE NOT EXISTS (SELECT 1 FROM history WHERE id = ?1)
		ON CONFLICT DO UPDATE SET owner = excluded.owner, session = excluded.session, name = excluded.name, status = excluded.status,
		source = excluded.source, format = excluded.format, record = excluded.record, stack = excluded.stack, logs = excluded.logs, args = excluded.args
		WHERE pending.owner IS NULL OR pending.owner = excluded.owner OR pending.owner IN (SELECT value FROM json_each(?12))`,
		p.id, owner, session, r.Name, string(r.Status), r.Source, int64(taskflow.RecordFormat), p.record, p.stack, p.logs, p.args, ours)
	return n == 1, err
}

// whyNotPut returns the error for a row that was not stored.
func whyNotPut(ctx context.Context, c *conn, r *taskflow.Record) error {
	id, err := encodeID(r.ID)
	if err != nil {
		return err
	}
	why := "is finished"
	err = c.query(ctx, "SELECT owner FROM pending WHERE id = ?", []any{id}, func(row []driver.Value) error {
		why = fmt.Sprintf("is held by %q", row[0])
		return nil
	})
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: %s of %q %s", taskflow.ErrLeaseLost, r.ID, r.Owner, why)
}

// LoadPending implements [taskflow.Backend]. Rows that other instances hold are among them: their Owner tells.
func (b *Backend) LoadPending(ctx context.Context) ([]taskflow.Record, error) {
	var all []taskflow.Record
	err := b.read(ctx, "load pending", func(c *conn) error {
		return c.query(ctx, "SELECT "+pendingColumns+pendingDetailColumns+" FROM pending ORDER BY id", nil, func(row []driver.Value) error {
			if r, err := decodePending(row, true); err != nil {
				b.skipped("pending", row[0], err)
			} else {
				all = append(all, r)
			}
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
