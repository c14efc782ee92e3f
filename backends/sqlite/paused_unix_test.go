//go:build unix

package sqlite_test

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// A process that is stopped keeps its lock, but not its lease; what it does when it goes on changes nothing.
func TestAPausedInstanceIsFenced(t *testing.T) {
	t.Parallel()
	path := tempFile(t)
	b := opened(t, path)
	join(t, b, "survivor")
	child := startJoiner(t, path)
	if got := child.tell("join for a moment"); got != "<nil>" {
		t.Fatalf("Join: %s", got)
	}
	if err := child.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(10 * time.Second)
	var gone []string
	for len(gone) == 0 && time.Now().Before(deadline) {
		gone = expire(t, b)
	}
	if !slices.Equal(gone, []string{"child"}) {
		t.Fatalf("Expire removed %q once the lease of a paused instance was over, want it", gone)
	}
	got, err := b.Claim(t.Context(), "survivor", []string{record(0).Name}, 10)
	if err != nil || len(got) != 1 {
		t.Fatalf("Claim returned %d rows, %v; want that of the paused instance", len(got), err)
	}
	if err := child.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if got := child.tell("renew"); !strings.Contains(got, taskflow.ErrLeaseLost.Error()) {
		t.Errorf("Renew by the instance that goes on returned %s, want ErrLeaseLost", got)
	}
	if got := child.tell("finish"); got != "0 <nil>" {
		t.Errorf("Save by the instance that goes on returned %s, want that nothing is written", got)
	}
	if got := child.tell("join for an hour"); got != "<nil>" {
		t.Errorf("Join by the instance that goes on returned %s", got)
	}
	if gone := expire(t, b); len(gone) != 0 {
		t.Errorf("Expire removed %q, which have joined", gone)
	}
	child.kill()
	if gone := expire(t, b); !slices.Equal(gone, []string{"child"}) {
		t.Errorf("Expire removed %q after the death of the process, want child", gone)
	}
}
