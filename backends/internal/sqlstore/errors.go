package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// What callers branch on. The backends offer these under the same names.
var (
	ErrNotOpen       = errors.New("the backend is not open: call Open first, as the manager's Start does")
	ErrClosed        = errors.New("the backend is closed")
	ErrUnreachable   = taskflow.Unavailable("the server cannot be reached: check host, port and network, and that it runs")
	ErrDenied        = errors.New("the server refuses the user: check name and password, from where it may connect, and whether it must use TLS")
	ErrNoDatabase    = errors.New("the database does not exist: create it, or name another")
	ErrTLS           = errors.New("server and client do not agree on TLS: check what the address says of it, and the certificates")
	ErrPrivilege     = errors.New("the user lacks a privilege: grant it, see README.md")
	ErrBusy          = taskflow.Unavailable("the server takes no more connections: raise its limit, or lower PoolSize")
	ErrReadOnly      = errors.New("the server cannot be written to: connect to the primary, or end its read-only mode")
	ErrFull          = errors.New("the server has no room to write: free disk space, or delete old history")
	ErrForeign       = errors.New("a table of this name is not one of this package's: choose another Prefix")
	ErrNoData        = errors.New("there is no taskflow data here: check address, database and prefix")
	ErrNewerSchema   = errors.New("a newer version of this package wrote the tables: update this program, or choose another Prefix")
	ErrOldServer     = errors.New("the server is too old: update it")
	ErrCorrupt       = errors.New("the stored record cannot be read")
	ErrInvalidRecord = errors.New("the record cannot be stored")
)

// errAgain makes write repeat the transaction: something changed between two of its statements.
var errAgain = errors.New("another instance was faster, again and again")

func sentinelOf(k Kind) error {
	switch k {
	case KindUnreachable:
		return ErrUnreachable
	case KindDenied:
		return ErrDenied
	case KindNoDatabase:
		return ErrNoDatabase
	case KindTLS:
		return ErrTLS
	case KindPrivilege:
		return ErrPrivilege
	case KindBusy:
		return ErrBusy
	case KindReadOnly:
		return ErrReadOnly
	case KindFull:
		return ErrFull
	case KindTooLarge:
		return ErrInvalidRecord
	case KindSchema:
		return ErrForeign
	}
	return nil
}

// wrap adds the operation, the server, and the sentinel that stands for the server's error.
func (s *Store) wrap(ctx context.Context, operation string, err error) error {
	if err == nil {
		return nil
	}
	if ended := endOf(ctx); ended != nil {
		if !errors.Is(err, ended) { // the driver tells what became of its connection
			err = fmt.Errorf("%w (%w)", ended, err)
		}
	} else if sentinel := sentinelOf(s.cfg.Kind(err)); sentinel != nil && !errors.Is(err, sentinel) {
		err = fmt.Errorf("%w (%w)", sentinel, err)
	}
	return fmt.Errorf("%s: %s: %s: %w", s.cfg.Package, operation, s.cfg.Target(), err)
}

// endOf is ctx.Err, also in the moment in which the deadline is over and the context does not know it yet: a connection that was given
// the deadline may be faster.
func endOf(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return ctx.Err()
}
