package postgres

import (
	"log/slog"

	"github.com/taskflow-go/taskflow/backends/internal/sqlstore"
)

// Option is an option of Open and OpenPool. A value that makes no sense is reported by [Backend.Open].
type Option func(*config)

type config struct {
	sqlstore.Settings
	schema     string // empty: the first of the search path
	reconnects int    // attempts of Notify
}

func newConfig(opts []Option) config {
	c := config{Settings: sqlstore.DefaultSettings(), reconnects: maxReconnects}
	sqlstore.Apply(&c, &c.Settings, opts)
	return c
}

// Prefix begins the names of all tables and indexes, and of the channel of notifications: a letter or an underscore, then letters,
// digits and underscores, all lower case, at most 40. Default "taskflow_". Programs with the same prefix share their tasks.
func Prefix(prefix string) Option {
	return func(c *config) { c.SetPrefix(prefix) }
}

// Schema keeps the tables in that schema, which is created if it does not exist: the same characters as in [Prefix]. Default: the
// first of the user's search path, which is mostly "public".
func Schema(name string) Option {
	return func(c *config) {
		c.Identifier("Schema", name)
		c.schema = name
	}
}

// PoolSize is how many connections there are at most, from 2; one more while the manager listens for notifications. Default: what
// the URL says with pool_max_conns, else 4, or the number of CPUs if that is larger. Calls that find none wait for their turn.
func PoolSize(n int) Option {
	return func(c *config) { c.SetPoolSize(n) }
}

// Logger sends warnings (rows that cannot be read, a migration) to l. Default slog.Default().
func Logger(l *slog.Logger) Option {
	return func(c *config) { c.SetLogger(l) }
}

// ExistingOnly makes Open fail with [ErrNoData] where there are no tables, which it creates otherwise: for tools that look at what is there.
func ExistingOnly() Option {
	return func(c *config) { c.Existing = true }
}
