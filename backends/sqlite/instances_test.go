package sqlite_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"testing"

	"github.com/taskflow-go/taskflow/backends/sqlite"
	taskflow "github.com/taskflow-go/taskflow/core"
)

func TestKilledProcessLosesNothingAndItsTasksAreFree(t *testing.T) {
	t.Parallel()
	path := tempFile(t)
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childFile+"="+path, childRole+"=saves")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	accepted := 0
	lines := bufio.NewScanner(out)
	for accepted < 50 && lines.Scan() {
		accepted++
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // what it printed before it died
		accepted++
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the process ended by itself")
	}
	if accepted < 50 {
		t.Fatalf("the process stopped after %d", accepted)
	}
	b := opened(t, path)
	for n := 0; n < 2*accepted; n += 2 {
		if _, err := b.Get(t.Context(), record(n).ID); err != nil {
			t.Fatalf("record %d of %d was accepted and is gone: %v", n, 2*accepted, err)
		}
	}
	waiting, err := b.LoadPending(t.Context())
	if err != nil || len(waiting) < accepted {
		t.Fatalf("LoadPending returned %d records, %v; want at least the %d accepted ones", len(waiting), err, accepted)
	}
	var names []string
	for _, r := range waiting {
		names = append(names, r.Name)
	}
	if got, err := b.Claim(t.Context(), "heir", names, 2*len(waiting)); err != nil || len(got) != len(waiting) {
		t.Errorf("Claim got %d of the %d tasks of a dead process, %v", len(got), len(waiting), err)
	}
}

// An instance that stops late must not take back what another one runs by now.
func TestASnapshotLeavesWhatAnotherInstanceHolds(t *testing.T) {
	t.Parallel()
	path := tempFile(t)
	first, second := opened(t, path), opened(t, path)
	list := []taskflow.Record{pendingRecord(0, ""), pendingRecord(1, ""), pendingRecord(2, "")}
	if n, err := first.SavePending(t.Context(), list); n != 3 || err != nil {
		t.Fatalf("SavePending returned %d, %v", n, err)
	}
	if got, err := second.Claim(t.Context(), "second", []string{list[0].Name}, 1); len(got) != 1 || err != nil {
		t.Fatalf("Claim returned %v, %v", got, err)
	}
	if got, err := first.Claim(t.Context(), "first", []string{list[1].Name}, 1); len(got) != 1 || err != nil {
		t.Fatalf("Claim returned %v, %v", got, err)
	}
	before := list[0].Attempts
	for i := range list {
		list[i].Attempts = 7
	}
	if n, err := first.SavePending(t.Context(), list); n != 2 || err != nil {
		t.Errorf("SavePending of a row of its own, a free one and another's returned %d, %v; want 2", n, err)
	}
	got, err := second.LoadPending(t.Context())
	if err != nil || len(got) != 3 {
		t.Fatalf("LoadPending returned %d records, %v", len(got), err)
	}
	for i, want := range []struct {
		owner    string
		attempts int
	}{{"second", before}, {"", 7}, {"", 7}} {
		if r := got[i]; r.Owner != want.owner || r.Attempts != want.attempts {
			t.Errorf("row %d is held by %q with %d attempts, want %+v", i, r.Owner, r.Attempts, want)
		}
	}
	taken := pendingRecord(0, "first")
	if err := first.PutPending(t.Context(), []taskflow.Record{pendingRecord(3, "first"), taken}); !errors.Is(err, taskflow.ErrLeaseLost) {
		t.Errorf("PutPending of another's row returned %v, want taskflow.ErrLeaseLost", err)
	}
	if got, err := second.LoadPending(t.Context()); err != nil || len(got) != 3 || got[0].Owner != "second" {
		t.Errorf("after that there are %d rows, %v; want the three, the first held by the second instance", len(got), err)
	}
}

func TestOwnersStayWhileAnotherHasTheFileOpen(t *testing.T) {
	t.Parallel()
	path := tempFile(t)
	first := opened(t, path)
	if err := first.PutPending(t.Context(), []taskflow.Record{pendingRecord(1, "first")}); err != nil {
		t.Fatal(err)
	}
	second := opened(t, path)
	owners := func(b *sqlite.Backend) (list []string) {
		waiting, err := b.LoadPending(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range waiting {
			list = append(list, r.Owner)
		}
		return list
	}
	if got := owners(second); !reflect.DeepEqual(got, []string{"first"}) {
		t.Errorf("with the first still open the owners are %q, want first", got)
	}
	for _, b := range []*sqlite.Backend{first, second} {
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if got := owners(opened(t, path)); !reflect.DeepEqual(got, []string{""}) {
		t.Errorf("once all had closed the owners are %q, want none", got)
	}
}

// Each of two that stop at the same time saves its own tasks.
func TestSnapshotsOfTwoHandlesStayApart(t *testing.T) {
	t.Parallel()
	path := tempFile(t)
	first, second := opened(t, path), opened(t, path)
	for _, step := range []struct {
		b    *sqlite.Backend
		n    []int
		want string
	}{{first, []int{1, 2}, "[1 2]"}, {second, []int{3}, "[1 2 3]"}, {first, []int{4}, "[3 4]"}, {second, nil, "[4]"}} {
		var list []taskflow.Record
		for _, n := range step.n {
			list = append(list, pendingRecord(n, ""))
		}
		if _, err := step.b.SavePending(t.Context(), list); err != nil {
			t.Fatal(err)
		}
		waiting, err := second.LoadPending(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, r := range waiting {
			for n := range 5 {
				if r.ID == record(n).ID {
					got = append(got, n)
				}
			}
		}
		if fmt.Sprint(got) != step.want {
			t.Errorf("the waiting tasks are %v, want %s", got, step.want)
		}
	}
}

// A name that one handle deletes with its last record is stored anew by the other, which knew it.
func TestNamesDeletedByAnotherHandle(t *testing.T) {
	t.Parallel()
	path := tempFile(t)
	first, second := opened(t, path), opened(t, path)
	save(t, first, record(1))
	if _, err := second.DeleteBefore(t.Context(), record(2).CreatedAt); err != nil {
		t.Fatal(err)
	}
	other := record(2)
	other.Name = "takes the free id"
	save(t, second, other)
	save(t, first, record(1))
	got, err := second.Get(t.Context(), record(1).ID)
	if err != nil || got.Name != record(1).Name {
		t.Errorf("Get returned the name %q, %v; want %q", got.Name, err, record(1).Name)
	}
}
