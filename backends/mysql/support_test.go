package mysql_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/mysql"
	taskflow "github.com/taskflow-go/taskflow/core"
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

// record returns the n-th of some finished records.
func record(n int) taskflow.Record {
	r := historic(n)
	lowest, _ := taskflow.IDBounds(r.CreatedAt)
	r.ID = fmt.Sprintf("%s%012x", lowest[:24], n)
	return r
}

func records(from, to int) []taskflow.Record {
	var list []taskflow.Record
	for n := from; n < to; n++ {
		list = append(list, record(n))
	}
	return list
}

func pendingRecord(n int, owner string) taskflow.Record {
	r := record(n)
	r.Status, r.StartTime, r.EndTime, r.Attempts, r.Owner = taskflow.StatusPending, time.Time{}, time.Time{}, 0, owner
	return r
}

func save(t *testing.T, b taskflow.Backend, list ...taskflow.Record) {
	t.Helper()
	if _, err := b.Save(t.Context(), list); err != nil {
		t.Fatal(err)
	}
}

// stored returns the number of records in the history.
func stored(t *testing.T, b taskflow.Backend) int {
	t.Helper()
	all, err := b.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// logged is a logger whose output can be read meanwhile.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logged) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// eventually repeats f until it returns nil, for as long as a busy machine may take.
func eventually(t *testing.T, f func() error) {
	t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	end := time.After(30 * time.Second)
	for {
		err := f()
		if err == nil {
			return
		}
		select {
		case <-again.C:
		case <-end:
			t.Fatal(err)
		}
	}
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
