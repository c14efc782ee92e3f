package sqlite

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// SavePending implements [taskflow.Backend]. The rows that this opened handle stored before are replaced, unless somebody
// has claimed them since.
func (b *Backend) SavePending(ctx context.Context, records []taskflow.Record) (int, error) {
	db, err := b.opened(ctx)
	if err != nil {
		return 0, b.wrap("save pending", err)
	}
	err = b.write(ctx, "save pending", func(c *conn) error {
		if err := c.run(ctx, "DELETE FROM pending WHERE session = ?", db.session); err != nil {
			return err
		}
		return putPending(ctx, c, records, func(*taskflow.Record) (owner, session any) { return nil, db.session })
	})
	if err != nil {
		return 0, err
	}
	return len(records), nil
}

// PutPending implements [taskflow.Journal].
func (b *Backend) PutPending(ctx context.Context, records []taskflow.Record) error {
	return b.write(ctx, "put pending", func(c *conn) error {
		return putPending(ctx, c, records, func(r *taskflow.Record) (owner, session any) { return optional(r.Owner), nil })
	})
}

func putPending(ctx context.Context, c *conn, records []taskflow.Record, holder func(*taskflow.Record) (owner, session any)) error {
	lasting := context.WithoutCancel(ctx)
	for i := range records {
		if err := ctx.Err(); err != nil {
			return err
		}
		r := &records[i]
		id, err := checkRecord(r)
		if err != nil {
			return err
		}
		record, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("%w: record %q: %w", ErrInvalidRecord, r.ID, err)
		}
		owner, session := holder(r)
		err = c.run(lasting, `INSERT INTO pending (id, owner, session, record) VALUES (?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET owner = excluded.owner, session = excluded.session, record = excluded.record`, id, owner, session, string(record))
		if err != nil {
			return err
		}
	}
	return nil
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
	var claimed []string
	err := b.write(ctx, "claim", func(c *conn) error {
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
