package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// AppendAudit implements [taskflow.AuditLog]. The newest 100,000 entries are kept: whoever may only try to log in must not be able to
// fill the disk.
func (b *Backend) AppendAudit(ctx context.Context, e taskflow.AuditEntry) error {
	id, err := encodeID(e.ID)
	if err != nil {
		return b.wrap("append audit", fmt.Errorf("%w: %w", ErrInvalidRecord, err))
	}
	detail, err := encodeJSON(e.Detail, len(e.Detail))
	if err != nil {
		return b.wrap("append audit", fmt.Errorf("%w: detail of %s: %w", ErrInvalidRecord, e.ID, err))
	}
	db, err := b.opened(ctx)
	if err != nil {
		return b.wrap("append audit", err)
	}
	return b.write(ctx, "append audit", func(c *conn) error {
		err := c.run(ctx, "INSERT INTO audit (id, time, action, task_id, actor, remote, detail) VALUES (?, ?, ?, ?, ?, ?, ?)",
			id, instant(e.Time), e.Action, e.TaskID, e.Actor, e.Remote, detail)
		if err != nil {
			return err
		}
		return pruneAudit(ctx, c, db)
	})
}

// pruneAudit deletes what is older than the entries to keep. Finding them means to walk over all: it does so at the handle's first
// entry, and then each time that a hundredth of them has been added.
func pruneAudit(ctx context.Context, c *conn, db *database) error {
	keep := db.cfg.audits
	db.audits++
	if every := max(keep/100, 1); every > 1 && db.audits%every != 1 {
		return nil
	}
	return c.run(ctx, "DELETE FROM audit WHERE id < (SELECT id FROM audit ORDER BY id DESC LIMIT 1 OFFSET ?)", int64(keep-1))
}

// Audit implements [taskflow.AuditLog].
func (b *Backend) Audit(ctx context.Context, before string, limit int) ([]taskflow.AuditEntry, error) {
	last := slices.Repeat([]byte{0xff}, 17) // above every id
	if before != "" {
		id, err := encodeID(before)
		if err != nil {
			return nil, b.wrap("audit", fmt.Errorf("before: %w", err))
		}
		last = id
	}
	var entries []taskflow.AuditEntry
	err := b.read(ctx, "audit", func(c *conn) error {
		const sql = "SELECT id, time, action, task_id, actor, remote, detail FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?"
		return c.query(ctx, sql, []any{last, int64(max(limit, 0))}, func(row []driver.Value) error {
			r := rowReader{row: row}
			e := taskflow.AuditEntry{ID: r.id(), Time: r.instant(), Action: r.text(), TaskID: r.text(), Actor: r.text(), Remote: r.text()}
			if r.json(&e.Detail); r.err != nil {
				b.skipped("audit", row[0], r.err)
				return nil
			}
			entries = append(entries, e)
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return entries, nil
}
