package postgres_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/taskflow-go/taskflow/backends/internal/sqltest"
	"github.com/taskflow-go/taskflow/backends/postgres"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/internal/testserver"
)

// The tables are in a file system of 32 MB, which other files fill up until they are removed.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("a file system can only be mounted by root")
	}
	s := testserver.PostgreSQL(t)
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
	mine := filepath.Join(folder, "space")
	owner(t, s, mine)
	execute(t, s.URL, "CREATE TABLESPACE small LOCATION '"+mine+"'")
	b := opened(t, with(t, s.URL, "options", "-c default_tablespace=small"))
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
	if !errors.Is(err, postgres.ErrFull) {
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

// owner makes a folder that belongs to the user that the server runs as.
func owner(t *testing.T, s *testserver.Server, folder string) {
	t.Helper()
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	var data syscall.Stat_t
	if err := syscall.Stat(dataFolder(t, s), &data); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(folder, int(data.Uid), int(data.Gid)); err != nil {
		t.Fatal(err)
	}
}

func dataFolder(t *testing.T, s *testserver.Server) string {
	t.Helper()
	return text(t, s.URL, "SHOW data_directory")
}
