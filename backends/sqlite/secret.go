package sqlite

import (
	"context"
	"database/sql/driver"
	"slices"
)

// LoadOrStoreSecret implements [taskflow.SecretStore]. The value is stored as it is, in a file that only its owner can read.
func (b *Backend) LoadOrStoreSecret(ctx context.Context, name string, value []byte) ([]byte, error) {
	var stored []byte
	err := b.write(ctx, "secret", func(c *conn) error {
		if value == nil {
			value = []byte{}
		}
		if err := c.run(ctx, "INSERT OR IGNORE INTO secret (name, value) VALUES (?, ?)", name, value); err != nil {
			return err
		}
		return c.query(ctx, "SELECT value FROM secret WHERE name = ?", []any{name}, func(row []driver.Value) error {
			r := rowReader{row: row}
			stored = slices.Clone(r.blob())
			return r.err
		})
	})
	return stored, err
}
