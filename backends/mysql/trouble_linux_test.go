package mysql_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/taskflow-go/taskflow/backends/internal/sqltest"
	"github.com/taskflow-go/taskflow/backends/mysql"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/internal/testserver"
)

// The history is in a file system of 32 MB, which other files fill up until they are removed.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("a file system can only be mounted by root")
	}
	s := testserver.MariaDB(t)
	folder := t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=32m,mode=0777"); err != nil {
		t.Skipf("a file system cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		s.Kill() // it has files open there
		if err := syscall.Unmount(folder, 0); err != nil {
			t.Error(err)
		}
	})
	readable(t, folder)
	if err := os.Chmod(folder, 0o777); err != nil { // the server creates a folder in it
		t.Fatal(err)
	}
	if err := opened(t, s.URL).Close(); err != nil {
		t.Fatal(err)
	}
	create := createTable(t, s.URL, "taskflow_history")
	execute(t, s.URL, "DROP TABLE taskflow_history", create+" DATA DIRECTORY = '"+folder+"'")
	b := opened(t, s.URL)
	ballast := filepath.Join(folder, "ballast")
	if err := os.WriteFile(ballast, []byte(strings.Repeat("x", 16<<20)), 0o600); err != nil {
		t.Fatal(err)
	}
	accepted := 0
	var err error
	for err == nil && accepted < 100_000 {
		batch := sqltest.Records(accepted, accepted+200)
		for i := range batch {
			batch[i].Error = strings.Repeat("x", 1000)
		}
		if _, err = b.Save(t.Context(), batch); err == nil {
			accepted += len(batch)
		}
	}
	if !errors.Is(err, mysql.ErrFull) {
		t.Fatalf("Save on a full disk returned %v after %d records, want ErrFull", err, accepted)
	}
	if n := sqltest.Stored(t, b); n != accepted || n == 0 {
		t.Errorf("%d records are stored, %d were accepted", n, accepted)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	sqltest.Save(t, b, sqltest.Records(accepted, accepted+200)...)
	if err := b.PutPending(t.Context(), []taskflow.Record{sqltest.PendingRecord(accepted+1000, "me")}); err != nil {
		t.Error(err)
	}
	if n := sqltest.Stored(t, b); n != accepted+200 {
		t.Errorf("%d records are stored once there is room, want %d", n, accepted+200)
	}
}

// createTable returns the statement that creates a table that exists.
func createTable(t *testing.T, dsn, table string) string {
	t.Helper()
	db := raw(t, dsn)
	defer db.Close()
	var name, statement string
	if err := db.QueryRowContext(t.Context(), "SHOW CREATE TABLE "+table).Scan(&name, &statement); err != nil {
		t.Fatal(err)
	}
	return statement
}
