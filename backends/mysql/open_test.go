package mysql_test

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	driver "github.com/go-sql-driver/mysql"
	"github.com/taskflow-go/taskflow/backends/internal/sqltest"
	"github.com/taskflow-go/taskflow/backends/mysql"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/internal/testserver"
)

const nowhere = "u:secret@tcp(127.0.0.1:1)/db" // nobody listens on this port

func TestOpenDescribesOnly(t *testing.T) {
	t.Parallel()
	b := mysql.Open(nowhere)
	if _, err := b.Load(t.Context()); !errors.Is(err, mysql.ErrNotOpen) {
		t.Errorf("Load before Open returned %v, want ErrNotOpen", err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if err := b.Open(t.Context()); !errors.Is(err, mysql.ErrClosed) {
		t.Errorf("Open after Close returned %v, want ErrClosed", err)
	}
}

func TestEverythingButNotificationsIsOffered(t *testing.T) {
	t.Parallel()
	if got := taskflow.Capabilities(mysql.Open(nowhere)); len(got) != 15 {
		t.Errorf("it offers %v, want all but notify", got)
	}
}

// change returns the data source name with something else in one place.
func change(t *testing.T, dsn string, edit func(c *driver.Config)) string {
	t.Helper()
	c, err := driver.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	edit(c)
	return c.FormatDSN()
}

// silent returns the address of a server that accepts connections and never answers.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // closed below
			}
			t.Cleanup(func() { conn.Close() })
		}
	})
	t.Cleanup(func() {
		l.Close()
		accepting.Wait()
	})
	return l.Addr().String()
}

