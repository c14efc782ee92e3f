package sqlite_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/sqlite"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// instanceLocks returns the files that are locked for instances.
func instanceLocks(t *testing.T, path string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, ".lock") && name != filepath.Base(path)+".lock" {
			names = append(names, name)
		}
	}
	return names
}

func join(t *testing.T, b *sqlite.Backend, id string) {
	t.Helper()
	if err := b.Join(t.Context(), taskflow.Instance{ID: id}, time.Hour); err != nil {
		t.Fatal(err)
	}
}

func expire(t *testing.T, b *sqlite.Backend) []string {
	t.Helper()
	gone, err := b.Expire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return gone
}

// Its lease has an hour left, but the kernel has freed its lock.
func TestAKilledInstanceIsKnownAtOnce(t *testing.T) {
	t.Parallel()
	path := tempFile(t)
	b := opened(t, path)
	join(t, b, "survivor")
	child := startJoiner(t, path)
	if got := child.tell("join for an hour"); got != "<nil>" {
		t.Fatalf("Join: %s", got)
	}
	if gone := expire(t, b); len(gone) != 0 {
		t.Errorf("Expire removed %q while both live", gone)
	}
	if got, err := b.Claim(t.Context(), "survivor", []string{record(0).Name}, 10); err != nil || len(got) != 0 {
		t.Errorf("Claim returned %d rows of a living instance, %v", len(got), err)
	}
	if locks := instanceLocks(t, path); len(locks) != 2 {
		t.Errorf("the lock files are %q, want two", locks)
	}
	child.kill()
	if gone := expire(t, b); !slices.Equal(gone, []string{"child"}) {
		t.Errorf("Expire removed %q right after the death of the process, want child", gone)
	}
	if got, err := b.Claim(t.Context(), "survivor", []string{record(0).Name}, 10); err != nil || len(got) != 1 {
		t.Errorf("Claim returned %d rows of the dead instance, %v; want its one", len(got), err)
	}
	if locks := instanceLocks(t, path); !slices.Equal(locks, []string{"tasks.db.survivor.lock"}) {
		t.Errorf("the lock files are %q, want that of the survivor", locks)
	}
}

// The first to open the file after all have died finds no trace of them.
func TestInstancesOfAnEarlierRunAreForgotten(t *testing.T) {
	t.Parallel()
	path := tempFile(t)
	child := startJoiner(t, path)
	if got := child.tell("join for an hour"); got != "<nil>" {
		t.Fatalf("Join: %s", got)
	}
	child.kill()
	b := opened(t, path)
	if all, err := b.Instances(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("Instances returned %+v, %v; want none", all, err)
	}
	if rows, err := b.LoadPending(t.Context()); err != nil || len(rows) != 1 || rows[0].Owner != "" {
		t.Errorf("LoadPending returned %+v, %v; want the row, free", rows, err)
	}
	if locks := instanceLocks(t, path); len(locks) != 0 {
		t.Errorf("the lock files are %q, want none", locks)
	}
}

func TestLockFilesGoWithTheirInstances(t *testing.T) {
	t.Parallel()
	path := tempFile(t)
	first, second := opened(t, path), opened(t, path)
	for _, id := range []string{"0123abcd-ef", "../../etc/passwd", "with space", strings.Repeat("long", 100), "A", "a"} {
		join(t, first, id)
		join(t, first, id) // again
		locks := instanceLocks(t, path)
		if len(locks) != 1 || len(locks[0]) > 100 {
			t.Errorf("the lock files are %q, want one for the instance %.20q", locks, id)
		}
		if gone := expire(t, second); len(gone) != 0 {
			t.Errorf("Expire removed %q, which live", gone)
		}
		if err := first.Leave(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if locks := instanceLocks(t, path); len(locks) != 0 {
			t.Errorf("the lock files are %q after Leave, want none", locks)
		}
	}
	join(t, first, "A")
	join(t, first, "a")
	if locks := instanceLocks(t, path); len(locks) != 2 {
		t.Errorf("the lock files are %q, want two", locks)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if locks := instanceLocks(t, path); len(locks) != 0 {
		t.Errorf("the lock files are %q after Close, want none", locks)
	}
	if gone := expire(t, second); !slices.Equal(gone, []string{"A", "a"}) {
		t.Errorf("Expire removed %q after the backend of both was closed, want both", gone)
	}
}

// Who joins through two handles is alive for as long as the one that holds the lock.
func TestJoiningThroughAnotherHandle(t *testing.T) {
	t.Parallel()
	path := tempFile(t)
	first, second, third := opened(t, path), opened(t, path), opened(t, path)
	join(t, first, "one")
	join(t, second, "one")
	if gone := expire(t, third); len(gone) != 0 {
		t.Errorf("Expire removed %q, which lives", gone)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	if gone := expire(t, third); len(gone) != 0 {
		t.Errorf("Expire removed %q, whose lock the first handle holds", gone)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if gone := expire(t, third); !slices.Equal(gone, []string{"one"}) {
		t.Errorf("Expire removed %q, want the instance that both handles have left", gone)
	}
}

func TestInstancesNeedAnID(t *testing.T) {
	t.Parallel()
	b := opened(t, tempFile(t))
	if err := b.Join(t.Context(), taskflow.Instance{}, time.Hour); err == nil || !strings.Contains(err.Error(), "id of the instance is empty") {
		t.Errorf("Join without an id returned %v", err)
	}
}

// A description that cannot be read hides no other.
func TestDamagedInstancesAreSkipped(t *testing.T) {
	t.Parallel()
	path := tempFile(t)
	var log logged
	b := opened(t, path, sqlite.Logger(log.logger()))
	join(t, b, "one")
	join(t, b, "two")
	execute(t, raw(t, path), "UPDATE instance SET description = '{' WHERE id = 'one'")
	all, err := b.Instances(t.Context())
	if err != nil || len(all) != 1 || all[0].ID != "two" || !strings.Contains(log.String(), "id=one") {
		t.Errorf("Instances returned %+v, %v, and logged %q; want the sound one, and the other in the log", all, err, log.String())
	}
}

// An owner whose rows were freed, by whichever handle, is noticed when it holds one again.
func TestRowsOfAnOwnerThatWasForgottenAreFreedAgain(t *testing.T) {
	t.Parallel()
	path := tempFile(t)
	first, second := opened(t, path), opened(t, path)
	join(t, first, "other")
	for n, b := range []*sqlite.Backend{first, second, first, first} {
		if err := first.PutPending(t.Context(), []taskflow.Record{pendingRecord(n, "ghost")}); err != nil {
			t.Fatal(err)
		}
		expire(t, b)
		rows, err := second.LoadPending(t.Context())
		if err != nil || len(rows) != n+1 || rows[n].Owner != "" {
			t.Errorf("after Expire the rows are %+v, %v; want %d, the last one free", rows, err, n+1)
		}
	}
}
