package redis

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// connection is an open backend: the client, and what this opened handle remembers.
type connection struct {
	client  goredis.UniversalClient
	own     bool   // made here: closed by close
	base    string // what every key begins with
	session string // marks this handle's snapshots of pending tasks

	calls   sync.WaitGroup     // in progress, those that were abandoned among them
	closing context.Context    // ends when close begins
	end     context.CancelFunc // ends it

	mu       sync.Mutex
	owners   map[string]bool   // for whom rows were stored or claimed through this handle
	snapshot []string          // ids that the last SavePending stored
	lost     map[string][]lost // claims whose answer was lost, by owner
	saving   chan struct{}     // holds a token while SavePending is under way: one replaces what the one before has stored
}

// connect makes a client and looks at what is there.
func (b *Backend) connect(ctx context.Context) (*connection, error) {
	c := &connection{
		client: b.client, base: "{" + b.cfg.prefix + "}:", session: taskflow.NewID(time.Now()),
		owners: map[string]bool{}, lost: map[string][]lost{}, saving: make(chan struct{}, 1),
	}
	if c.client == nil {
		client, err := newClient(b.url)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", taskflow.ErrInvalidOption, err)
		}
		c.client, c.own = client, true
	}
	c.closing, c.end = context.WithCancel(context.WithoutCancel(ctx))
	c.calls.Add(1)
	err := b.check(ctx, c)
	c.leave()
	if err != nil {
		return nil, errors.Join(explain(err, b.url), c.close())
	}
	return c, nil
}

// newClient is the client that a URL describes. Its errors do not contain the password.
func newClient(text string) (goredis.UniversalClient, error) {
	u, err := url.Parse(text)
	if err != nil {
		if inner := (*url.Error)(nil); errors.As(err, &inner) {
			err = inner.Err
		}
		return nil, fmt.Errorf("the URL cannot be read: %w: write redis://user:password@host:6379/0, with special characters of the password escaped like %%40", err)
	}
	none := &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	if u.Query().Has("addr") {
		o, err := goredis.ParseClusterURL(text)
		if err != nil {
			return nil, badURL(u, err)
		}
		o.ContextTimeoutEnabled, o.DialerRetries, o.MaintNotificationsConfig = true, 1, none
		if o.MaxRetries == 0 {
			o.MaxRetries = -1
		}
		o.Dialer = quietly(goredis.NewDialer(&goredis.Options{DialTimeout: cmp.Or(o.DialTimeout, dialTimeout), TLSConfig: o.TLSConfig}))
		return goredis.NewClusterClient(o), nil
	}
	o, err := goredis.ParseURL(text)
	if err != nil {
		return nil, badURL(u, err)
	}
	o.ContextTimeoutEnabled, o.DialerRetries, o.MaintNotificationsConfig = true, 1, none
	if o.MaxRetries == 0 {
		o.MaxRetries = -1
	}
	o.Dialer = quietly(goredis.NewDialer(&goredis.Options{DialTimeout: cmp.Or(o.DialTimeout, dialTimeout), TLSConfig: o.TLSConfig}))
	return goredis.NewClient(o), nil
}

func badURL(u *url.URL, err error) error {
	return fmt.Errorf("the URL %s: %w: write redis://user:password@host:6379/0, rediss:// for TLS, or unix:///path/to/redis.sock", u.Scheme+"://"+u.Host+u.Path, err)
}

// explain adds what a first connection that fails may mean.
func explain(err error, text string) error {
	switch {
	case !errors.Is(sentinelOf(err), ErrUnavailable) || wrongCertificate(err):
	case strings.HasPrefix(text, "rediss:") && !dialFailed(err):
		return fmt.Errorf("%w: it does not speak TLS there, it seems: use redis://, or its TLS port (%w)", ErrUnavailable, err)
	case strings.HasPrefix(text, "redis:") && (errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)):
		return fmt.Errorf("%w: it closed the connection at once: if it expects TLS, use rediss:// (%w)", ErrUnavailable, err)
	}
	return err
}

