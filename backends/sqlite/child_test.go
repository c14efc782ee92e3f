package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/sqlite"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// The variables that make the test binary another process on the same file.
const (
	childFile = "TASKFLOW_SQLITE_CHILD"
	childRole = "TASKFLOW_SQLITE_CHILD_ROLE"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childFile); path != "" {
		fail := func(err error) {
			if err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
		}
		b := sqlite.Open(path)
		fail(b.Open(context.Background()))
		if os.Getenv(childRole) == "joins" {
			childJoins(b, fail)
		} else {
			childSaves(b, fail)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// childSaves saves and journals for ever, and prints what has been accepted.
func childSaves(b *sqlite.Backend, fail func(error)) {
	ctx := context.Background()
	for n := 0; ; n += 2 {
		fail(b.PutPending(ctx, []taskflow.Record{pendingRecord(n, "child"), pendingRecord(n+1, "child")}))
		_, err := b.Save(ctx, records(n, n+1))
		fail(err)
		fmt.Println(n)
	}
}

// childJoins is an instance that holds a task. Each line of its input is the word for something to do, and each line of its output the
// result.
func childJoins(b *sqlite.Backend, fail func(error)) {
	ctx := context.Background()
	fail(b.PutPending(ctx, []taskflow.Record{pendingRecord(0, "child")}))
	for words := bufio.NewScanner(os.Stdin); words.Scan(); {
		switch words.Text() {
		case "join for an hour":
			fmt.Println(b.Join(ctx, taskflow.Instance{ID: "child"}, time.Hour))
		case "join for a moment":
			fmt.Println(b.Join(ctx, taskflow.Instance{ID: "child"}, time.Millisecond))
		case "renew":
			fmt.Println(b.Renew(ctx, taskflow.Instance{ID: "child"}, time.Hour))
		case "finish":
			r := record(0)
			r.Owner = "child"
			n, err := b.Save(ctx, []taskflow.Record{r})
			fmt.Println(n, err)
		}
	}
}

// joiner is a process that runs childJoins.
type joiner struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func startJoiner(t *testing.T, path string) *joiner {
	t.Helper()
	j := &joiner{t: t, cmd: exec.CommandContext(t.Context(), os.Args[0])}
	j.cmd.Env = append(os.Environ(), childFile+"="+path, childRole+"=joins")
	in, err := j.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := j.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	j.in, j.out = in, bufio.NewScanner(out)
	if err := j.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return j
}

// tell has the process do something and returns the result.
func (j *joiner) tell(what string) string {
	j.t.Helper()
	if _, err := io.WriteString(j.in, what+"\n"); err != nil {
		j.t.Fatal(err)
	}
	if !j.out.Scan() {
		j.t.Fatalf("the process has ended: %v", j.out.Err())
	}
	return j.out.Text()
}

// kill ends the process as the kernel does when memory is short.
func (j *joiner) kill() {
	j.t.Helper()
	if err := j.cmd.Process.Kill(); err != nil {
		j.t.Fatal(err)
	}
	if err := j.cmd.Wait(); err == nil {
		j.t.Fatal("the process ended by itself")
	}
}
