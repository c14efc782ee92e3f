package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/taskflow-go/taskflow/backends/internal/sqlstore"
)

// database is a server that has been connected to.
type database struct {
	pool    *pgxpool.Pool
	owned   bool // it is closed with the backend
	dialect *dialect

	reconnects int // see Notify
}

var _ sqlstore.Database = (*database)(nil)

func (d *database) Dialect() sqlstore.Dialect { return d.dialect }

func (d *database) Close() error {
	if d.owned {
		d.pool.Close()
	}
	return nil
}

func (d *database) Query(ctx context.Context, sql string, args []any, each func(sqlstore.Row) error) error {
	rows, err := d.pool.Query(ctx, sql, bind(args)...)
	if err != nil {
		return err
	}
	return read(rows, each)
}

func read(rows pgx.Rows, each func(sqlstore.Row) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// byIndex leaves the planner of a transaction no other way than along an index, row by row. Its estimates are no help where all it
// knows is a parameter: it expects few rows, and sorts a million.
const byIndex = `SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
	set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true), set_config('max_parallel_workers_per_gather', '0', true),
	set_config('jit', 'off', true)`

// Search takes one round trip.
func (d *database) Search(ctx context.Context, sql string, args []any, each func(sqlstore.Row) error) error {
	return d.transaction(ctx, "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY", func(t *tx) error {
		t.Later(ctx, byIndex)
		t.queue(sql, args).Query(func(rows pgx.Rows) error { return read(rows, each) })
		return nil
	})
}

// bind turns what the driver has no fast way for into what it has.
func bind(args []any) []any {
	for i, arg := range args {
		switch v := arg.(type) {
		case sqlstore.ID:
			args[i] = [16]byte(v)
		case []sqlstore.ID:
			list := make([][16]byte, len(v))
			for j, id := range v {
				list[j] = id
			}
			args[i] = list
		}
	}
	return args
}

// writing are the settings of a transaction that writes. Without the first the planner reads whole tables for the few rows that we ask for by
// their keys, while its statistics say that a table is small; and the plan stays with the prepared statement as the table grows, for a
// minute and more. Where there is no other way it gives that such a cost that up to PostgreSQL 17 the statement is compiled first, which takes
// 100 ms and more: so the second. The third undoes the transaction of a process that was paused in the middle of it, which would keep its
// locks; it is as long as the manager waits for a commit, because the server counts the time that a statement takes to arrive, too.
const writing = `SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true),
	set_config('idle_in_transaction_session_timeout', '10s', true)`

// Transaction implements [sqlstore.Database].
func (d *database) Transaction(ctx context.Context, f func(sqlstore.Tx) error) error {
	return d.transaction(ctx, "BEGIN ISOLATION LEVEL READ COMMITTED", func(t *tx) error {
		t.Later(ctx, writing)
		return f(t)
	})
}

// Exclusive takes a lock of the database that the end of the transaction frees.
func (d *database) Exclusive(ctx context.Context, f func(sqlstore.Tx) error) error {
	return d.Transaction(ctx, func(t sqlstore.Tx) error {
		t.Later(ctx, "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", "taskflow "+d.dialect.schema+"."+d.dialect.prefix)
		return f(t)
	})
}

func (d *database) transaction(ctx context.Context, begin string, f func(*tx) error) error {
	conn, err := d.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	t := &tx{conn: conn.Conn()}
	t.Later(ctx, begin)
	if err = f(t); err == nil {
		t.Later(ctx, "COMMIT")
		err = t.flush(ctx)
	}
	if err != nil {
		if undo := t.rollback(ctx); undo != nil {
			err = fmt.Errorf("%w (ROLLBACK: %w)", err, undo)
		}
	}
	return err
}

// tx is a transaction. Statements are sent together with the next one whose answer is needed: most transactions take two or three
// round trips, BEGIN and COMMIT included.
type tx struct {
	conn   *pgx.Conn
	queued *pgx.Batch
}

var _ sqlstore.Tx = (*tx)(nil)

func (t *tx) queue(sql string, args []any) *pgx.QueuedQuery {
	if t.queued == nil {
		t.queued = &pgx.Batch{}
	}
	return t.queued.Queue(sql, bind(args)...)
}

func (t *tx) Later(_ context.Context, sql string, args ...any) (changed *int64) {
	changed = new(int64)
	t.queue(sql, args).Exec(func(tag pgconn.CommandTag) error {
		*changed = tag.RowsAffected()
		return nil
	})
	return changed
}

func (t *tx) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	changed := t.Later(ctx, sql, args...)
	err := t.flush(ctx)
	return *changed, err
}

func (t *tx) Query(ctx context.Context, sql string, args []any, each func(sqlstore.Row) error) error {
	t.queue(sql, args).Query(func(rows pgx.Rows) error { return read(rows, each) })
	return t.flush(ctx)
}

// flush sends what is queued and reads the answers. A statement that fails undoes the transaction: those after it, COMMIT too,
// are not run.
func (t *tx) flush(ctx context.Context) error {
	batch := t.queued
	t.queued = nil
	return t.conn.SendBatch(ctx, batch).Close()
}

// rollbackTimeout bounds the wait for the answer to ROLLBACK. A connection that does not give it is closed.
const rollbackTimeout = 5 * time.Second

// rollback undoes the transaction, also when ctx has ended. After a failure the pool closes the connection, which undoes it too.
func (t *tx) rollback(ctx context.Context) error {
	if t.conn.IsClosed() || t.conn.PgConn().TxStatus() == 'I' {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	_, err := t.conn.Exec(ctx, "ROLLBACK")
	return err
}
