// Package redis keeps history and pending tasks in Redis (6.2 or later) or Valkey, where several instances on several machines share
// them.
//
//	m, err := taskflow.New(
//		taskflow.WithTasks(jobs.SendEmail),
//		taskflow.WithBackend(redis.Open("redis://:password@tasks.internal:6379/0")))
//
// The manager connects at Start and closes the connections at Stop. It offers every capability, notifications by pub/sub among them:
// what one instance posts or frees, the others see at once. Everything that must be atomic is one Lua script; everything
// that has to do with time is measured by the server's clock.
//
// All keys begin with one prefix in braces, like {taskflow}:history, so that they share a hash slot and a cluster can run the scripts.
//
// Redis keeps data in memory and writes it to its disk as it is told to: README.md says which settings Submit's promise needs. Nothing here
// is loaded into the memory of the program.
package redis

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// Backend implements [taskflow.Backend] and all of its optional interfaces. Made by the function Open or by OpenClient, connected by the
// method Open; the manager does that. Safe for concurrent use.
type Backend struct {
	url    string                  // empty: client is the caller's own
	client goredis.UniversalClient // nil: url says how to make one
	cfg    config

	mu      sync.Mutex    // guards the three below; never held while the server is waited for
	conn    *connection   // nil: not open
	opening chan struct{} // closed at the end of the Open in progress; nil: there is none
	closed  bool

	reports reports
}

// Every capability is implemented.
var _ interface {
	taskflow.Backend
	taskflow.Opener
	taskflow.Querier
	taskflow.StatsReader
	taskflow.Deleter
	taskflow.RecordDeleter
	taskflow.Claimer
	taskflow.Journal
	taskflow.AuditLog
	taskflow.SecretStore
	taskflow.InstanceStore
	taskflow.PendingQuerier
	taskflow.KeyStore
	taskflow.KeyReleaser
	taskflow.SlotStore
	taskflow.Messenger
	taskflow.StateStore
	taskflow.SeriesStore
	taskflow.Notifier
} = (*Backend)(nil)

// Open describes a backend that keeps its data in the server at url, in the form of go-redis: redis://user:password@host:port/db,
// rediss:// with TLS, unix:///path/to/redis.sock?db=1, and redis://host:port?addr=host2:port&addr=host3:port for a cluster. Parameters set
// what go-redis offers, like ?pool_size=20&read_timeout=3s. It does no I/O: the method Open does, and reports what is wrong with url
// or the options.
//
// Unless url says otherwise (max_retries), a command that fails is not tried again: the manager does that.
func Open(url string, opts ...Option) *Backend {
	b := &Backend{url: url, cfg: defaults()}
	b.cfg.apply(opts)
	return b
}

// OpenClient describes a backend that uses a client which the caller has made, and closes after the backend: for sentinels, clusters,
// certificates, and whatever else a URL cannot say. A client that writes to several servers, as a Ring does, will not do.
func OpenClient(client goredis.UniversalClient, opts ...Option) *Backend {
	b := &Backend{client: client, cfg: defaults()}
	b.cfg.apply(opts)
	if client == nil {
		b.cfg.fail(errors.New("OpenClient: the client is nil"))
	}
	return b
}

// Open connects, and checks that the server can be written to and that what it has under the prefix is of this version. It fails with
// ErrUnavailable, ErrAccess, ErrReadOnly, ErrForeign, ErrNewerSchema or ErrOldServer where the server is the reason, with
// [taskflow.ErrInvalidOption] where the URL or an option is, and when it is open already. After a failure it may be called again.
func (b *Backend) Open(ctx context.Context) error {
	opening, err := b.beginOpen(ctx)
	if err != nil {
		return b.wrap("open", err)
	}
	c, err := b.connect(ctx)
	return b.wrap("open", b.endOpen(opening, c, err))
}

func (b *Backend) beginOpen(ctx context.Context) (opening chan struct{}, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		return nil, ErrClosed
	case b.conn != nil:
		return nil, errors.New("it is open already")
	case b.opening != nil:
		return nil, errors.New("it is being opened already")
	case b.cfg.err != nil:
		return nil, fmt.Errorf("%w: %w", taskflow.ErrInvalidOption, b.cfg.err)
	}
	b.opening = make(chan struct{})
	return b.opening, nil
}

func (b *Backend) endOpen(opening chan struct{}, c *connection, err error) error {
	defer close(opening) // Close waits for it, so what is undone here is undone when Close returns
	b.mu.Lock()
	closed := b.closed
	b.opening = nil
	if err == nil && !closed {
		b.conn = c
	}
	b.mu.Unlock()
	if err == nil && closed {
		return errors.Join(ErrClosed, c.close())
	}
	return err
}

// closeGrace is how long Close waits for calls in progress before it cuts their connections.
const closeGrace = 5 * time.Second

// Close waits for the calls in progress, Open among them, at most for some seconds, and closes the connections; calls that come meanwhile fail
// with ErrClosed, and Notify ends with it. A client that was given to OpenClient is not closed; then its ReadTimeout is what ends a call to a
// server that hangs. Calling it again does nothing.
func (b *Backend) Close() error {
	b.mu.Lock()
	c, opening := b.conn, b.opening
	b.conn, b.closed = nil, true
	b.mu.Unlock()
	switch {
	case opening != nil:
		<-opening
	case c != nil:
		return b.wrap("close", c.close())
	}
	return nil
}

// begin returns the connection; the caller ends the use of it with connection.leave.
func (b *Backend) begin(ctx context.Context) (*connection, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.conn != nil:
		b.conn.calls.Add(1)
		return b.conn, nil
	case b.closed:
		return nil, ErrClosed
	}
	return nil, ErrNotOpen
}

// use calls f with the connection, and adds the operation to its error.
func (b *Backend) use(ctx context.Context, operation string, f func(*connection) error) error {
	c, err := b.begin(ctx)
	if err == nil {
		err = f(c)
		c.leave()
	}
	return b.wrap(operation, err)
}
