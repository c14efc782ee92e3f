package sqlite_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/sqlite"
	taskflow "github.com/taskflow-go/taskflow/core"
)

func TestOpenDescribesOnly(t *testing.T) {
	t.Parallel()
	path := tempFile(t)
	b := sqlite.Open(path)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the function Open touched %s: %v", path, err)
	}
	if _, err := b.Load(t.Context()); !errors.Is(err, sqlite.ErrNotOpen) {
		t.Errorf("Load before Open returned %v, want ErrNotOpen", err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if err := b.Open(t.Context()); !errors.Is(err, sqlite.ErrClosed) {
		t.Errorf("Open after Close returned %v, want ErrClosed", err)
	}
}

// Each of these is refused with an error that names the path and says what to do; what is there stays as it is.
func TestFilesThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		prepare func(t *testing.T, path string) string // returns the path to open
		is      error
		says    string
	}{
		{"folder is missing", func(_ *testing.T, path string) string {
			return filepath.Join(filepath.Dir(path), "missing", "tasks.db")
		}, fs.ErrNotExist, "create it first"},
		{"folder is a file", func(t *testing.T, path string) string { write(t, path, "x"); return filepath.Join(path, "tasks.db") }, fs.ErrInvalid, "is not a folder"},
		{"a folder is in its place", func(t *testing.T, path string) string { mkdir(t, path); return path }, fs.ErrInvalid, "not a regular file"},
		{"a folder is in the place of the lock", func(t *testing.T, path string) string { mkdir(t, path+".lock"); return path }, syscall.EISDIR, ".lock"},
		{"text", func(t *testing.T, path string) string {
			write(t, path, strings.Repeat("dear diary ", 1000))
			return path
		}, sqlite.ErrForeign, "another path"},
		{"a few bytes", func(t *testing.T, path string) string { write(t, path, "hello"); return path }, sqlite.ErrForeign, "another path"},
		{"another application's", func(t *testing.T, path string) string {
			execute(t, raw(t, path), "CREATE TABLE bookmark (url TEXT)")
			return path
		}, sqlite.ErrForeign, "another path"},
		{"another application's with an id", func(t *testing.T, path string) string {
			execute(t, raw(t, path), "PRAGMA application_id = 252006674")
			return path
		}, sqlite.ErrForeign, "252006674"},
		{"newer schema", func(t *testing.T, path string) string {
			if err := opened(t, path).Close(); err != nil {
				t.Fatal(err)
			}
			execute(t, raw(t, path), "PRAGMA user_version = 99")
			return path
		}, sqlite.ErrNewerSchema, "version 99, this program knows up to 4"},
		{"in memory", func(*testing.T, string) string { return ":memory:" }, taskflow.ErrInvalidOption, "backends/memory"},
		{"no path", func(*testing.T, string) string { return "" }, taskflow.ErrInvalidOption, "backends/memory"},
		{"zero byte", func(_ *testing.T, path string) string { return path + "\x00.txt" }, taskflow.ErrInvalidOption, "zero byte"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := c.prepare(t, tempFile(t))
			before, readErr := os.ReadFile(path)
			b := sqlite.Open(path)
			err := b.Open(t.Context())
			if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), path) {
				t.Errorf("Open returned %v; want one that wraps %v, names %q and says %q", err, c.is, path, c.says)
			}
			if _, err := b.Load(t.Context()); !errors.Is(err, sqlite.ErrNotOpen) {
				t.Errorf("Load after a failed Open returned %v, want ErrNotOpen", err)
			}
			if readErr == nil {
				if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
					t.Errorf("Open changed the file that it refused (%v)", err)
				}
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOptionsOutOfRangeAreReportedByOpen(t *testing.T) {
	t.Parallel()
	for says, option := range map[string]sqlite.Option{
		`Synchronous: must be Normal or Full, not "OFF; DROP TABLE history"`: sqlite.Synchronous("OFF; DROP TABLE history"),
		"BusyTimeout: must not be negative, not -1s":                         sqlite.BusyTimeout(-time.Second),
		"Readers: must be at least 1, not 0":                                 sqlite.Readers(0),
		"MaxPages: must be at least 1, not 0":                                sqlite.MaxPages(0),
		"Logger: the logger is nil":                                          sqlite.Logger(nil),
		"option 1 is nil":                                                    nil,
	} {
		err := sqlite.Open(tempFile(t), option).Open(t.Context())
		if !errors.Is(err, taskflow.ErrInvalidOption) || !strings.Contains(err.Error(), says) {
			t.Errorf("Open returned %v; want ErrInvalidOption and %q", err, says)
		}
	}
}

func TestUnusualPaths(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"with space.db", "100%25.db", "a?mode=memory.db", "a#b.db", "日本語.db", "file:x.db", "q'uote.db", "-dash", "a&b=c"} {
		path := filepath.Join(t.TempDir(), name)
		b := opened(t, path)
		save(t, b, record(1))
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); err != nil {
			t.Errorf("the file %q was not created: %v", name, err)
		}
		if n := stored(t, opened(t, path)); n != 1 {
			t.Errorf("%q holds %d records after a restart, want 1", name, n)
		}
	}
}

func TestRelativePath(t *testing.T) {
	t.Chdir(t.TempDir())
	save(t, opened(t, "tasks.db"), record(1))
	if _, err := os.Stat("tasks.db"); err != nil {
		t.Error(err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func mkdir(t *testing.T, path string) {
	t.Helper()
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
}
