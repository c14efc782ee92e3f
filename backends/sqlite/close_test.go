package sqlite_test

import (
	"errors"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/sqlite"
)

// soon returns what f returns, unless it hangs.
func soon(t *testing.T, what string, f func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- f() }() // a failing test leaves it behind
	select {
	case err := <-done:
		return err
	case <-time.After(3 * time.Second): // less than the busy time-out of Open
		t.Fatalf("%s hangs", what)
		return nil
	}
}

func TestCallsDuringCloseFailAtOnce(t *testing.T) {
	t.Parallel()
	b := sqlite.Open(tempFile(t))
	if err := b.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	save(t, b, record(1))
	reading, goOn := make(chan struct{}), make(chan struct{})
	read, closed := make(chan error, 1), make(chan error, 1)
	go func() { // ends once goOn is closed, awaited below
		read <- b.Rows(t.Context(), "SELECT id FROM history", func() { close(reading); <-goOn })
	}()
	<-reading
	go func() { closed <- b.Close() }() // awaited below
	load := func() error { _, err := b.Load(t.Context()); return err }
	for err := error(nil); !errors.Is(err, sqlite.ErrClosed); { // from the moment at which Close has begun
		if err = soon(t, "Load during Close", load); err != nil && !errors.Is(err, sqlite.ErrClosed) {
			t.Fatalf("Load during Close returned %v, want ErrClosed", err)
		}
	}
	select {
	case err := <-closed:
		t.Errorf("Close returned %v and did not wait for the call in progress", err)
	default:
	}
	if err := soon(t, "another Close", b.Close); err != nil {
		t.Errorf("another Close returned %v", err)
	}
	close(goOn)
	if err := <-read; err != nil {
		t.Errorf("the call in progress ended with %v", err)
	}
	if err := <-closed; err != nil {
		t.Errorf("Close returned %v", err)
	}
}

func TestCallsDuringOpenDoNotWaitForIt(t *testing.T) {
	t.Parallel()
	path := tempFile(t)
	if err := opened(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path + ".lock"); err != nil {
		t.Fatal(err)
	}
	other := raw(t, path)
	execute(t, other, "BEGIN IMMEDIATE") // what Open waits for
	b := sqlite.Open(path, sqlite.BusyTimeout(time.Minute))
	open, closed := make(chan error, 1), make(chan error, 1)
	go func() { open <- b.Open(t.Context()) }() // awaited below
	deadline := time.Now().Add(10 * time.Second)
	for begun := false; !begun; {
		_, err := os.Stat(path + ".lock")
		if begun = err == nil; !begun && (!errors.Is(err, fs.ErrNotExist) || time.Now().After(deadline)) {
			t.Fatalf("Open has not begun: %v", err)
		}
	}
	if err := soon(t, "Load during Open", func() error { _, err := b.Load(t.Context()); return err }); !errors.Is(err, sqlite.ErrNotOpen) {
		t.Errorf("Load during Open returned %v, want ErrNotOpen", err)
	}
	if err := soon(t, "another Open", func() error { return b.Open(t.Context()) }); err == nil {
		t.Error("another Open returned no error")
	}
	go func() { closed <- b.Close() }() // awaited below
	isClosed := func() error { _, err := b.Load(t.Context()); return err }
	for err := error(nil); !errors.Is(err, sqlite.ErrClosed); {
		err = soon(t, "Load during Close", isClosed)
	}
	execute(t, other, "ROLLBACK")
	if err := <-open; !errors.Is(err, sqlite.ErrClosed) {
		t.Errorf("Open returned %v though Close had come, want ErrClosed", err)
	}
	if err := <-closed; err != nil {
		t.Errorf("Close returned %v", err)
	}
	save(t, opened(t, path), record(1)) // nobody holds the file
}
