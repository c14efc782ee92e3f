package sqlite

import (
	"errors"
	"fmt"

	taskflow "github.com/taskflow-go/taskflow/core"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Errors that callers branch on with [errors.Is]. The text around them names the operation and the file.
var (
	// ErrNotOpen: a method was called before Open.
	ErrNotOpen = errors.New("the backend is not open: call Open first, as the manager's Start does")
	// ErrClosed: a method was called after Close.
	ErrClosed = errors.New("the backend is closed")
	// ErrForeign: the file is not a SQLite database, or one of another application. It is left as it is.
	ErrForeign = errors.New("the file is not a taskflow database: give another path")
	// ErrNewerSchema: a newer version of this package wrote the file. It is left as it is.
	ErrNewerSchema = errors.New("the file was written by a newer version: update this program, or give another path")
	// ErrCorrupt: the content of the file is damaged.
	ErrCorrupt = errors.New("the file is damaged: restore it from a backup, or try sqlite3's .recover")
	// ErrFull: the disk is full, or the file has the size that MaxPages allows. Calls work again once there is room.
	ErrFull = errors.New("no room to write: free disk space, or delete old history")
	// ErrReadOnly: the file or its folder cannot be written to.
	ErrReadOnly = errors.New("the file cannot be written: check the permissions of it, of its folder and of the mount")
	// ErrGone: the file was deleted, moved away or replaced while it was open. Nothing is written until it is back; a program that is to go on
	// with a new file must be restarted.
	ErrGone = errors.New("the file is not at its path any more: put it back, or restart the program to begin a new one")
	// ErrIO: the operating system fails to read, write or open the file: it has been moved away, or its disk fails. It is [taskflow.ErrUnavailable], too:
	// what was asked for may have been written.
	ErrIO = taskflow.Unavailable("the file cannot be read or written: see whether it is at its path, and whether its disk is well")
	// ErrLocked: another process held the write lock for longer than BusyTimeout. Calls work again once it has let go.
	ErrLocked = errors.New("the file is locked by another process: see who has it open, or raise BusyTimeout")
	// ErrInvalidRecord: a record cannot be stored; the text says which and why. Nothing of the call was stored.
	ErrInvalidRecord = errors.New("the record cannot be stored")
)

// wrap adds the operation, the file, and the sentinel that stands for SQLite's code.
func (b *Backend) wrap(operation string, err error) error {
	if err == nil {
		return nil
	}
	if sentinel := sentinelOf(err); sentinel != nil && !errors.Is(err, sentinel) {
		err = fmt.Errorf("%w (%w)", sentinel, err)
	}
	return fmt.Errorf("sqlite: %s: %s: %w", operation, b.path, err)
}

func sentinelOf(err error) error {
	switch code(err) {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return ErrLocked
	case sqlite3.SQLITE_FULL:
		return ErrFull
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN:
		return ErrIO
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return ErrReadOnly
	case sqlite3.SQLITE_CORRUPT:
		return ErrCorrupt
	case sqlite3.SQLITE_NOTADB:
		return ErrForeign
	}
	return nil
}

// code is SQLite's primary result code of err, 0 if it has none.
func code(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() & 0xff
	}
	return 0
}
