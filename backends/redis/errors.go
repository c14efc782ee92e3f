package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	goredis "github.com/redis/go-redis/v9"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// Errors that callers branch on with [errors.Is]. The text around them names the operation, the server and the prefix. What another
// instance holds is [taskflow.ErrLeaseLost].
var (
	// ErrNotOpen: a method was called before Open.
	ErrNotOpen = errors.New("the backend is not open: call Open first, as the manager's Start does")
	// ErrClosed: a method was called after Close.
	ErrClosed = errors.New("the backend is closed")
	// ErrUnavailable: there is no connection to the server, or it cannot answer at present (it is loading its data, a cluster is
	// down, a replica that must be there is not). Calls work again once it can.
	ErrUnavailable = taskflow.Unavailable("the server is not available")
	// ErrAccess: the server refuses the user, the password, or what the user may do.
	ErrAccess = errors.New("the server denies access: check user and password, and that the user may run scripts and read, write and publish under the prefix")
	// ErrReadOnly: the server is a replica, which cannot be written to.
	ErrReadOnly = errors.New("the server is a read-only replica: connect to the primary")
	// ErrFull: the server has no memory left (maxmemory). Calls work again once there is room: DeleteBefore works.
	ErrFull = errors.New("the server has no memory left: raise maxmemory, or delete old history")
	// ErrForeign: under the prefix are keys of something else. They are left as they are.
	ErrForeign = errors.New("the keys under the prefix belong to something else: give another prefix or database")
	// ErrNewerSchema: a newer version of this package wrote what is under the prefix. It is left as it is.
	ErrNewerSchema = errors.New("the data was written by a newer version: update this program, or give another prefix")
	// ErrNoData: [ExistingOnly] was given, and there is nothing under the prefix. Nothing was written.
	ErrNoData = errors.New("there is no taskflow data here: check server, database and prefix")
	// ErrOldServer: the server is older than Redis 6.2.
	ErrOldServer = errors.New("the server is too old: Redis 6.2 or later is needed, or Valkey")
	// ErrCorrupt: a row cannot be read.
	ErrCorrupt = errors.New("the stored record is damaged")
	// ErrInvalidRecord: a record, an instance or an audit entry cannot be stored; the text says which and why. Nothing of the call was
	// stored.
	ErrInvalidRecord = errors.New("it cannot be stored")
)

// wrap adds the operation, where the data is, and the sentinel that stands for the server's answer.
func (b *Backend) wrap(operation string, err error) error {
	if err == nil {
		return nil
	}
	if sentinel := sentinelOf(err); sentinel != nil && !errors.Is(err, sentinel) {
		err = fmt.Errorf("%w (%w)", sentinel, err)
	}
	return fmt.Errorf("redis: %s: %s: %w", operation, b.where(), err)
}

// answers are what servers say, in the words that stay the same from version to version. A script's error has its own words in front
// of them in Redis 6.
var answers = []struct {
	text     string
	sentinel error
}{
	{"OOM command not allowed", ErrFull},
	{"READONLY ", ErrReadOnly},
	{"NOAUTH ", ErrAccess},
	{"WRONGPASS ", ErrAccess},
	{"NOPERM ", ErrAccess},
	{"invalid password", ErrAccess},
	{"user executing the script can't", ErrAccess},
	{"WRONGTYPE ", ErrForeign},
	{"DB index is out of range", taskflow.ErrInvalidOption},
	{"SELECT is not allowed in cluster mode", taskflow.ErrInvalidOption},
	{"LOADING ", ErrUnavailable},
	{"BUSY ", ErrUnavailable},
	{"MASTERDOWN ", ErrUnavailable},
	{"CLUSTERDOWN ", ErrUnavailable},
	{"TRYAGAIN ", ErrUnavailable},
	{"NOREPLICAS ", ErrUnavailable},
	{"MISCONF ", ErrUnavailable},
	{"max number of clients reached", ErrUnavailable},
}

func sentinelOf(err error) error {
	var answer goredis.Error
	var network net.Error
	var record tls.RecordHeaderError
	var alert tls.AlertError
	switch {
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		// of the caller's context, which is what the caller asks for
		return nil
	case errors.As(err, &answer):
		for _, a := range answers {
			if strings.Contains(answer.Error(), a.text) {
				return a.sentinel
			}
		}
		return nil
	case errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed),
		errors.Is(err, goredis.ErrPoolTimeout), errors.Is(err, goredis.ErrPoolExhausted), errors.Is(err, ErrUnavailable),
		wrongCertificate(err), errors.As(err, &record), errors.As(err, &alert):
		return ErrUnavailable
	}
	return nil
}

// unanswered reports whether the server may have done what it was asked for: its answer did not come.
func unanswered(err error) bool {
	var answer goredis.Error
	return err != nil && !errors.As(err, &answer)
}
