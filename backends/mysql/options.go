package mysql

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"

	"github.com/taskflow-go/taskflow/backends/internal/sqlstore"
)

// Option is an option of Open and OpenDB. A value that makes no sense is reported by [Backend.Open].
type Option func(*config)

type config struct {
	prefix   string
	poolSize int // 0: not set
	log      *slog.Logger
	bounds   sqlstore.Bounds
	audits   int
	err      error
}

func newConfig(opts []Option) config {
	c := config{prefix: "taskflow_", log: slog.Default(), bounds: sqlstore.DefaultBounds(), audits: 100_000}
	for i, o := range opts {
		if o == nil {
			c.fail(fmt.Errorf("option %d is nil", i+1))
			continue
		}
		o(&c)
	}
	return c
}

func (c *config) fail(err error) { c.err = errors.Join(c.err, err) }

// identifier is what needs no quotes anywhere, and leaves room for the longest name that follows: the server has 64 characters.
var identifier = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,39}$`)

// Prefix begins the names of all tables: a letter or an underscore, then letters, digits and underscores, all lower case, at most
// 40. Default "taskflow_". Programs with the same prefix share their tasks.
func Prefix(prefix string) Option {
	return func(c *config) {
		if !identifier.MatchString(prefix) {
			c.fail(fmt.Errorf("Prefix: must be 1 to 40 of a-z, 0-9 and _, not beginning with a digit; not %q", prefix))
		}
		c.prefix = prefix
	}
}

// PoolSize is how many connections there are at most, from 2. Default: 4, or the number of CPUs if that is larger. Calls that find
// none wait for their turn.
func PoolSize(n int) Option {
	return func(c *config) {
		if n < 2 {
			c.fail(fmt.Errorf("PoolSize: must be at least 2, not %d", n))
		}
		c.poolSize = n
	}
}

// Logger sends warnings (rows that cannot be read, a migration) to l. Default slog.Default().
func Logger(l *slog.Logger) Option {
	return func(c *config) {
		if l == nil {
			c.fail(errors.New("Logger: the logger is nil; slog.DiscardHandler silences"))
			return
		}
		c.log = l
	}
}
