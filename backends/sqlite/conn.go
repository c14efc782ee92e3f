package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// conn is one connection with its prepared statements. It belongs to whoever took it from its pool, one goroutine at a
// time. The driver is used directly: this package has one writer and a few readers of its own, and no use for another pool.
type conn struct {
	raw   driver.Conn
	stmts map[string]driver.Stmt
	args  []driver.NamedValue // reused by each call
	names map[string]int64    // the writer's: ids of names, valid as long as version does not change
	known map[string]bool     // the writer's: owners that are in the table holder, valid as long as version does not change
	// version is PRAGMA data_version: it changes when another connection has written.
	version int64
}

// maxStatements bounds the prepared statements of a connection. Listings have many shapes; a few dozen are in use.
const maxStatements = 200

func connect(path string) (*conn, error) {
	dsn := (&url.URL{Scheme: "file", OmitHost: true, Path: path}).String()
	raw, err := (&sqlite.Driver{}).Open(dsn)
	if err != nil {
		return nil, err
	}
	return &conn{raw: raw, stmts: map[string]driver.Stmt{}, names: map[string]int64{}, known: map[string]bool{}}, nil
}

func (c *conn) close() error { return errors.Join(c.forget(), c.raw.Close()) }

// forget closes the prepared statements.
func (c *conn) forget() (err error) {
	for _, s := range c.stmts {
		err = errors.Join(err, s.Close())
	}
	clear(c.stmts)
	return err
}

func (c *conn) prepare(sql string) (driver.Stmt, error) {
	if s, ok := c.stmts[sql]; ok {
		return s, nil
	}
	if len(c.stmts) >= maxStatements {
		if err := c.forget(); err != nil {
			return nil, err
		}
	}
	s, err := c.raw.Prepare(sql)
	if err != nil {
		return nil, err
	}
	c.stmts[sql] = s
	return s, nil
}

// bind fills the reused arguments. Values are string, []byte, int64 or nil.
func (c *conn) bind(values []any) []driver.NamedValue {
	c.args = c.args[:0]
	for i, v := range values {
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	return c.args
}

// exec runs a statement and returns the number of rows it changed and the last rowid it inserted.
func (c *conn) exec(ctx context.Context, sql string, values ...any) (changed, rowid int64, err error) {
	s, err := c.prepare(sql)
	if err != nil {
		return 0, 0, err
	}
	result, err := s.(driver.StmtExecContext).ExecContext(ctx, c.bind(values))
	if err != nil {
		return 0, 0, err
	}
	if changed, err = result.RowsAffected(); err != nil {
		return 0, 0, err
	}
	rowid, err = result.LastInsertId()
	return changed, rowid, err
}

// run is exec for those who do not need to know.
func (c *conn) run(ctx context.Context, sql string, values ...any) error {
	_, _, err := c.exec(ctx, sql, values...)
	return err
}

// script runs several statements that are not worth preparing.
func (c *conn) script(ctx context.Context, sql string) error {
	_, err := c.raw.(driver.ExecerContext).ExecContext(ctx, sql, nil)
	return err
}

// query calls each with every row. The row is valid until each returns. The driver watches the context up to the first row; from
// there on it is asked for between the rows.
func (c *conn) query(ctx context.Context, sql string, values []any, each func(row []driver.Value) error) (err error) {
	s, err := c.prepare(sql)
	if err != nil {
		return err
	}
	rows, err := s.(driver.StmtQueryContext).QueryContext(ctx, c.bind(values))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	row := make([]driver.Value, len(rows.Columns()))
	for {
		err := rows.Next(row)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := each(row); err != nil {
			return err
		}
	}
}

// number returns the integer in the first column of the first row; ok is false when there is no row.
func (c *conn) number(ctx context.Context, sql string, values ...any) (n int64, ok bool, err error) {
	err = c.query(ctx, sql, values, func(row []driver.Value) error {
		v, isInt := row[0].(int64)
		if !isInt {
			return fmt.Errorf("%s: %T in place of a number", sql, row[0])
		}
		n, ok = v, true
		return nil
	})
	return n, ok, err
}

// transaction calls f between BEGIN IMMEDIATE and COMMIT, or ROLLBACK when f fails.
func (c *conn) transaction(ctx context.Context, f func() error) error {
	err := c.run(ctx, "BEGIN IMMEDIATE")
	if err == nil {
		err = c.refreshNames()
	}
	if err == nil {
		err = f()
	}
	lasting := context.WithoutCancel(ctx) // the end of a transaction is not to be interrupted halfway
	if err == nil {
		if err = c.run(lasting, "COMMIT"); err == nil {
			return nil
		}
	}
	clear(c.names) // some may have been inserted by what is undone now
	clear(c.known)
	// also after a failed BEGIN: a context that ends at the same moment makes one that succeeded look like that
	if rollback := c.run(lasting, "ROLLBACK"); rollback != nil && code(rollback) != sqlite3.SQLITE_ERROR {
		return errors.Join(err, rollback) // SQLITE_ERROR: there is no transaction, SQLite has undone it by itself
	}
	return err
}

// patiently repeats f for as long as the file is locked: SQLite does not wait by itself for a change of the journal mode.
func patiently(ctx context.Context, atMost time.Duration, f func() error) error {
	limited, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	again := time.NewTicker(lockRetry)
	defer again.Stop()
	for {
		err := f()
		if code(err) != sqlite3.SQLITE_BUSY {
			return err
		}
		select {
		case <-again.C:
		case <-limited.Done():
			return errors.Join(ctx.Err(), err)
		}
	}
}

// refreshNames drops the known ids of names, and owners, when another connection may have deleted some.
func (c *conn) refreshNames() error {
	v, _, err := c.number(context.Background(), "PRAGMA data_version")
	if v != c.version || len(c.names) >= maxNames {
		clear(c.names)
		clear(c.known)
		c.version = v
	}
	return err
}
