package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// database is an open file: one connection that writes, several that read. Each connection is in its channel or with the
// one goroutine that took it.
type database struct {
	cfg     config
	session string                  // tells this opened handle's snapshots of pending tasks from others'
	owners  []string                // for whom rows were stored or claimed through this handle; guarded by holding the writer
	audits  int                     // appended through this handle; guarded by holding the writer
	joined  map[string]*flock.Flock // the locks of the instances that joined through this handle; guarded by holding the writer
	path    string                  // absolute, for the names of files beside it
	file    fs.FileInfo             // what was opened
	lock    *flock.Flock
	writer  chan *conn
	readers chan *conn
	closed  chan struct{} // closed by close
	writing bool          // the writer is connected
	reading int           // readers connected
}

func openDatabase(ctx context.Context, path string, cfg config) (_ *database, err error) {
	if err := checkPath(path); err != nil {
		return nil, err
	}
	path, err = filepath.Abs(path) // a program may change its working directory meanwhile
	if err != nil {
		return nil, err
	}
	db := &database{
		cfg: cfg, path: path, joined: map[string]*flock.Flock{}, session: taskflow.NewID(time.Now()), closed: make(chan struct{}),
		writer: make(chan *conn, 1), readers: make(chan *conn, cfg.readers),
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.close())
		}
	}()
	if err := createPrivate(path); err != nil {
		return nil, err
	}
	alone, err := db.acquireLock(ctx, path)
	if err != nil {
		return nil, err
	}
	if !alone {
		// waits until whoever opens the file right now has set it up
		if err := db.shareLock(ctx); err != nil {
			return nil, err
		}
	}
	w, err := connect(path)
	if err != nil {
		return nil, err
	}
	db.writer <- w
	db.writing = true
	if err := prepareWriter(ctx, w, path, cfg); err != nil {
		return nil, err
	}
	if err := db.identify(); err != nil {
		return nil, err
	}
	if alone {
		if err := db.releaseAll(ctx, w); err != nil {
			return nil, err
		}
		if err := db.shareLock(ctx); err != nil {
			return nil, err
		}
	}
	for range cfg.readers {
		r, err := connect(path)
		if err != nil {
			return nil, err
		}
		db.readers <- r
		db.reading++
		if err := r.script(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d; PRAGMA query_only = 1", cfg.busy.Milliseconds())); err != nil {
			return nil, err
		}
	}
	return db, nil
}

// prepareWriter sets the connection up and brings the schema to this version. The order matters: a foreign file is refused
// before anything is written to it.
func prepareWriter(ctx context.Context, w *conn, path string, cfg config) error {
	if err := w.script(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", cfg.busy.Milliseconds())); err != nil {
		return err
	}
	version, err := checkVersion(ctx, w)
	if err != nil {
		return err
	}
	settings := fmt.Sprintf("PRAGMA synchronous = %s; PRAGMA cache_size = -16000; PRAGMA journal_size_limit = 67108864; PRAGMA wal_autocheckpoint = 4000", cfg.sync)
	if err := patiently(ctx, cfg.busy, func() error { return w.script(ctx, "PRAGMA journal_mode = WAL; "+settings) }); err != nil {
		return err
	}
	if cfg.maxPages > 0 {
		if err := w.script(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", cfg.maxPages)); err != nil {
			return err
		}
	}
	return migrate(ctx, w, version, path, cfg.log)
}

// checkPath refuses what SQLite would take for something other than a file, and a folder that is not there.
func checkPath(path string) error {
	if path == "" || strings.HasPrefix(path, ":memory:") {
		return fmt.Errorf("%w: the path is %q: give the path of a file, or use package backends/memory", taskflow.ErrInvalidOption, path)
	}
	if strings.IndexByte(path, 0) >= 0 {
		return fmt.Errorf("%w: the path %q contains a zero byte", taskflow.ErrInvalidOption, path)
	}
	folder := filepath.Dir(path)
	info, err := os.Stat(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the folder %s does not exist: create it first (%w)", folder, err)
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is not a folder: %w", folder, fs.ErrInvalid)
	}
	if info, err = os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("it is not a regular file but %s: give another path (%w)", info.Mode().Type(), fs.ErrInvalid)
	}
	return nil
}

// createPrivate creates the file with mode 0600 whatever the umask; SQLite gives its companions the same mode. A file
// that exists keeps its mode, and is not touched: closing a descriptor of it would drop the locks this process has on it.
func createPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil
	case err != nil:
		return cannotWrite(err)
	}
	return errors.Join(f.Chmod(0o600), f.Close())
}

// take waits for a connection of the pool.
func (db *database) take(ctx context.Context, pool chan *conn) (*conn, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-db.closed:
		return nil, ErrClosed
	case c := <-pool:
		return c, nil
	}
}

func (db *database) read(ctx context.Context, f func(*conn) error) error {
	c, err := db.take(ctx, db.readers)
	if err != nil {
		return err
	}
	defer func() { db.readers <- c }()
	return f(c)
}

func (db *database) write(ctx context.Context, f func(*conn) error) error {
	c, err := db.take(ctx, db.writer)
	if err != nil {
		return err
	}
	defer func() { db.writer <- c }()
	if err := db.present(); err != nil {
		return err
	}
	if err := c.transaction(ctx, func() error { return f(c) }); err != nil {
		return err
	}
	return db.present()
}

// seen remembers an owner as one of this handle's. Only for who holds the writer.
func (db *database) seen(owner string) {
	if owner != "" && !slices.Contains(db.owners, owner) {
		db.owners = append(db.owners, owner)
	}
}

// close takes every connection, which waits for those that use them. The writer goes last: it writes the log back into
// the file and removes it.
func (db *database) close() (err error) {
	close(db.closed)
	for range db.reading {
		err = errors.Join(err, (<-db.readers).close())
	}
	if db.writing {
		w := <-db.writer
		for id := range db.joined {
			err = errors.Join(err, db.unlockInstance(id))
		}
		err = errors.Join(err, w.close())
	}
	if db.lock != nil {
		err = errors.Join(err, db.lock.Close())
	}
	return err
}
