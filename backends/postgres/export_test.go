package postgres

import (
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
