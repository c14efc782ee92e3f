package mysql_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/taskflow-go/taskflow/backends/mysql"
	"github.com/taskflow-go/taskflow/internal/testserver"
)

func TestMain(m *testing.M) { testserver.Main(m) }

// server returns the database that all tests of this process share; each has tables with a prefix of its own.
func server(tb testing.TB) string {
	tb.Helper()
	return testserver.SharedMariaDB(tb).URL
}

// prefix returns a new one, whose tables are dropped at the end of the test.
func prefix(tb testing.TB, dsn string) string {
	tb.Helper()
	p := "t" + strings.ToLower(rand.Text())[:12] + "_"
	tb.Cleanup(func() {
		var names []string
		for name := range strings.FieldsSeq(ask[string](tb, dsn, "SELECT coalesce(group_concat(table_name SEPARATOR ' '), '') FROM information_schema.tables WHERE table_schema = database() AND table_name LIKE '"+
			strings.ReplaceAll(p, "_", `\_`)+"%'")) {
			names = append(names, "`"+name+"`")
		}
		if len(names) > 0 {
			execute(tb, dsn, "DROP TABLE "+strings.Join(names, ", "))
		}
	})
	return p
}

// raw connects as another program would.
func raw(tb testing.TB, dsn string) *sql.DB {
	tb.Helper()
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		tb.Fatal(err)
	}
	return db
}

// execute runs statements, each on a line of its own.
func execute(tb testing.TB, dsn string, statements ...string) {
	tb.Helper()
	db := raw(tb, dsn)
	defer db.Close()
	for _, s := range statements {
		if _, err := db.ExecContext(context.WithoutCancel(tb.Context()), s); err != nil {
			tb.Errorf("%s: %v", s, err)
		}
	}
}

// ask scans the only value of the answer.
func ask[T any](tb testing.TB, dsn, sql string) (v T) {
	tb.Helper()
	db := raw(tb, dsn)
	defer db.Close()
	if err := db.QueryRowContext(context.WithoutCancel(tb.Context()), sql).Scan(&v); err != nil {
		tb.Errorf("%s: %v", sql, err)
	}
	return v
}

// opened opens a backend that is closed with the test.
func opened(tb testing.TB, dsn string, opts ...mysql.Option) *mysql.Backend {
	tb.Helper()
	b := mysql.Open(dsn, opts...)
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

// readable lets the server, which runs as another user, into a folder made by TempDir.
func readable(t *testing.T, folder string) {
	t.Helper()
	for _, f := range []string{folder, filepath.Dir(folder)} {
		if err := os.Chmod(f, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}
