// Package postgres keeps history and pending tasks in PostgreSQL, for programs that run in several processes or on several
// machines.
//
//	m, err := taskflow.New(
//		taskflow.WithTasks(jobs.SendEmail),
//		taskflow.WithBackend(postgres.Open("postgres://app:secret@db.example.org/app")))
//
// The manager opens the backend at Start, which creates the tables or brings older ones to this version's schema, and closes it
// at Stop. It offers every capability: listings by index, totals, deletion, the journal that Submit needs, claims and leases,
// idempotency keys, schedule slots, messages with notifications, the audit trail and secrets. Nothing is loaded into memory.
//
// PostgreSQL 13 and later; no extension is needed. README.md says which privileges are, and how large the pool should be.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/taskflow-go/taskflow/backends/internal/sqlstore"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// store has the methods that all SQL backends have in common.
type store = sqlstore.Store

// Backend implements [taskflow.Backend] and all of its optional interfaces. Made by the function Open or OpenPool, opened by the
// method Open; the manager does that. Safe for concurrent use.
type Backend struct {
	*store
	target atomic.Pointer[string] // what errors call the server
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

// Open describes a backend that connects to the server of the URL, like postgres://user:password@host:5432/database?sslmode=require,
// or of a string of keywords and values, like "host=… dbname=…", as libpq and pgx read them. It does no I/O: the method Open
// does, and reports what is wrong with the URL or the options.
func Open(url string, opts ...Option) *Backend {
	cfg := newConfig(opts)
	b := &Backend{}
	b.describe(cfg, "the server", func(ctx context.Context) (*pgxpool.Pool, error) { return b.connect(ctx, url, cfg) })
	return b
}

// OpenPool describes a backend that uses a pool of yours. Close leaves it open. The size of the pool is yours too: [PoolSize]
// is refused.
func OpenPool(pool *pgxpool.Pool, opts ...Option) *Backend {
	cfg := newConfig(opts)
	b := &Backend{}
	switch {
	case pool == nil:
		cfg.Fail(errors.New("OpenPool: the pool is nil"))
	case cfg.PoolSize != 0:
		cfg.Fail(errors.New("PoolSize: the pool of OpenPool has a size already, leave it out"))
	}
	b.describe(cfg, "the given pool", func(context.Context) (*pgxpool.Pool, error) {
		b.name(pool.Config())
		return pool, checkMode(pool.Config())
	})
	return b
}

func (b *Backend) describe(cfg config, target string, pool func(context.Context) (*pgxpool.Pool, error)) {
	b.target.Store(&target)
	owned := target == "the server"
	b.store = sqlstore.New(sqlstore.Config{
		Package: "postgres", Target: func() string { return *b.target.Load() }, Kind: kind,
		Settings: cfg.Settings,
		Connect: func(ctx context.Context) (sqlstore.Database, error) {
			p, err := pool(ctx)
			if err != nil {
				return nil, err
			}
			d := &database{pool: p, owned: owned, reconnects: cfg.reconnects}
			if err := d.inspect(ctx, cfg); err != nil {
				return nil, errors.Join(err, d.Close())
			}
			return d, nil
		},
	})
}

// connectTimeout is the default of connect_timeout: the driver's is two minutes.
const (
	connectTimeout       = 10 * time.Second
	driverConnectTimeout = 2 * time.Minute
)

// connect makes a pool, which connects when it is used.
func (b *Backend) connect(ctx context.Context, address string, cfg config) (*pgxpool.Pool, error) {
	if address == "" {
		return nil, fmt.Errorf("%w: the URL is empty: give one like postgres://user:password@host/database", taskflow.ErrInvalidOption)
	}
	pc, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", taskflow.ErrInvalidOption, hidden(err))
	}
	b.name(pc)
	if err := checkMode(pc); err != nil {
		return nil, err
	}
	if cfg.PoolSize > 0 {
		pc.MaxConns = int32(cfg.PoolSize)
	}
	if pc.ConnConfig.ConnectTimeout == driverConnectTimeout {
		pc.ConnConfig.ConnectTimeout = connectTimeout
	}
	if pc.ConnConfig.RuntimeParams["application_name"] == "" {
		pc.ConnConfig.RuntimeParams["application_name"] = "taskflow"
	}
	return pgxpool.NewWithConfig(ctx, pc)
}

// checkMode refuses the ways of asking in which the server does not tell what types it expects.
func checkMode(pc *pgxpool.Config) error {
	switch mode := pc.ConnConfig.DefaultQueryExecMode; mode {
	case pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol:
		return fmt.Errorf("%w: default_query_exec_mode is %q: behind a proxy use cache_describe", taskflow.ErrInvalidOption, mode)
	default:
		return nil
	}
}

// hidden drops what the URL parser repeats of the URL: the password may be in it.
func hidden(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("the URL cannot be read: %w", e.Err)
	}
	return err
}

// name says in errors which server it is.
func (b *Backend) name(pc *pgxpool.Config) {
	c := pc.ConnConfig
	target := fmt.Sprintf("%s:%d/%s", c.Host, c.Port, c.Database)
	b.target.Store(&target)
}
