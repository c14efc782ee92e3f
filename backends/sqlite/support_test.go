package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
	_ "modernc.org/sqlite" // the driver of the tests' own connections
)

// raw opens the file as another program would.
func raw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func execute(t *testing.T, db *sql.DB, statements string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statements); err != nil {
		t.Fatalf("%s: %v", statements, err)
	}
}

func tempFile(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "tasks.db")
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
	r.Status, r.StartTime, r.EndTime, r.Owner = taskflow.StatusPending, time.Time{}, time.Time{}, owner
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
	all, err := b.Load(context.WithoutCancel(t.Context()))
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
