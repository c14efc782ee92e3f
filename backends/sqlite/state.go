package sqlite

import (
	"bytes"
	"context"
	"database/sql/driver"
	"fmt"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// PutState implements [taskflow.StateStore].
func (b *Backend) PutState(ctx context.Context, name string, value []byte) error {
	if err := taskflow.CheckState(name, value); err != nil {
		return b.wrap("put state", err)
	}
	return b.write(ctx, "put state", func(c *conn) error {
		return c.run(ctx, "INSERT INTO state (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", []byte(name), some(value))
	})
}

// some is never nil, which would be NULL.
func some(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// State implements [taskflow.StateStore].
func (b *Backend) State(ctx context.Context, name string) (value []byte, err error) {
	err = b.read(ctx, "state", func(c *conn) error {
		found := false
		err := c.query(ctx, "SELECT value FROM state WHERE name = ?", []any{[]byte(name)}, func(row []driver.Value) error {
			r := rowReader{row: row}
			value, found = bytes.Clone(some(r.blob())), true
			return r.err
		})
		if err == nil && !found {
			err = fmt.Errorf("%w: no state %.100q", taskflow.ErrNotFound, name)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return value, nil
}

// States implements [taskflow.StateStore].
func (b *Backend) States(ctx context.Context, prefix string) (map[string][]byte, error) {
	found := map[string][]byte{}
	err := b.read(ctx, "states", func(c *conn) error {
		const sql = "SELECT name, value FROM state WHERE name >= ?1 AND substr(name, 1, ?2) = ?1"
		return c.query(ctx, sql, []any{[]byte(prefix), int64(len(prefix))}, func(row []driver.Value) error {
			r := rowReader{row: row}
			name := string(r.blob())
			found[name] = bytes.Clone(some(r.blob()))
			return r.err
		})
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// DeleteState implements [taskflow.StateStore].
func (b *Backend) DeleteState(ctx context.Context, name string) error {
	return b.write(ctx, "delete state", func(c *conn) error {
		return c.run(ctx, "DELETE FROM state WHERE name = ?", []byte(name))
	})
}
