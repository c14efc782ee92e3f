package sqlite

import "time"

// Bounds makes small histories as good as large ones.
func Bounds(rows, texts int, textTime time.Duration) Option {
	return func(c *config) { c.bounds = bounds{rows, texts, textTime} }
}
