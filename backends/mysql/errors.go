package mysql

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/go-sql-driver/mysql"
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
	// ErrReadOnly: the server is a replica, or in read-only mode.
	ErrReadOnly = sqlstore.ErrReadOnly
	// ErrFull: the disk of the server is full. Calls work again once there is room.
	ErrFull = sqlstore.ErrFull
	// ErrForeign: a table of ours is there already, with other columns. It is left as it is.
	ErrForeign = sqlstore.ErrForeign
	// ErrNoData: [ExistingOnly] was given, and there are no tables of ours. None were created.
	ErrNoData = sqlstore.ErrNoData
	// ErrNewerSchema: a newer version of this package has migrated the tables. They are left as they are.
	ErrNewerSchema = sqlstore.ErrNewerSchema
	// ErrOldServer: the server is older than MySQL 8.0.17 or MariaDB 10.6.
	ErrOldServer = sqlstore.ErrOldServer
	// ErrCorrupt: a record that Get was asked for cannot be read.
	ErrCorrupt = sqlstore.ErrCorrupt
	// ErrInvalidRecord: a record cannot be stored, or is larger than the server's max_allowed_packet; the text says which and why.
	// Nothing of the call was stored.
	ErrInvalidRecord = sqlstore.ErrInvalidRecord
)

// kind tells what an error of the server or of the driver means.
func kind(err error) sqlstore.Kind {
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return serverKind(e)
	}
	switch {
	case errors.Is(err, mysql.ErrNoTLS), isTLS(err):
		return sqlstore.KindTLS
	case errors.Is(err, mysql.ErrPktTooLarge):
		return sqlstore.KindTooLarge
	case errors.Is(err, mysql.ErrNativePassword), errors.Is(err, mysql.ErrOldPassword), errors.Is(err, mysql.ErrCleartextPassword):
		return sqlstore.KindDenied
	case isNetwork(err):
		return sqlstore.KindUnreachable
	}
	return sqlstore.KindOther
}

// kinds are the server's error numbers: https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
var kinds = map[uint16]sqlstore.Kind{
	1213: sqlstore.KindRetry,     // ER_LOCK_DEADLOCK
	1020: sqlstore.KindRetry,     // ER_CHECKREAD, MariaDB: the record has changed since it was read
	1062: sqlstore.KindDuplicate, // ER_DUP_ENTRY

	1045: sqlstore.KindDenied, // ER_ACCESS_DENIED_ERROR
	1698: sqlstore.KindDenied, // ER_ACCESS_DENIED_NO_PASSWORD_ERROR
	1129: sqlstore.KindDenied, // ER_HOST_IS_BLOCKED
	1130: sqlstore.KindDenied, // ER_HOST_NOT_PRIVILEGED
	1251: sqlstore.KindDenied, // ER_NOT_SUPPORTED_AUTH_MODE
	1820: sqlstore.KindDenied, // ER_MUST_CHANGE_PASSWORD
	1862: sqlstore.KindDenied, // ER_MUST_CHANGE_PASSWORD_LOGIN
	3118: sqlstore.KindDenied, // ER_ACCOUNT_HAS_BEEN_LOCKED
	4151: sqlstore.KindDenied, // MariaDB: the account is locked

	1049: sqlstore.KindNoDatabase, // ER_BAD_DB_ERROR

	1044: sqlstore.KindPrivilege, // ER_DBACCESS_DENIED_ERROR
	1142: sqlstore.KindPrivilege, // ER_TABLEACCESS_DENIED_ERROR
	1143: sqlstore.KindPrivilege, // ER_COLUMNACCESS_DENIED_ERROR
	1227: sqlstore.KindPrivilege, // ER_SPECIFIC_ACCESS_DENIED_ERROR

	1040: sqlstore.KindBusy, // ER_CON_COUNT_ERROR
	1203: sqlstore.KindBusy, // ER_TOO_MANY_USER_CONNECTIONS
	1226: sqlstore.KindBusy, // ER_USER_LIMIT_REACHED

	1792: sqlstore.KindReadOnly, // ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
	1836: sqlstore.KindReadOnly, // ER_READ_ONLY_MODE

	1021: sqlstore.KindFull, // ER_DISK_FULL
	1114: sqlstore.KindFull, // ER_RECORD_FILE_FULL

	1153: sqlstore.KindTooLarge, // ER_NET_PACKET_TOO_LARGE
	1301: sqlstore.KindTooLarge, // ER_WARN_ALLOWED_PACKET_OVERFLOWED
	1406: sqlstore.KindTooLarge, // ER_DATA_TOO_LONG

	1146: sqlstore.KindSchema, // ER_NO_SUCH_TABLE
	1054: sqlstore.KindSchema, // ER_BAD_FIELD_ERROR

	3159: sqlstore.KindTLS, // ER_SECURE_TRANSPORT_REQUIRED

	1053: sqlstore.KindUnreachable, // ER_SERVER_SHUTDOWN
	1927: sqlstore.KindUnreachable, // MariaDB: the connection was killed
	3168: sqlstore.KindUnreachable, // ER_SERVER_ISNT_AVAILABLE
	4031: sqlstore.KindUnreachable, // ER_CLIENT_INTERACTION_TIMEOUT
}

func serverKind(e *mysql.MySQLError) sqlstore.Kind {
	switch {
	case e.Number == 1290 && strings.Contains(e.Message, "read"): // ER_OPTION_PREVENTS_STATEMENT: --read-only, among others
		return sqlstore.KindReadOnly
	case strings.Contains(e.Message, "No space left on device"): // whichever file it was
		return sqlstore.KindFull
	case strings.Contains(e.Message, "max_allowed_packet"): // has several numbers
		return sqlstore.KindTooLarge
	}
	return kinds[e.Number]
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
	_, ok := errors.AsType[x509.UnknownAuthorityError](err)
	return ok
}

func isNetwork(err error) bool {
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, context.DeadlineExceeded)
}
