package postgres_test

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/taskflow-go/taskflow/backends/postgres"
	"github.com/taskflow-go/taskflow/internal/testserver"
)

func TestMain(m *testing.M) { testserver.Main(m) }

// server returns the database that all tests of this process share; each has tables with a prefix of its own.
func server(tb testing.TB) string {
	tb.Helper()
	return testserver.SharedPostgreSQL(tb).URL
}

// prefix returns a new one, whose tables are dropped at the end of the test.
func prefix(tb testing.TB, address string) string {
	tb.Helper()
	p := "t" + strings.ToLower(rand.Text())[:12] + "_"
	tb.Cleanup(func() { drop(tb, address, p) })
	return p
}

func drop(tb testing.TB, address, prefix string) {
	tb.Helper()
	execute(tb, address, `DO $$ DECLARE t text; BEGIN
		FOR t IN SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE '`+strings.ReplaceAll(prefix, "_", `\_`)+`%' LOOP
			EXECUTE 'DROP TABLE ' || quote_ident(t);
		END LOOP; END $$`)
}

// execute runs statements as another program would.
func execute(tb testing.TB, address, statements string) {
	tb.Helper()
	ctx := context.WithoutCancel(tb.Context())
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := conn.PgConn().Exec(ctx, statements).ReadAll(); err != nil {
		tb.Errorf("%s: %v", statements, err)
	}
	if err := conn.Close(ctx); err != nil {
		tb.Error(err)
	}
}

// opened opens a backend that is closed with the test.
func opened(tb testing.TB, address string, opts ...postgres.Option) *postgres.Backend {
	tb.Helper()
	b := postgres.Open(address, opts...)
	if err := b.Open(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := b.Close(); err != nil {
			tb.Error(err)
		}
	})
	return b
}

// with returns the URL with one of its parameters set.
func with(tb testing.TB, address, key, value string) string {
	tb.Helper()
	u, err := url.Parse(address)
	if err != nil {
		tb.Fatal(err)
	}
	q := u.Query()
	q.Set(key, value)
	u.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20") // the driver takes a plus for a plus
	return u.String()
}

// ask scans the only value of the answer.
func ask[T any](t *testing.T, address, sql string) (v T) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if err := conn.QueryRow(t.Context(), sql).Scan(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func count(t *testing.T, address, sql string) int { t.Helper(); return ask[int](t, address, sql) }

func text(t *testing.T, address, sql string) string { t.Helper(); return ask[string](t, address, sql) }

// readable lets the server, which runs as another user, into a folder made by TempDir.
func readable(t *testing.T, folder string) {
	t.Helper()
	for _, f := range []string{folder, filepath.Dir(folder)} {
		if err := os.Chmod(f, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}
