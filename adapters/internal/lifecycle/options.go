package lifecycle

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Option is an option of an adapter's Run. A value that makes no sense is an error of Run. Each adapter offers those that its server can
// keep.
type Option func(*Config) error

// Config is what the options of Run set.
type Config struct {
	Listener      net.Listener
	ServerTimeout time.Duration
	DrainTimeout  time.Duration
	Configure     []func(*http.Server) // net/http servers only
	Prefork       bool                 // Fiber only
}

// Apply returns what opts set. It applies all of them, also after a bad one, so that a listener among them can be closed: the Config is there
// with an error, too.
func Apply(opts []Option) (*Config, error) {
	cfg := &Config{ServerTimeout: 10 * time.Second, DrainTimeout: 20 * time.Second}
	var errs []error
	for _, o := range opts {
		if o == nil {
			errs = append(errs, errors.New("an option is nil"))
			continue
		}
		errs = append(errs, o(cfg))
	}
	return cfg, errors.Join(errs...)
}

// WithListener serves on l instead of listening on Run's address. Run closes it in every case.
func WithListener(l net.Listener) Option {
	return func(c *Config) error {
		if l == nil {
			return errors.New("WithListener: the listener is nil")
		}
		c.Listener = l
		return nil
	}
}

// WithServer lets f change a net/http server before it serves: time-outs, limits, TLSConfig, hooks. A TLSConfig makes Run serve HTTPS.
func WithServer(f func(*http.Server)) Option {
	return func(c *Config) error {
		if f == nil {
			return errors.New("WithServer: the function is nil")
		}
		c.Configure = append(c.Configure, f)
		return nil
	}
}

// WithServerTimeout gives requests in flight d (0 or more, default 10 s) to finish when the server stops; then their
// connections are closed.
func WithServerTimeout(d time.Duration) Option {
	return func(c *Config) error {
		if d < 0 {
			return fmt.Errorf("WithServerTimeout: must not be negative, not %v", d)
		}
		c.ServerTimeout = d
		return nil
	}
}

// WithDrainTimeout gives tasks d (0 or more, default 20 s) to end once the last request has; then their contexts end with cause
// ErrStopped, and what remains is saved or recorded as interrupted. See the manager's Stop.
func WithDrainTimeout(d time.Duration) Option {
	return func(c *Config) error {
		if d < 0 {
			return fmt.Errorf("WithDrainTimeout: must not be negative, not %v", d)
		}
		c.DrainTimeout = d
		return nil
	}
}

// WithPrefork lets Fiber serve with several processes.
func WithPrefork() Option {
	return func(c *Config) error {
		c.Prefork = true
		return nil
	}
}
