package postgres

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/taskflow-go/taskflow/backends/internal/sqlstore"
)

// Errors that callers branch on with [errors.Is]. The text around them names the operation, the server and what it said.
var (
	// ErrNotOpen: a method was called before Open.
	ErrNotOpen = sqlstore.ErrNotOpen
	// ErrClosed: a method was called after Close.
	ErrClosed = sqlstore.ErrClosed
	// ErrUnreachable: no server answers at the address, or the connection broke. Calls work again once it does.
	ErrUnreachable = sqlstore.ErrUnreachable
	// ErrDenied: the user, the password or the host of the client is not accepted.
	ErrDenied = sqlstore.ErrDenied
	// ErrNoDatabase: there is no database of that name.
	ErrNoDatabase = sqlstore.ErrNoDatabase
	// ErrTLS: one side wants TLS and the other has none, or a certificate is not accepted.
	ErrTLS = sqlstore.ErrTLS
	// ErrPrivilege: the user may not do what the operation needs. README.md lists what to grant.
	ErrPrivilege = sqlstore.ErrPrivilege
	// ErrBusy: the server has as many connections as it takes. Calls work again once it has fewer.
	ErrBusy = sqlstore.ErrBusy
	// ErrReadOnly: the server is a standby, or in read-only mode.
	ErrReadOnly = sqlstore.ErrReadOnly
	// ErrFull: the disk of the server is full. Calls work again once there is room.
	ErrFull = sqlstore.ErrFull
	// ErrForeign: a table of ours is there already, with other columns. It is left as it is.
	ErrForeign = sqlstore.ErrForeign
	// ErrNoData: [ExistingOnly] was given, and there are no tables of ours. None were created.
	ErrNoData = sqlstore.ErrNoData
	// ErrNewerSchema: a newer version of this package has migrated the tables. They are left as they are.
	ErrNewerSchema = sqlstore.ErrNewerSchema
	// ErrOldServer: the server is older than PostgreSQL 13.
	ErrOldServer = sqlstore.ErrOldServer
	// ErrEncoding: the database cannot store all texts.
	ErrEncoding = errors.New("the encoding of the database is not UTF8: create one WITH ENCODING 'UTF8' TEMPLATE template0")
	// ErrCorrupt: a record that Get was asked for cannot be read.
	ErrCorrupt = sqlstore.ErrCorrupt
	// ErrInvalidRecord: a record cannot be stored; the text says which and why. Nothing of the call was stored.
	ErrInvalidRecord = sqlstore.ErrInvalidRecord
)

// kind tells what an error of the server or of the driver means.
func kind(err error) sqlstore.Kind {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return serverKind(e)
	}
	switch {
	case isTLS(err):
		return sqlstore.KindTLS
	case isNetwork(err):
		return sqlstore.KindUnreachable
	}
	return sqlstore.KindOther
}

// serverKind reads the SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html
func serverKind(e *pgconn.PgError) sqlstore.Kind {
	switch e.Code {
	case "40001", "40P01", "55P03": // serialization_failure, deadlock_detected, lock_not_available
		return sqlstore.KindRetry
	case "23505": // unique_violation
		return sqlstore.KindDuplicate
	case "28P01": // invalid_password
		return sqlstore.KindDenied
	case "28000": // invalid_authorization_specification: also a client without TLS where pg_hba.conf asks for it
		if strings.Contains(e.Message, "no encryption") {
			return sqlstore.KindTLS
		}
		return sqlstore.KindDenied
	case "3D000": // invalid_catalog_name
		return sqlstore.KindNoDatabase
	case "42501": // insufficient_privilege
		return sqlstore.KindPrivilege
	case "53300": // too_many_connections
		return sqlstore.KindBusy
	case "25006": // read_only_sql_transaction
		return sqlstore.KindReadOnly
	case "53100": // disk_full
		return sqlstore.KindFull
	case "42P01", "42703": // undefined_table, undefined_column
		return sqlstore.KindSchema
	}
	if strings.HasPrefix(e.Code, "08") || strings.HasPrefix(e.Code, "57P") { // connection exceptions, shutdown
		return sqlstore.KindUnreachable
	}
	return sqlstore.KindOther
}

func isTLS(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.AlertError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return true
	}
	return err != nil && strings.Contains(err.Error(), "server refused TLS connection") // the driver has no value for it
}

func isNetwork(err error) bool {
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, context.DeadlineExceeded) || err != nil && strings.Contains(err.Error(), "conn closed")
}
