package redis

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// Option is an option of [Open] and [OpenClient]. A value that makes no sense is reported by [Backend.Open].
type Option func(*config)

type config struct {
	prefix string
	log    *slog.Logger
	bounds bounds
	audits int // entries of the audit trail that are kept
	freed  int // rows that are freed in one step
	put    int // bytes that one call of PutPending may store
	exists bool
	err    error
}

func defaults() config {
	return config{
		prefix: "taskflow", log: slog.Default(), audits: 100_000, freed: 5_000, put: maxPut,
		bounds: bounds{rows: 20_000, time: 30 * time.Millisecond},
	}
}

func (c *config) fail(err error) { c.err = errors.Join(c.err, err) }

func (c *config) apply(opts []Option) {
	for i, o := range opts {
		if o == nil {
			c.fail(fmt.Errorf("option %d is nil", i+1))
			continue
		}
		o(c)
	}
}

// maxPrefix bounds a prefix: it is part of every key.
const maxPrefix = 100

// Prefix sets what the names of all keys begin with, in braces: with "shop" they are {shop}:history and so on. Managers with the
// same prefix, server and database share their tasks; others see nothing of each other. Default "taskflow"; up to 100 printable ASCII
// characters without spaces and braces.
func Prefix(name string) Option {
	return func(c *config) {
		bad := func(r rune) bool { return r <= ' ' || r > '~' || r == '{' || r == '}' }
		if name == "" || len(name) > maxPrefix || strings.ContainsFunc(name, bad) {
			c.fail(fmt.Errorf("Prefix: must be 1 to %d printable ASCII characters without spaces and braces, not %.*q", maxPrefix, maxPrefix, name))
		}
		c.prefix = name
	}
}

// ExistingOnly makes Open fail with [ErrNoData] where there is nothing under the prefix, which it would begin otherwise, and does not warn of the
// server's settings: for tools that look at what is there.
func ExistingOnly() Option {
	return func(c *config) { c.exists = true }
}

// Logger sends warnings (rows that cannot be read, settings of the server that endanger the data) to l. Default slog.Default().
func Logger(l *slog.Logger) Option {
	return func(c *config) {
		if l == nil {
			c.fail(errors.New("Logger: the logger is nil; slog.DiscardHandler silences"))
			return
		}
		c.log = l
	}
}
