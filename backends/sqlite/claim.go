package sqlite

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// Claim implements [taskflow.Claimer]. The rows are claimed in one transaction. One that cannot be read is logged and marked, so that
// it does not come again.
func (b *Backend) Claim(ctx context.Context, owner string, names []string, limit int) ([]taskflow.Record, error) {
	if owner == "" {
		return nil, b.wrap("claim", fmt.Errorf("%w: the owner is empty: give the id of the instance", taskflow.ErrInvalidOption))
	}
	db, err := b.opened(ctx)
	if err != nil || limit < 1 || len(names) == 0 {
		return nil, b.wrap("claim", err)
	}
	list, err := json.Marshal(names)
	if err != nil {
		return nil, b.wrap("claim", err)
	}
	var claimed []taskflow.Record
	err = b.write(ctx, "claim", func(c *conn) error {
		for len(claimed) < limit {
			sound, bad, err := b.claimable(ctx, c, string(list), limit-len(claimed))
			if err != nil {
				return err
			}
			if err := claimRows(ctx, c, owner, sound); err != nil {
				return err
			}
			if claimed = append(claimed, sound...); bad == 0 {
				break
			}
		}
		if len(claimed) == 0 {
			return nil
		}
		return db.holds(ctx, c, owner)
	})
	if err != nil {
		return nil, err
	}
	return claimed, nil
}

// claimable returns the next rows that nobody holds, and how many others it has marked.
func (b *Backend) claimable(ctx context.Context, c *conn, names string, limit int) (sound []taskflow.Record, bad int, err error) {
	var marks []statement
	const sql = "SELECT " + pendingColumns + pendingDetailColumns + ` FROM pending INDEXED BY pending_free
		WHERE owner IS NULL AND name IN (SELECT value FROM json_each(?)) AND format BETWEEN 1 AND ? ORDER BY id LIMIT ?`
	err = c.query(ctx, sql, []any{names, int64(taskflow.RecordFormat), int64(limit)}, func(row []driver.Value) error {
		r, err := decodePending(row, true)
		if err == nil {
			sound = append(sound, r)
			return nil
		}
		b.skipped("pending", row[0], err)
		key, _ := row[0].([]byte)
		mark := statement{"UPDATE pending SET format = 0 WHERE id = ?", []any{slices.Clone(key)}}
		if errors.Is(err, taskflow.ErrNewerFormat) { // a newer program can claim it
			mark = statement{"UPDATE pending SET format = max(?, record ->> '$.format') WHERE id = ?", append([]any{int64(taskflow.RecordFormat + 1)}, mark.args...)}
		}
		marks = append(marks, mark)
		return nil
	})
	for _, m := range marks {
		if err == nil {
			err = c.run(ctx, m.sql, m.args...)
		}
	}
	return sound, len(marks), err
}

func claimRows(ctx context.Context, c *conn, owner string, rows []taskflow.Record) error {
	lasting := context.WithoutCancel(ctx)
	for i := range rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		id, err := encodeID(rows[i].ID)
		if err != nil {
			return err
		}
		if err := c.run(lasting, "UPDATE pending SET owner = ?, session = NULL WHERE id = ?", owner, id); err != nil {
			return err
		}
		rows[i].Owner = owner
	}
	return nil
}
