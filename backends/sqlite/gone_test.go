package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/taskflow-go/taskflow/backends/sqlite"
	taskflow "github.com/taskflow-go/taskflow/core"
)

func TestWritesFailWhileTheFileIsGone(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows does not let go of a file that is open")
	}
	path := filepath.Join(t.TempDir(), "tasks.db")
	aside := path + ".aside"
	b := opened(t, path)
	save(t, b, record(1))
	for name, takeAway := range map[string]func() error{
		"moved":    func() error { return os.Rename(path, aside) },
		"replaced": func() error { return errors.Join(os.Rename(path, aside), os.WriteFile(path, nil, 0o600)) },
	} {
		if err := takeAway(); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Save(t.Context(), []taskflow.Record{record(2)}); !errors.Is(err, sqlite.ErrGone) {
			t.Errorf("%s: Save returned %v, want ErrGone", name, err)
		}
		if err := b.PutPending(t.Context(), []taskflow.Record{record(3)}); !errors.Is(err, sqlite.ErrGone) {
			t.Errorf("%s: PutPending returned %v, want ErrGone", name, err)
		}
		if err := os.Rename(aside, path); err != nil {
			t.Fatal(err)
		}
		save(t, b, record(4))
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if n := stored(t, opened(t, path)); n != 2 {
		t.Errorf("%d records are stored, want the two whose Save succeeded", n)
	}
}

func TestReadsWhileTheFileIsGoneAreUnavailable(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows does not let go of a file that is open")
	}
	path := filepath.Join(t.TempDir(), "tasks.db")
	b := opened(t, path)
	save(t, b, record(1))
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		if err := os.Rename(name, name+".aside"); err != nil {
			t.Fatal(err)
		}
	}
	_, err := b.Query(t.Context(), taskflow.Query{Limit: 10})
	if !errors.Is(err, sqlite.ErrIO) || !errors.Is(err, taskflow.ErrUnavailable) {
		t.Errorf("reading returned %v, want ErrIO, which is ErrUnavailable", err)
	}
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		if err := os.Rename(name+".aside", name); err != nil {
			t.Fatal(err)
		}
	}
	save(t, b, record(2))
}
