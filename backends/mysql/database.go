package mysql

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/taskflow-go/taskflow/backends/internal/sqlstore"
)

// database is a server that has been connected to.
type database struct {
	db      *sql.DB
	owned   bool   // it is closed with the backend
	name    string // of the database on the server
	dialect *dialect
}

var _ sqlstore.Database = (*database)(nil)

func (d *database) Dialect() sqlstore.Dialect { return d.dialect }

func (d *database) Close() error {
	if !d.owned {
		return nil
	}
	return d.db.Close()
}

func (d *database) Query(ctx context.Context, sql string, args []any, each func(sqlstore.Row) error) error {
	return query(ctx, d.db, sql, args, each)
}

// Search implements [sqlstore.Database]: the statements themselves say which index is to be used.
func (d *database) Search(ctx context.Context, sql string, args []any, each func(sqlstore.Row) error) error {
	return query(ctx, d.db, sql, args, each)
}

// runner is *sql.DB, *sql.Conn or *sql.Tx.
type runner interface {
	QueryContext(ctx context.Context, sql string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, sql string, args ...any) (sql.Result, error)
}

func query(ctx context.Context, r runner, sql string, args []any, each func(sqlstore.Row) error) (err error) {
	rows, err := r.QueryContext(ctx, sql, args...)
	if err != nil {
		return err
	}
	defer func() {
		if e := rows.Close(); err == nil {
			err = e
		}
	}()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Transaction implements [sqlstore.Database].
func (d *database) Transaction(ctx context.Context, f func(sqlstore.Tx) error) error {
	tx, err := d.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return err
	}
	t := &statements{runner: tx}
	if err = f(t); err == nil {
		err = t.err
	}
	if err == nil {
		return tx.Commit()
	}
	// a connection that was lost, or closed because the context ended, has no transaction any more
	if undo := tx.Rollback(); undo != nil && !errors.Is(undo, sql.ErrTxDone) && kind(undo) != sqlstore.KindUnreachable {
		err = fmt.Errorf("%w (ROLLBACK: %w)", err, undo)
	}
	return err
}

// lockWait is how many seconds the server waits for the lock before it is asked again.
const lockWait = 5

// Exclusive takes a lock by name, which the end of the connection frees too. It is no transaction: the server commits each change
// of the schema.
func (d *database) Exclusive(ctx context.Context, f func(sqlstore.Tx) error) (err error) {
	conn, err := d.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if e := conn.Close(); err == nil {
			err = e
		}
	}()
	sum := sha256.Sum256([]byte(d.name + "\x00" + d.dialect.prefix))
	name := "taskflow " + hex.EncodeToString(sum[:16]) // locks are the server's, not the database's, and have 64 bytes
	for locked := int64(0); locked != 1; {
		if err := conn.QueryRowContext(ctx, "SELECT get_lock(?, ?)", name, lockWait).Scan(&locked); err != nil {
			return err
		}
	}
	t := &statements{runner: conn}
	if err = f(t); err == nil {
		err = t.err
	}
	if _, e := conn.ExecContext(context.WithoutCancel(ctx), "DO release_lock(?)", name); err == nil {
		err = e
	}
	return err
}

// statements runs statements one after the other.
type statements struct {
	runner runner
	err    error // the first of Later
}

var _ sqlstore.Tx = (*statements)(nil)

func (t *statements) Exec(ctx context.Context, sql string, args ...any) (changed int64, err error) {
	if t.err != nil {
		return 0, t.err
	}
	result, err := t.runner.ExecContext(ctx, sql, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (t *statements) Later(ctx context.Context, sql string, args ...any) (changed *int64) {
	n, err := t.Exec(ctx, sql, args...)
	if t.err == nil {
		t.err = err
	}
	return &n
}

func (t *statements) Query(ctx context.Context, sql string, args []any, each func(sqlstore.Row) error) error {
	if t.err != nil {
		return t.err
	}
	return query(ctx, t.runner, sql, args, each)
}
