package postgres_test

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/taskflow-go/taskflow/backends/internal/sqltest"
	"github.com/taskflow-go/taskflow/backends/postgres"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/internal/testserver"
)

const nowhere = "postgres://u:secret@127.0.0.1:1/db?sslmode=disable" // nobody listens on this port

func TestOpenDescribesOnly(t *testing.T) {
	t.Parallel()
	b := postgres.Open(nowhere)
	if _, err := b.Load(t.Context()); !errors.Is(err, postgres.ErrNotOpen) {
		t.Errorf("Load before Open returned %v, want ErrNotOpen", err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if err := b.Open(t.Context()); !errors.Is(err, postgres.ErrClosed) {
		t.Errorf("Open after Close returned %v, want ErrClosed", err)
	}
}

func TestEverythingIsOffered(t *testing.T) {
	t.Parallel()
	if got := taskflow.Capabilities(postgres.Open(nowhere)); len(got) != 16 {
		t.Errorf("it offers %v, want all 16", got)
	}
}

// change returns the URL with something else in one place.
func change(t *testing.T, address string, edit func(u *url.URL)) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	edit(u)
	return u.String()
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

// onlyTLS returns the path of a file that lets nobody in without TLS, but by the server's own socket.
func onlyTLS(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pg_hba.conf")
	if err := os.WriteFile(path, []byte("local all taskflow scram-sha-256\nhostssl all taskflow 0.0.0.0/0 scram-sha-256\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	readable(t, filepath.Dir(path))
	return path
}

// Each of these is refused with an error that says what to do, and never shows the password.
func TestServersThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	address := server(t)
	secure := testserver.PostgreSQL(t, testserver.WithTLS(), testserver.WithArgs("-c", "hba_file="+onlyTLS(t)))
	latin1 := strings.TrimSuffix(prefix(t, address), "_")
	execute(t, address, `CREATE DATABASE `+latin1+` ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'`)
	for _, c := range []struct {
		name, address string
		is            error
		says          string
	}{
		{"wrong password", change(t, address, func(u *url.URL) { u.User = url.UserPassword(u.User.Username(), "secret") }), postgres.ErrDenied, "28P01"},
		{"unknown user", change(t, address, func(u *url.URL) { u.User = url.UserPassword("nobody", "secret") }), postgres.ErrDenied, "nobody"},
		{"unknown database", change(t, address, func(u *url.URL) { u.Path = "/missing" }), postgres.ErrNoDatabase, "missing"},
		{"nobody listens", nowhere, postgres.ErrUnreachable, "127.0.0.1:1/db"},
		{"unknown host", "postgres://u:secret@no-such-host.invalid/db", postgres.ErrUnreachable, "no-such-host.invalid"},
		{"no answer in time", change(t, nowhere, func(u *url.URL) { u.Host = silent(t); u.RawQuery = "connect_timeout=1" }), postgres.ErrUnreachable, "timeout"},
		{"server without TLS", with(t, address, "sslmode", "require"), postgres.ErrTLS, "TLS"},
		{"certificate of an unknown authority", change(t, secure.URL, func(u *url.URL) { u.RawQuery = "sslmode=verify-full" }), postgres.ErrTLS, "certificate"},
		{"server that insists on TLS", change(t, secure.URL, func(u *url.URL) { u.RawQuery = "sslmode=disable" }), postgres.ErrTLS, "no encryption"},
		{"encoding", change(t, address, func(u *url.URL) { u.Path = "/" + latin1 }), postgres.ErrEncoding, "LATIN1"},
		{"no schema", with(t, address, "search_path", "missing"), taskflow.ErrInvalidOption, "search path"},
		{"empty URL", "", taskflow.ErrInvalidOption, "postgres://user:password@host/database"},
		{"no URL", "postgres://u:secret@host:port/db", taskflow.ErrInvalidOption, "port"},
		{"another scheme", "mysql://u:secret@host/db", taskflow.ErrInvalidOption, "cannot parse"},
		{"bad parameter", "postgres://u:secret@host/db?sslmode=maybe", taskflow.ErrInvalidOption, "sslmode"},
		{"way of asking", "postgres://u:secret@host/db?default_query_exec_mode=exec", taskflow.ErrInvalidOption, "cache_describe"},
		{"bad escape", "postgres://u:sec%ret@host/db", taskflow.ErrInvalidOption, "cannot"},
		{"pool of the URL", "postgres://u:secret@host/db?pool_max_conns=0", taskflow.ErrInvalidOption, "pool_max_conns"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := postgres.Open(c.address)
			err := b.Open(t.Context())
			if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("Open returned %v; want one that wraps %v and says %q", err, c.is, c.says)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error shows the password: %v", err)
			}
			if _, err := b.Load(t.Context()); !errors.Is(err, postgres.ErrNotOpen) {
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
	for says, option := range map[string]postgres.Option{
		`Prefix: must be 1 to 40 of a-z, 0-9 and _, not beginning with a digit; not ""`: postgres.Prefix(""),
		`not "x; DROP TABLE y"`:        postgres.Prefix("x; DROP TABLE y"),
		`not "Upper"`:                  postgres.Prefix("Upper"),
		`not "1st"`:                    postgres.Prefix("1st"),
		strings.Repeat("p", 41):        postgres.Prefix(strings.Repeat("p", 41)),
		`Schema: must be`:              postgres.Schema("a.b"),
		"PoolSize: must be at least 2": postgres.PoolSize(1),
		"option Logger is nil":         postgres.Logger(nil),
		"option 1 is nil":              nil,
	} {
		err := postgres.Open(nowhere, option).Open(t.Context())
		if !errors.Is(err, taskflow.ErrInvalidOption) || !strings.Contains(err.Error(), says) {
			t.Errorf("Open returned %v; want ErrInvalidOption and %q", err, says)
		}
	}
}

func TestContextEndsTheOpening(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	b := postgres.Open(change(t, nowhere, func(u *url.URL) { u.Host = silent(t) }))
	if err := b.Open(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Open returned %v, want context.DeadlineExceeded", err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

func TestPoolOfTheCallerStaysOpen(t *testing.T) {
	t.Parallel()
	address := server(t)
	pool, err := pgxpool.New(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	p := prefix(t, address)
	for n := range 2 {
		b := postgres.OpenPool(pool, postgres.Prefix(p))
		if err := b.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		sqltest.Save(t, b, sqltest.Record(n))
		if got := sqltest.Stored(t, b); got != n+1 {
			t.Errorf("%d records are stored, want %d", got, n+1)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		if err := pool.Ping(t.Context()); err != nil {
			t.Errorf("the pool does not work any more: %v", err)
		}
	}
	for says, b := range map[string]*postgres.Backend{
		"OpenPool: the pool is nil": postgres.OpenPool(nil), "PoolSize": postgres.OpenPool(pool, postgres.PoolSize(5)),
	} {
		if err := b.Open(t.Context()); !errors.Is(err, taskflow.ErrInvalidOption) || !strings.Contains(err.Error(), says) {
			t.Errorf("Open returned %v; want ErrInvalidOption and %q", err, says)
		}
	}
}

func TestEncryptedConnection(t *testing.T) {
	t.Parallel()
	s := testserver.PostgreSQL(t, testserver.WithTLS())
	b := opened(t, s.URL)
	sqltest.Save(t, b, sqltest.Record(1))
	if n := sqltest.Stored(t, b); n != 1 {
		t.Errorf("%d records are stored, want 1", n)
	}
}
