// Package sqlite keeps history and pending tasks in one SQLite file, without any other infrastructure and without cgo.
//
//	m, err := taskflow.New(
//		taskflow.WithTasks(jobs.SendEmail),
//		taskflow.WithBackend(sqlite.Open("tasks.db")))
//
// The manager opens the file at Start, creating it or bringing an older one to this version's schema, and closes it at
// Stop. It offers every capability but notifications: listings by index, totals, deletion, the journal that Submit needs, claims,
// leases of instances, idempotency keys, slots of schedules, messages, the audit trail and secrets. Nothing is loaded into memory.
//
// Writes go through one connection, in transactions; reads through several others that writes do not hold up (SQLite's
// WAL mode). Processes of one machine may share a file; a file on a network share may not be shared, SQLite's locks do
// not work there. For several machines use a database server. ":memory:" is refused: package memory is that.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// Backend implements [taskflow.Backend] and all of its optional interfaces but [taskflow.Notifier]. Made by the function Open, opened by the
// method Open; the manager does that. Safe for concurrent use.
type Backend struct {
	path string
	cfg  config

	mu      sync.Mutex    // guards the three below; never held while the file is waited for
	db      *database     // nil: not open
	opening chan struct{} // closed at the end of the Open in progress; nil: there is none
	closed  bool
}

// Every capability is implemented but notifications: a file tells nobody that it has changed, so that managers look each second.
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

// Open describes a backend that keeps its data in the file at path. It does no I/O: the method Open does, and reports what is
// wrong with path or the options. The file is created when it is missing, its folder is not.
func Open(path string, opts ...Option) *Backend {
	b := &Backend{path: path, cfg: defaults()}
	for i, o := range opts {
		if o == nil {
			b.cfg.fail(fmt.Errorf("option %d is nil", i+1))
			continue
		}
		o(&b.cfg)
	}
	return b
}

// Open opens the file, creates or migrates its schema, and frees pending tasks whose process has died. It fails with
// ErrForeign, ErrNewerSchema, ErrCorrupt, ErrReadOnly, ErrLocked or ErrFull where the file is the reason, with
// [taskflow.ErrInvalidOption] where an option is, and when it is open already. After a failure it may be called again.
func (b *Backend) Open(ctx context.Context) error {
	opening, err := b.beginOpen()
	if err != nil {
		return b.wrap("open", err)
	}
	db, err := openDatabase(ctx, b.path, b.cfg)
	return b.wrap("open", b.endOpen(opening, db, err))
}

func (b *Backend) beginOpen() (opening chan struct{}, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		return nil, ErrClosed
	case b.db != nil:
		return nil, errors.New("it is open already")
	case b.opening != nil:
		return nil, errors.New("it is being opened already")
	case b.cfg.err != nil:
		return nil, fmt.Errorf("%w: %w", taskflow.ErrInvalidOption, b.cfg.err)
	}
	b.opening = make(chan struct{})
	return b.opening, nil
}

func (b *Backend) endOpen(opening chan struct{}, db *database, err error) error {
	defer close(opening) // Close waits for it, so what is undone here is undone when Close returns
	b.mu.Lock()
	closed := b.closed
	b.opening = nil
	if err == nil && !closed {
		b.db = db
	}
	b.mu.Unlock()
	if err == nil && closed {
		return errors.Join(ErrClosed, db.close())
	}
	return err
}

// Close waits for the calls in progress, Open among them, and closes the file; calls that come meanwhile fail with ErrClosed. Calling
// it again does nothing.
func (b *Backend) Close() error {
	b.mu.Lock()
	db, opening := b.db, b.opening
	b.db, b.closed = nil, true
	b.mu.Unlock()
	switch {
	case opening != nil:
		<-opening
	case db != nil:
		return b.wrap("close", db.close())
	}
	return nil
}

// opened returns the open file.
func (b *Backend) opened(ctx context.Context) (*database, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.db != nil:
		return b.db, nil
	case b.closed:
		return nil, ErrClosed
	}
	return nil, ErrNotOpen
}

// read calls f with a connection that nobody else uses meanwhile.
func (b *Backend) read(ctx context.Context, operation string, f func(*conn) error) error {
	db, err := b.opened(ctx)
	if err == nil {
		err = db.read(ctx, f)
	}
	return b.wrap(operation, err)
}

// write calls f in a transaction: what f did is stored if it returns nil, and undone otherwise.
func (b *Backend) write(ctx context.Context, operation string, f func(*conn) error) error {
	db, err := b.opened(ctx)
	if err == nil {
		err = db.write(ctx, f)
	}
	return b.wrap(operation, err)
}

// skipped reports a row that cannot be read: it must not hide the others.
func (b *Backend) skipped(table string, id any, err error) {
	text, isText := id.(string)
	if raw, ok := id.([]byte); ok || !isText {
		text = decodeID(raw)
	}
	b.cfg.log.Warn("sqlite: a row cannot be read and is skipped",
		slog.String("file", b.path), slog.String("table", table), slog.String("id", text), slog.Any("error", err))
}
