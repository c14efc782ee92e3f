package sqlite

import (
	"context"
	"database/sql/driver"
	"time"
)

// Bounds makes small histories as good as large ones.
func Bounds(rows, texts int, textTime time.Duration) Option {
	return func(c *config) { c.bounds = bounds{rows, texts, textTime} }
}

// Rows calls each for every row of a statement.
func (b *Backend) Rows(ctx context.Context, sql string, each func()) error {
	return b.read(ctx, "rows", func(c *conn) error {
		return c.query(ctx, sql, nil, func([]driver.Value) error {
			each()
			return nil
		})
	})
}

// TextHits asks the full-text index, for no longer than atMost.
func (b *Backend) TextHits(ctx context.Context, text string, atMost time.Duration) (complete bool, err error) {
	err = b.read(ctx, "texts", func(c *conn) error {
		_, complete, err = textsWith(ctx, c, text, atMost)
		return err
	})
	return complete, err
}

// Audits makes the audit trail short.
func Audits(keep int) Option {
	return func(c *config) { c.audits = keep }
}
