package sqlite

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Option is an option of Open. A value that makes no sense is reported by [Backend.Open].
type Option func(*config)

// Sync says when a commit is on the disk: see [Synchronous].
type Sync string

// The values of [Synchronous].
const (
	// Normal survives the death of the process, SIGKILL included. After a power failure or a crash of the operating system
	// the file is sound, but the last commits may be missing.
	Normal Sync = "NORMAL"
	// Full survives a power failure too: each commit waits for the disk.
	Full Sync = "FULL"
)

type config struct {
	sync     Sync
	busy     time.Duration
	readers  int
	maxPages int
	bounds   bounds
	audits   int // entries of the audit trail that are kept
	log      *slog.Logger
	err      error
}

func defaults() config {
	return config{
		sync: Normal, busy: 5 * time.Second, readers: 4, log: slog.Default(),
		bounds: bounds{rows: 20_000, texts: 8_000, textTime: 20 * time.Millisecond},
		audits: 100_000,
	}
}

func (c *config) fail(err error) { c.err = errors.Join(c.err, err) }

// Synchronous sets what a commit waits for: [Normal], the default, or [Full], which costs a disk flush for each.
func Synchronous(s Sync) Option {
	return func(c *config) {
		if s != Normal && s != Full {
			c.fail(fmt.Errorf("Synchronous: must be Normal or Full, not %q", string(s)))
		}
		c.sync = s
	}
}

// BusyTimeout sets how long a call waits for another process that holds the file's write lock, before it fails with
// [ErrLocked]. From 0; default 5 s. The context of the call ends the wait earlier.
func BusyTimeout(d time.Duration) Option {
	return func(c *config) {
		if d < 0 {
			c.fail(fmt.Errorf("BusyTimeout: must not be negative, not %v", d))
		}
		c.busy = d
	}
}

// Readers sets how many reads can go on at once, from 1; each has a connection with up to 2 MB of cache. Default 4. More
// wait for their turn.
func Readers(n int) Option {
	return func(c *config) {
		if n < 1 {
			c.fail(fmt.Errorf("Readers: must be at least 1, not %d", n))
		}
		c.readers = n
	}
}

// MaxPages limits the file to n pages of 4 KiB, from 1; a write beyond fails with [ErrFull]. Default: SQLite's own limit,
// far above any disk.
func MaxPages(n int) Option {
	return func(c *config) {
		if n < 1 {
			c.fail(fmt.Errorf("MaxPages: must be at least 1, not %d", n))
		}
		c.maxPages = n
	}
}

// Logger sends warnings (rows that cannot be read, a lock that is not to be had, a migration) to l. Default slog.Default().
func Logger(l *slog.Logger) Option {
	return func(c *config) {
		if l == nil {
			c.fail(errors.New("Logger: the logger is nil; slog.DiscardHandler silences"))
			return
		}
		c.log = l
	}
}
