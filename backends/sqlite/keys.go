package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// ReserveKey implements [taskflow.KeyStore].
func (b *Backend) ReserveKey(ctx context.Context, r taskflow.Reservation) (holder string, err error) {
	task, err := encodeID(r.TaskID)
	switch {
	case err != nil:
	case r.Key == "" || len(r.Key) > taskflow.MaxKeyBytes:
		err = fmt.Errorf("the key has %d bytes: it must have 1 to %d", len(r.Key), taskflow.MaxKeyBytes)
	case r.Retention < time.Millisecond:
		err = fmt.Errorf("the retention is %v: it must be at least 1 ms", r.Retention)
	}
	if err != nil {
		return "", b.wrap("reserve key", fmt.Errorf("%w: %w", taskflow.ErrInvalidOption, err))
	}
	err = b.write(ctx, "reserve key", func(c *conn) error {
		key, at := []byte(r.Key), now()
		n, _, err := c.exec(ctx, `INSERT INTO idempotency_key AS k (key, task_id, owner, expires) VALUES (?1, ?2, ?3, ?4)
			ON CONFLICT DO UPDATE SET task_id = excluded.task_id, owner = excluded.owner, expires = excluded.expires
			WHERE k.task_id = excluded.task_id OR k.expires <= ?5 OR NOT EXISTS (SELECT 1 FROM pending WHERE id = k.task_id)
				AND NOT coalesce((SELECT status = ?6 FROM history WHERE id = k.task_id), EXISTS (SELECT 1 FROM instance WHERE id = k.owner))`,
			key, task, r.Owner, at+r.Retention.Microseconds(), at, string(taskflow.StatusSuccess))
		if err != nil {
			return err
		}
		if n == 1 {
			holder = r.TaskID
			// a few at a time: no call pays for all that have ended
			return c.run(ctx, "DELETE FROM idempotency_key WHERE key IN (SELECT key FROM idempotency_key WHERE expires <= ? LIMIT 100)", at)
		}
		return c.query(ctx, "SELECT task_id FROM idempotency_key WHERE key = ?", []any{key}, func(row []driver.Value) error {
			v := rowReader{row: row}
			holder = v.id()
			return v.err
		})
	})
	if err != nil {
		return "", err
	}
	return holder, nil
}

// ReleaseKey implements [taskflow.KeyStore].
func (b *Backend) ReleaseKey(ctx context.Context, key, taskID string) error {
	return b.ReleaseKeys(ctx, []taskflow.Reservation{{Key: key, TaskID: taskID}})
}

// ReleaseKeys implements [taskflow.KeyReleaser].
func (b *Backend) ReleaseKeys(ctx context.Context, held []taskflow.Reservation) error {
	return b.write(ctx, "release keys", func(c *conn) error {
		for _, r := range held {
			task, err := encodeID(r.TaskID)
			if err != nil {
				continue // no task has such an id, and so no key
			}
			if err := c.run(ctx, "DELETE FROM idempotency_key WHERE key = ? AND task_id = ?", []byte(r.Key), task); err != nil {
				return err
			}
		}
		return nil
	})
}

// keeps fails when another task has been given the key of one that has no row yet.
func keeps(ctx context.Context, c *conn, r *taskflow.Record) error {
	if r.Key == "" {
		return nil
	}
	task, err := encodeID(r.ID)
	if err != nil {
		return err
	}
	return c.query(ctx, `SELECT task_id FROM idempotency_key WHERE key = ?1 AND task_id <> ?2 AND NOT EXISTS (SELECT 1 FROM pending WHERE id = ?2)`,
		[]any{[]byte(r.Key), task}, func(row []driver.Value) error {
			v := rowReader{row: row}
			return errors.Join(fmt.Errorf("%w: the key %.100q of %s has been given to %s", taskflow.ErrLeaseLost, r.Key, r.ID, v.id()), v.err)
		})
}

// TakeSlot implements [taskflow.SlotStore].
func (b *Backend) TakeSlot(ctx context.Context, schedule string, slot time.Time) (taken bool, err error) {
	err = b.write(ctx, "take slot", func(c *conn) error {
		n, _, err := c.exec(ctx, `INSERT INTO slot (schedule, taken) VALUES (?, ?)
			ON CONFLICT DO UPDATE SET taken = excluded.taken WHERE taken < excluded.taken`, schedule, slot.UnixMicro())
		taken = n == 1
		return err
	})
	return taken && err == nil, err
}
