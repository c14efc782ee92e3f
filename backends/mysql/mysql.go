// Package mysql keeps history and pending tasks in MySQL or MariaDB, for programs that run in several processes or on several
// machines.
//
//	m, err := taskflow.New(
//		taskflow.WithTasks(jobs.SendEmail),
//		taskflow.WithBackend(mysql.Open("app:secret@tcp(db.example.org:3306)/app")))
//
// The manager opens the backend at Start, which creates the tables or brings older ones to this version's schema, and closes it
// at Stop. It offers every capability but notifications: listings by index, totals, deletion, the journal that Submit needs, claims
// and leases, idempotency keys, schedule slots, messages, for which instances poll, the audit trail and secrets. Nothing is
// loaded into memory.
//
// MySQL 8.0.17 and later, MariaDB 10.6 and later. README.md says which privileges are needed, and how large the pool should be.
package mysql

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"

	"github.com/taskflow-go/taskflow/backends/internal/sqlstore"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// store has the methods that all SQL backends have in common.
type store = sqlstore.Store

// Backend implements [taskflow.Backend] and all of its optional interfaces but [taskflow.Notifier]. Made by the function Open or
// OpenDB, opened by the method Open; the manager does that. Safe for concurrent use.
type Backend struct {
	*store
	target atomic.Pointer[string] // what errors call the server
}

// Every capability but one is implemented.
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
} = (*Backend)(nil)

// Open describes a backend that connects to the server of the data source name, as github.com/go-sql-driver/mysql reads it:
// user:password@tcp(host:3306)/database?tls=true. A URL like mysql://user:password@host:3306/database?tls=true is the same. It does
// no I/O: the method Open does, and reports what is wrong with the name or the options.
func Open(dsn string, opts ...Option) *Backend {
	cfg := newConfig(opts)
	b := &Backend{}
	b.describe(cfg, "the server", true, func() (*sql.DB, error) { return b.connector(dsn, cfg) })
	return b
}

// OpenDB describes a backend that uses connections of yours, of the driver github.com/go-sql-driver/mysql. Close leaves them open.
// Their number is yours too: [PoolSize] is refused. The driver's interpolateParams=true saves a round trip for each statement.
func OpenDB(db *sql.DB, opts ...Option) *Backend {
	cfg := newConfig(opts)
	b := &Backend{}
	switch {
	case db == nil:
		cfg.Fail(errors.New("OpenDB: the database is nil"))
	case cfg.PoolSize != 0:
		cfg.Fail(errors.New("PoolSize: the database of OpenDB has its limits already, leave it out"))
	}
	b.describe(cfg, "the given database", false, func() (*sql.DB, error) { return db, nil })
	return b
}

func (b *Backend) describe(cfg config, target string, owned bool, open func() (*sql.DB, error)) {
	b.target.Store(&target)
	b.store = sqlstore.New(sqlstore.Config{
		Package: "mysql", Target: func() string { return *b.target.Load() }, Kind: kind,
		Settings: cfg.Settings,
		Connect: func(ctx context.Context) (sqlstore.Database, error) {
			db, err := open()
			if err != nil {
				return nil, err
			}
			d := &database{db: db, owned: owned}
			if err := d.inspect(ctx, cfg); err != nil {
				return nil, errors.Join(err, d.Close())
			}
			return d, nil
		},
	})
}
