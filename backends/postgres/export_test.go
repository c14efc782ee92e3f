package postgres

import (
	"context"
	"time"

	"github.com/taskflow-go/taskflow/backends/internal/sqlstore"
)

// Bounds makes small histories as good as large ones.
func Bounds(rows, window int, atMost time.Duration) Option {
	return func(c *config) { c.Bounds = sqlstore.Bounds{Rows: rows, Window: window, Time: atMost} }
}

// Audits makes the audit trail short.
func Audits(keep int) Option {
	return func(c *config) { c.Audits = keep }
}

// Reconnects is how often Notify tries to connect again.
func Reconnects(n int) Option {
	return func(c *config) { c.reconnects = n }
}

// WriteSettings are some settings of a transaction that writes.
func WriteSettings(ctx context.Context, b *Backend, names string) (settings []string, err error) {
	err = b.Use(ctx, "settings", func(db sqlstore.Database, _ <-chan struct{}) error {
		return db.Transaction(ctx, func(tx sqlstore.Tx) error {
			return tx.Query(ctx, "SELECT setting FROM pg_settings WHERE name ~ $1 ORDER BY name", []any{names}, func(row sqlstore.Row) error {
				var setting string
				err := row.Scan(&setting)
				settings = append(settings, setting)
				return err
			})
		})
	})
	return settings, err
}
