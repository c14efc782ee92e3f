package sqlite

import (
	"context"
	"database/sql/driver"
	"encoding/json"

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
		written, err = putter{session: db.session, ours: string(ours)}.put(ctx, c, records)
		return err
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
		for i := range records {
			if err := keeps(ctx, c, &records[i]); err != nil {
				return err
			}
		}
		stored, err := putter{ours: "[]"}.put(ctx, c, records)
		if err != nil {
			return err
		}
		if stored < len(records) {
			return refused(ctx, c, records)
		}
		noted := "" // the owner that was noted last: nearly always all records have the same
		for i := range records {
			if records[i].Owner != noted {
				noted = records[i].Owner
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
	if owner == "" || c.known[owner] {
		return nil
	}
	db.seen(owner)
	err := c.run(context.WithoutCancel(ctx), "INSERT OR IGNORE INTO holder (owner) VALUES (?)", owner)
	c.known[owner] = err == nil
	return err
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
