// This program shows a backend of one's own: backend.go keeps records as lines of JSON, in the six methods that
// taskflow.Backend asks for, and each of the other files adds one of the capabilities that are optional. Each run adds a task that is
// done at once and one that is still waiting when the program stops, or is killed; the next run does what the one before left.
//
//	go run ./examples/custombackend
//	go run ./examples/custombackend
//
// The guide docs/backends.md walks through the code.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

var greet = taskflow.Define("greet", func(_ context.Context, name string) error {
	if name == "" {
		return taskflow.Permanent(fmt.Errorf("nobody to greet"))
	}
	return nil
})

func main() {
	folder := flag.String("folder", filepath.Join(os.TempDir(), "taskflow-custombackend"), "where to keep the records")
	flag.Parse()
	if err := run(context.Background(), *folder, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, folder string, out io.Writer) error {
	backend, err := Open(folder)
	if err != nil {
		return err
	}
	m, err := taskflow.New(taskflow.WithTasks(greet), taskflow.WithBackend(backend))
	if err != nil {
		return err
	}
	if err := m.Start(ctx); err != nil {
		return err
	}
	done := m.Add(taskflow.WorkOf(greet.With("Ada")))
	later, err := m.Submit(ctx, greet.With("Grace"), taskflow.Delay(2*time.Second))
	if err != nil {
		return err
	}
	if err := done.Wait(ctx); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(out, "waiting for the next run: %s\n", later.ID()); err != nil {
		return err
	}
	if err := m.Stop(ctx); err != nil {
		return err
	}
	return list(ctx, folder, out)
}

// list prints the history, as it is on the disk.
func list(ctx context.Context, folder string, out io.Writer) error {
	backend, err := Open(folder)
	if err != nil {
		return err
	}
	records, err := backend.Load(ctx)
	if err != nil {
		return err
	}
	for _, r := range records {
		if _, err := fmt.Fprintf(out, "%s  %s(%s)  %s\n", r.ID, r.Name, r.Args, r.Status); err != nil {
			return err
		}
	}
	return backend.Close()
}