func wrongCertificate(err error) bool {
	if _, wrong := errors.AsType[*tls.CertificateVerificationError](err); wrong {
		return true
	}
	// what go-redis leaves of it when the first use of a connection fails
	if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); unknown {
		return true
	}
	if _, invalid := errors.AsType[x509.CertificateInvalidError](err); invalid {
		return true
	}
	_, host := errors.AsType[x509.HostnameError](err)
	return host
}

// dialFailed: nobody listens there.
func dialFailed(err error) bool {
	operation, ok := errors.AsType[*net.OpError](err)
	return ok && operation.Op == "dial"
}

// where says where the data is, without a password.
func (b *Backend) where() string {
	place := ""
	switch client := b.client.(type) {
	case nil:
		if u, err := url.Parse(b.url); err == nil {
			u.User, u.RawQuery = nil, ""
			place = u.String()
		}
	case *goredis.Client:
		place = client.String()
	case *goredis.ClusterClient:
		place = strings.Join(client.Options().Addrs, ",")
	}
	return strings.TrimSpace(place + " {" + b.cfg.prefix + "}")
}

// leave ends what begin began.
func (c *connection) leave() { c.calls.Done() }

// close waits for the calls in progress, and in the end cuts their connections.
func (c *connection) close() error {
	c.end()
	done := make(chan struct{})
	go func() { // ends when the calls have ended, which is awaited below
		c.calls.Wait()
		close(done)
	}()
	grace := time.NewTimer(closeGrace)
	defer grace.Stop()
	select {
	case <-done:
	case <-grace.C:
	}
	var err error
	if c.own {
		err = c.client.Close()
	}
	<-done
	return err
}

// run calls a script.
func (c *connection) run(ctx context.Context, s *goredis.Script, args ...any) (any, error) {
	return c.do(ctx, func() (any, error) { return s.Run(ctx, c.client, []string{c.base}, args...).Result() })
}

// do returns what f returns, or when ctx ends, also when the server has not answered by then: go-redis heeds the deadline of a context
// but not its cancellation. The call then goes on until its answer comes or the read timeout ends it; close waits for it.
func (c *connection) do(ctx context.Context, f func() (any, error)) (any, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if ctx.Done() == nil {
		value, err := f()
		return value, notNil(err)
	}
	type answer struct {
		value any
		err   error
	}
	answered := make(chan answer, 1)
	c.calls.Go(func() {
		value, err := f()
		answered <- answer{value, notNil(err)}
	})
	select {
	case a := <-answered:
		return a.value, ended(ctx, a.err)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// ended says that it was the context which ended a call: to go-redis a deadline is a timeout of the connection, and it may notice it
// before the context does.
func ended(ctx context.Context, err error) error {
	var timeout interface{ Timeout() bool }
	deadline, limited := ctx.Deadline()
	switch {
	case err == nil || ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return err
	case ctx.Err() != nil:
		return fmt.Errorf("%w (%w)", ctx.Err(), err)
	case errors.Is(err, context.DeadlineExceeded): // of a context of go-redis's own, for a connection
		return fmt.Errorf("%w: it does not answer in time (%v)", ErrUnavailable, err) //nolint:errorlint // who asks for a deadline means the caller's
	case limited && errors.As(err, &timeout) && timeout.Timeout() && !time.Now().Before(deadline):
		return fmt.Errorf("%w (%w)", context.DeadlineExceeded, err)
	}
	return err
}

// notNil: that a reply is nil is no error here.
func notNil(err error) error {
	if errors.Is(err, goredis.Nil) {
		return nil
	}
	return err
}

// seen remembers owners as this handle's.
func (c *connection) seen(owners ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, o := range owners {
		if o != "" {
			c.owners[o] = true
		}
	}
}
