package redis

import (
	"time"

	goredis "github.com/redis/go-redis/v9"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// Bounds sets how many rows a search examines at most. It does so however long it takes.
func Bounds(rows int) Option {
	return func(c *config) { c.bounds = bounds{rows: rows, time: time.Hour} }
}

// FreedAtOnce sets how many rows are freed in one step.
func FreedAtOnce(n int) Option { return func(c *config) { c.freed = n } }

// KeepAudits sets how many entries of the audit trail are kept.
func KeepAudits(n int) Option { return func(c *config) { c.audits = n } }

// PutAtMost sets how many bytes one call of PutPending may store.
func PutAtMost(bytes int) Option { return func(c *config) { c.put = bytes } }

// Older is how versions of servers are compared.
func Older(version string) bool { return older(version, oldestMajor, oldestMinor) }

// Row is the form in which a finished record is stored.
func Row(r taskflow.Record) (row, detail string, err error) {
	var e encoder
	v, err := e.finished(&r)
	return string(v.row), string(v.detail), err
}

// ReadRow is the inverse of Row.
func ReadRow(id, row, detail string) (taskflow.Record, error) { return decode(id, row, detail, true) }

// Client is the client that the open backend uses.
func Client(b *Backend) goredis.UniversalClient { return b.conn.client }

// Base is what all keys of the open backend begin with.
func Base(b *Backend) string { return b.conn.base }