// Each of these is refused with an error that says what to do, and never shows the password.
func TestServersThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	dsn := server(t)
	secure := testserver.MariaDB(t, testserver.WithTLS())
	for _, c := range []struct {
		name, dsn string
		is        error
		says      string
	}{
		{"wrong password", change(t, dsn, func(c *driver.Config) { c.Passwd = "secret" }), mysql.ErrDenied, "1045"},
		{"unknown user", change(t, dsn, func(c *driver.Config) { c.User, c.Passwd = "nobody", "secret" }), mysql.ErrDenied, "nobody"},
		{"unknown database", change(t, dsn, func(c *driver.Config) { c.DBName = "missing" }), mysql.ErrNoDatabase, "missing"},
		{"nobody listens", nowhere, mysql.ErrUnreachable, "127.0.0.1:1/db"},
		{"unknown host", "u:secret@tcp(no-such-host.invalid:3306)/db", mysql.ErrUnreachable, "no-such-host.invalid"},
		{"no answer in time", change(t, nowhere, func(c *driver.Config) { c.Addr, c.ReadTimeout = silent(t), time.Second }), mysql.ErrUnreachable, "127.0.0.1"},
		{"server without TLS", change(t, dsn, func(c *driver.Config) { c.TLSConfig = "true" }), mysql.ErrTLS, "TLS"},
		{"certificate of an unknown authority", change(t, secure.URL, func(c *driver.Config) { c.TLSConfig = "true" }), mysql.ErrTLS, "certificate"},
		{"server that insists on TLS", change(t, secure.URL, func(c *driver.Config) { c.TLSConfig = "false" }), mysql.ErrDenied, "whether it must use TLS"},
		{"character set", change(t, dsn, func(c *driver.Config) { c.Collation = "latin1_swedish_ci" }), taskflow.ErrInvalidOption, "latin1"},
		{"empty name", "", taskflow.ErrInvalidOption, "user:password@tcp(host:3306)/database"},
		{"no name", "u:secret@host", taskflow.ErrInvalidOption, "cannot be read"},
		{"no database", "u:secret@tcp(host:3306)/", taskflow.ErrInvalidOption, "says no database"},
		{"no database in the URL", "mysql://u:secret@host", taskflow.ErrInvalidOption, "says no database"},
		{"another scheme", "postgres://u:secret@host/db", taskflow.ErrInvalidOption, `"postgres" is not mysql`},
		{"bad parameter", "u:secret@tcp(host:3306)/db?timeout=soon", taskflow.ErrInvalidOption, "soon"},
		{"bad parameter of the URL", "mysql://u:secret@host/db?timeout=soon", taskflow.ErrInvalidOption, "soon"},
		{"bad escape", "mysql://u:sec%ret@host/db", taskflow.ErrInvalidOption, "cannot be read"},
		{"unknown TLS configuration", "u:secret@tcp(host:3306)/db?tls=mine", taskflow.ErrInvalidOption, "mine"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := mysql.Open(c.dsn)
			err := b.Open(t.Context())
			if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("Open returned %v; want one that wraps %v and says %q", err, c.is, c.says)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error shows the password: %v", err)
			}
			if _, err := b.Load(t.Context()); !errors.Is(err, mysql.ErrNotOpen) {
				t.Errorf("Load after a failed Open returned %v, want ErrNotOpen", err)
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOptionsOutOfRangeAreReportedByOpen(t *testing.T) {
	t.Parallel()
	for says, option := range map[string]mysql.Option{
		`Prefix: must be 1 to 40 of a-z, 0-9 and _, not beginning with a digit; not ""`: mysql.Prefix(""),
		`not "x; DROP TABLE y"`:        mysql.Prefix("x; DROP TABLE y"),
		`not "Upper"`:                  mysql.Prefix("Upper"),
		strings.Repeat("p", 41):        mysql.Prefix(strings.Repeat("p", 41)),
		"PoolSize: must be at least 2": mysql.PoolSize(1),
		"option Logger is nil":         mysql.Logger(nil),
		"option 1 is nil":              nil,
	} {
		err := mysql.Open(nowhere, option).Open(t.Context())
		if !errors.Is(err, taskflow.ErrInvalidOption) || !strings.Contains(err.Error(), says) {
			t.Errorf("Open returned %v; want ErrInvalidOption and %q", err, says)
		}
	}
}

func TestContextEndsTheOpening(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	b := mysql.Open(change(t, nowhere, func(c *driver.Config) { c.Addr = silent(t) }))
	if err := b.Open(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Open returned %v, want context.DeadlineExceeded", err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

func TestURLIsAsGoodAsADataSourceName(t *testing.T) {
	t.Parallel()
	dsn := server(t)
	c, err := driver.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	user := strings.TrimSuffix(prefix(t, dsn), "_")
	execute(t, dsn, "CREATE USER "+user+" IDENTIFIED BY 'p/a@s:s?w%rd'", "GRANT ALL ON `"+c.DBName+"`.* TO "+user)
	t.Cleanup(func() { execute(t, dsn, "DROP USER "+user) })
	u := url.URL{Scheme: "mysql", User: url.UserPassword(user, "p/a@s:s?w%rd"), Host: c.Addr, Path: "/" + c.DBName, RawQuery: "timeout=5s"}
	b := opened(t, u.String(), mysql.Prefix(prefix(t, dsn)))
	sqltest.Save(t, b, sqltest.Record(1))
	if n := sqltest.Stored(t, b); n != 1 {
		t.Errorf("%d records are stored, want 1", n)
	}
}

// A database of the caller has whatever parameters: with prepared statements, and with the other way of counting rows.
func TestDatabaseOfTheCallerStaysOpen(t *testing.T) {
	t.Parallel()
	dsn := server(t)
	db := raw(t, change(t, dsn, func(c *driver.Config) { c.ClientFoundRows, c.ParseTime = true, true }))
	defer db.Close()
	p := prefix(t, dsn)
	for n := range 2 {
		b := mysql.OpenDB(db, mysql.Prefix(p))
		if err := b.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		sqltest.Save(t, b, sqltest.Record(n))
		if err := b.PutPending(t.Context(), []taskflow.Record{sqltest.PendingRecord(10, "me"), sqltest.PendingRecord(11, "me")}); err != nil {
			t.Error(err)
		}
		if err := b.PutPending(t.Context(), []taskflow.Record{sqltest.PendingRecord(11, "other")}); !errors.Is(err, taskflow.ErrLeaseLost) {
			t.Errorf("PutPending of another's row returned %v, want ErrLeaseLost", err)
		}
		at := time.Date(2026, 1, 1+n, 0, 0, 0, 0, time.UTC)
		if first, err := b.TakeSlot(t.Context(), "nightly", at); err != nil || !first {
			t.Errorf("TakeSlot returned %v, %v; want that it is taken", first, err)
		}
		if again, err := b.TakeSlot(t.Context(), "nightly", at); err != nil || again {
			t.Errorf("TakeSlot returned %v, %v; it was taken before", again, err)
		}
		if page, err := b.Query(t.Context(), taskflow.Query{Filter: taskflow.Filter{Text: "TASK"}, Limit: 10}); err != nil || len(page.Records) != n+1 {
			t.Errorf("Query returned %d records, %v; want %d", len(page.Records), err, n+1)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		if err := db.PingContext(t.Context()); err != nil {
			t.Errorf("the database does not work any more: %v", err)
		}
	}
	for says, b := range map[string]*mysql.Backend{
		"OpenDB: the database is nil": mysql.OpenDB(nil), "PoolSize": mysql.OpenDB(db, mysql.PoolSize(5)),
		"use no database": mysql.OpenDB(noDatabase(t, dsn)),
	} {
		if err := b.Open(t.Context()); !errors.Is(err, taskflow.ErrInvalidOption) || !strings.Contains(err.Error(), says) {
			t.Errorf("Open returned %v; want ErrInvalidOption and %q", err, says)
		}
	}
}

func noDatabase(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db := raw(t, change(t, dsn, func(c *driver.Config) { c.DBName = "" }))
	t.Cleanup(func() { db.Close() })
	return db
}

func TestEncryptedConnection(t *testing.T) {
	t.Parallel()
	s := testserver.MariaDB(t, testserver.WithTLS())
	b := opened(t, s.URL)
	sqltest.Save(t, b, sqltest.Record(1))
	if n := sqltest.Stored(t, b); n != 1 {
		t.Errorf("%d records are stored, want 1", n)
	}
}

func TestVersionsThatAreTooOld(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{
		"10.11.14-MariaDB-0+deb12u2": "utf8mb4_nopad_bin", "10.6.0-MariaDB": "utf8mb4_nopad_bin", "11.4.2-MariaDB-log": "utf8mb4_nopad_bin",
		"8.0.17": "utf8mb4_0900_bin", "8.4.3-cluster": "utf8mb4_0900_bin", "9.1.0": "utf8mb4_0900_bin",
		"10.5.27-MariaDB": "", "5.7.44-log": "", "8.0.16": "", "8": "", "": "",
	} {
		got, err := mysql.CollationOf(version)
		if got != want || (err == nil) != (want != "") || err != nil && !errors.Is(err, mysql.ErrOldServer) {
			t.Errorf("version %q: %q, %v; want %q, or ErrOldServer", version, got, err, want)
		}
	}
}
