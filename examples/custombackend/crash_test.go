package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// folderEnv makes this test binary a process that uses a folder until it is killed.
const folderEnv = "TASKFLOW_CUSTOMBACKEND_FOLDER"

func TestMain(m *testing.M) {
	if folder := os.Getenv(folderEnv); folder != "" {
		if err := victim(folder); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// hang runs until its context ends.
var hang = taskflow.Define("hang", func(ctx context.Context, _ string) error {
	<-ctx.Done()
	return ctx.Err()
})

func manager(folder string) (*taskflow.Manager, error) {
	b, err := Open(folder)
	if err != nil {
		return nil, err
	}
	return taskflow.New(taskflow.WithTasks(hang, greet), taskflow.WithBackend(b))
}

// victim submits a task that runs and one that waits, prints their ids, and waits for its end.
func victim(folder string) error {
	m, err := manager(folder)
	if err != nil {
		return err
	}
	ctx := context.Background()
	if err := m.Start(ctx); err != nil {
		return err
	}
	running, err := m.Submit(ctx, hang.With("x"))
	if err != nil {
		return err
	}
	waiting, err := m.Submit(ctx, greet.With("Grace"), taskflow.Delay(time.Second), taskflow.IdempotencyKey("order 7"))
	if err != nil {
		return err
	}
	fmt.Println(running.ID(), waiting.ID())
	_, err = io.Copy(io.Discard, os.Stdin) // ends with the test, at the latest
	return err
}

// What Submit has returned outlives SIGKILL: the next process finds what was running interrupted, and does what was waiting, once.
func TestAKilledProcessLosesNothing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), folderEnv+"="+folder)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var running, waiting string
	if _, err := fmt.Fscan(bufio.NewReader(stdout), &running, &waiting); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(folder); err == nil {
		t.Error("opened while another process uses it")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	var killed *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &killed) {
		t.Fatalf("the process ended with %v", err)
	}

	m, err := manager(folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	again, err := m.Submit(t.Context(), greet.With("Grace"), taskflow.IdempotencyKey("order 7"))
	if err != nil || !again.Duplicate() || again.ID() != waiting {
		t.Errorf("the key gave task %s, duplicate %t, %v; want %s, which has it", again.ID(), again.Duplicate(), err, waiting)
	}
	if err := again.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	if r, err := m.Get(t.Context(), running); err != nil || r.Status != taskflow.StatusInterrupted {
		t.Errorf("what was running is %s, %v", r.Status, err)
	}
	if err := m.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}
