package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/taskflow-go/taskflow/backends/sqlite"
)

// mount mounts a small file system of its own for the test: modes do not stop root, and a disk is rarely full.
func mount(t *testing.T, options string) string {
	t.Helper()
	folder := t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, options); err != nil {
		t.Skipf("a file system cannot be mounted here, which takes root: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, 0); err != nil {
			t.Error(err)
		}
	})
	return folder
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	folder := mount(t, "size=3m")
	path := filepath.Join(folder, "tasks.db")
	ballast := filepath.Join(folder, "ballast")
	b := opened(t, path)
	save(t, b, record(0))
	write(t, ballast, strings.Repeat("x", 1<<20))
	accepted, err := fillUp(t, b)
	if !errors.Is(err, sqlite.ErrFull) {
		t.Fatalf("Save on a full disk returned %v, want ErrFull", err)
	}
	if n := stored(t, b); n != accepted || n == 0 {
		t.Errorf("%d records are stored, %d were accepted", n, accepted)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	save(t, b, records(accepted, accepted+100)...)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if n := stored(t, opened(t, path)); n != accepted+100 {
		t.Errorf("%d records are stored after a restart, want %d", n, accepted+100)
	}
}

func TestFullDiskAtOpen(t *testing.T) {
	t.Parallel()
	folder := mount(t, "size=64k")
	write(t, filepath.Join(folder, "ballast"), strings.Repeat("x", 60<<10))
	b := sqlite.Open(filepath.Join(folder, "tasks.db"))
	if err := b.Open(t.Context()); !errors.Is(err, sqlite.ErrFull) {
		t.Errorf("Open on a full disk returned %v, want ErrFull", err)
	}
	if err := os.Remove(filepath.Join(folder, "ballast")); err != nil {
		t.Fatal(err)
	}
}

func TestReadOnlyFileSystem(t *testing.T) {
	t.Parallel()
	folder := mount(t, "")
	path := filepath.Join(folder, "tasks.db")
	b := opened(t, path)
	save(t, b, record(0))
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("", folder, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{path, filepath.Join(folder, "new.db")} {
		b = sqlite.Open(p)
		if err := b.Open(t.Context()); !errors.Is(err, sqlite.ErrReadOnly) || !strings.Contains(err.Error(), p) {
			t.Errorf("Open of %s on a read-only file system returned %v; want ErrReadOnly and the path", p, err)
		}
	}
	if err := syscall.Mount("", folder, "", syscall.MS_REMOUNT, ""); err != nil {
		t.Fatal(err)
	}
	if n := stored(t, opened(t, path)); n != 1 {
		t.Errorf("%d records are stored once the file system can be written again, want 1", n)
	}
}
