package dashboard

import (
	"errors"
	"fmt"
	"net/http"
	"time"
	"unicode/utf8"
)

// Option is an option of [New].
type Option func(*config) error

// config is what the options of New set.
type config struct {
	users        map[string]passwordHash
	userNames    []string        // in the order given
	viewers      map[string]bool // those of the users who may only look
	public       bool
	readOnly     bool // everybody may only look: there are no users then
	framework    string
	sessionTTL   time.Duration
	origins      *http.CrossOriginProtection
	maxViewers   int
	heartbeat    time.Duration
	writeTimeout time.Duration
	title        string
}

func defaultConfig() config {
	return config{
		users:        map[string]passwordHash{},
		viewers:      map[string]bool{},
		sessionTTL:   12 * time.Hour,
		origins:      http.NewCrossOriginProtection(),
		maxViewers:   100,
		heartbeat:    15 * time.Second,
		writeTimeout: 10 * time.Second,
		title:        "Tasks",
	}
}

const maxUserName = 64 // bytes

// User lets the user of that name (1 to 64 bytes) in, as an operator who may look and act, with the password that the hash was made from. The hash is a bcrypt hash ($2a$, $2b$, $2y$)
// or an argon2id hash in PHC form, as made by [HashPassword]; a plain password is an error of New. bcrypt sees no more than
// 72 bytes, so a longer password never matches a bcrypt hash. May be given several times, for different users.
//
// A changed hash ends the sessions of that user, a user who is no longer given has none. [Viewer] is for those who may only look.
func User(name, hash string) Option {
	return func(c *config) error { return c.addUser("User", name, hash) }
}

// Viewer is [User] for somebody who may only look: whatever changes something (retry, cancel, bulk, deletion) answers 403. A name is given once, to
// User or to Viewer.
func Viewer(name, hash string) Option {
	return func(c *config) error {
		if err := c.addUser("Viewer", name, hash); err != nil {
			return err
		}
		c.viewers[name] = true
		return nil
	}
}

func (c *config) addUser(option, name, hash string) error {
	if name == "" || len(name) > maxUserName || !utf8.ValidString(name) {
		return fmt.Errorf("%s(%q): the name must be 1 to %d bytes of UTF-8", option, clip(name, maxUserName), maxUserName)
	}
	if _, twice := c.users[name]; twice {
		return fmt.Errorf("%s(%q): given twice", option, name)
	}
	h, err := parsePasswordHash(hash)
	if err != nil {
		return fmt.Errorf("%s(%q): %w", option, name, err) // the error never shows the hash: it may be a plain password
	}
	c.users[name] = h
	c.userNames = append(c.userNames, name)
	return nil
}

// Public serves everybody without a login: for a mount that is already behind authentication of the application's own. A private
// network alone is not enough: a web page that somebody there opens can make its own name point to the dashboard's address (DNS rebinding)
// and then reads and acts like a page of the dashboard. Check the Host header in front of it, at least. It contradicts [User].
func Public() Option {
	return func(c *config) error { c.public = true; return nil }
}

// PublicViewer is [Public] for looking only: everybody is served without a login, and whatever changes something answers 403. It contradicts [User] and
// [Viewer].
func PublicViewer() Option {
	return func(c *config) error { c.public, c.readOnly = true, true; return nil }
}

// Framework names the web framework that the handler is mounted in, for /me: at most 40 bytes. The adapters' Mount gives it. Default "", unknown.
func Framework(name string) Option {
	return func(c *config) error {
		if len(name) > 40 || !utf8.ValidString(name) {
			return fmt.Errorf("Framework: must be at most 40 bytes of UTF-8, not %d bytes", len(name))
		}
		c.framework = name
		return nil
	}
}

// SessionTTL is how long a login lasts, from 1 second to 365 days. Default 12 hours. It is not extended by use.
//
// It is also how long a copy of a cookie may outlive its logout: logouts are remembered in the memory of the process that served them, at most
// 10,000, so after a restart, and in other processes with the same backend, the copy is accepted until it expires or the user's hash changes.
func SessionTTL(d time.Duration) Option {
	return func(c *config) error {
		if d < time.Second || d > 365*24*time.Hour {
			return fmt.Errorf("SessionTTL: must be from 1s to 8760h, not %v", d)
		}
		c.sessionTTL = d
		return nil
	}
}

// TrustedOrigin accepts state-changing requests from pages of that origin, like "https://admin.example.com". It is needed
// only when a proxy changes the Host header and old browsers are used, or when another site of yours calls the API. Without users
// and without [Public] only origins on the same machine are served, whatever is given here.
func TrustedOrigin(origin string) Option {
	return func(c *config) error {
		if err := c.origins.AddTrustedOrigin(origin); err != nil {
			return fmt.Errorf("TrustedOrigin(%q): %w", origin, err)
		}
		return nil
	}
}

// MaxViewers bounds the open live streams, 1 or more. Default 100. Further viewers are refused with 503, and the page polls.
func MaxViewers(n int) Option {
	return func(c *config) error {
		if n < 1 {
			return fmt.Errorf("MaxViewers: must be at least 1, not %d", n)
		}
		c.maxViewers = n
		return nil
	}
}

// Heartbeat is the pause between the comments that keep an idle stream open through proxies, from 10 ms. Default 15 seconds.
func Heartbeat(d time.Duration) Option {
	return func(c *config) error {
		if d < 10*time.Millisecond {
			return fmt.Errorf("Heartbeat: must be at least 10ms, not %v", d)
		}
		c.heartbeat = d
		return nil
	}
}

// WriteTimeout is how long one write to a stream, or of 64 KiB of an export, may take before its reader counts as gone, from 10 ms. Default 10
// seconds. It replaces http.Server.WriteTimeout for streams and exports, which may last for days.
func WriteTimeout(d time.Duration) Option {
	return func(c *config) error {
		if d < 10*time.Millisecond {
			return fmt.Errorf("WriteTimeout: must be at least 10ms, not %v", d)
		}
		c.writeTimeout = d
		return nil
	}
}

// Title is the page's title, 1 to 100 bytes. Default "Tasks".
func Title(title string) Option {
	return func(c *config) error {
		if title == "" || len(title) > 100 || !utf8.ValidString(title) {
			return fmt.Errorf("Title: must be 1 to 100 bytes of UTF-8, not %d bytes", len(title))
		}
		c.title = title
		return nil
	}
}

func (c *config) apply(opts []Option) error {
	for _, o := range opts {
		if o == nil {
			return errors.New("an option is nil")
		}
		if err := o(c); err != nil {
			return err
		}
	}
	if c.public && len(c.users) > 0 {
		return errors.New("Public and User contradict each other: give one of them (PublicViewer counts as Public, Viewer as User)")
	}
	return nil
}
