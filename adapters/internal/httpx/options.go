package httpx

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// RunOption is an option of Run. A value that makes no sense is an error of Run.
type RunOption func(*runConfig) error

// runConfig is what the options of Run set.
type runConfig struct {
	listener      net.Listener
	configure     []func(*http.Server)
	serverTimeout time.Duration
	drainTimeout  time.Duration
}

// newRunConfig applies all options, also after a bad one, so that a listener among them can be closed.
func newRunConfig(opts []RunOption) (*runConfig, error) {
	cfg := &runConfig{serverTimeout: 10 * time.Second, drainTimeout: 20 * time.Second}
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
func WithListener(l net.Listener) RunOption {
	return func(c *runConfig) error {
		if l == nil {
			return errors.New("WithListener: the listener is nil")
		}
		c.listener = l
		return nil
	}
}

// WithServer lets f change the server before it serves: time-outs, limits, TLSConfig, hooks. A TLSConfig makes Run serve HTTPS.
func WithServer(f func(*http.Server)) RunOption {
	return func(c *runConfig) error {
		if f == nil {
			return errors.New("WithServer: the function is nil")
		}
		c.configure = append(c.configure, f)
		return nil
	}
}

// WithServerTimeout gives requests in flight d (0 or more, default 10 s) to finish when the server stops; then their
// connections are closed.
func WithServerTimeout(d time.Duration) RunOption {
	return func(c *runConfig) error {
		if d < 0 {
			return fmt.Errorf("WithServerTimeout: must not be negative, not %v", d)
		}
		c.serverTimeout = d
		return nil
	}
}

// WithDrainTimeout gives tasks d (0 or more, default 20 s) to end once the last request has; then their contexts end with cause
// ErrStopped, and what remains is saved or recorded as interrupted. See [taskflow.Manager.Stop].
func WithDrainTimeout(d time.Duration) RunOption {
	return func(c *runConfig) error {
		if d < 0 {
			return fmt.Errorf("WithDrainTimeout: must not be negative, not %v", d)
		}
		c.drainTimeout = d
		return nil
	}
}
