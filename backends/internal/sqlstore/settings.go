package sqlstore

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
)

// Settings are what the options of every backend set. What makes no sense is kept in Err, which Open reports.
type Settings struct {
	Prefix   string
	PoolSize int // 0: not set
	Log      *slog.Logger
	Bounds   Bounds
	Audits   int // entries of the audit trail that are kept
	Existing bool
	Err      error
}

// DefaultSettings are those without options.
func DefaultSettings() Settings {
	return Settings{Prefix: "taskflow_", Log: slog.Default(), Bounds: DefaultBounds(), Audits: 100_000}
}

// Apply applies options to what they configure.
func Apply[C any, O ~func(*C)](c *C, s *Settings, opts []O) {
	for i, o := range opts {
		if o == nil {
			s.Fail(fmt.Errorf("option %d is nil", i+1))
			continue
		}
		o(c)
	}
}

// Fail notes that an option makes no sense.
func (s *Settings) Fail(err error) { s.Err = errors.Join(s.Err, err) }

// identifier is what needs no quotes anywhere, and leaves room for the longest name that follows: servers have 63 bytes.
var identifier = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,39}$`)

// Identifier checks a name that becomes part of statements.
func (s *Settings) Identifier(option, name string) {
	if !identifier.MatchString(name) {
		s.Fail(fmt.Errorf("%s: must be 1 to 40 of a-z, 0-9 and _, not beginning with a digit; not %q", option, name))
	}
}

// SetPrefix is the option Prefix.
func (s *Settings) SetPrefix(prefix string) {
	s.Identifier("Prefix", prefix)
	s.Prefix = prefix
}

// SetPoolSize is the option PoolSize.
func (s *Settings) SetPoolSize(n int) {
	if n < 2 {
		s.Fail(fmt.Errorf("PoolSize: must be at least 2, not %d", n))
	}
	s.PoolSize = n
}

// SetLogger is the option Logger.
func (s *Settings) SetLogger(l *slog.Logger) {
	if l == nil {
		s.Fail(errors.New("the logger of option Logger is nil; slog.DiscardHandler silences"))
		return
	}
	s.Log = l
}
