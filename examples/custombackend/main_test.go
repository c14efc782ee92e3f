package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/core/backendtest"
)

func opened(t *testing.T, folder string) *Backend {
	t.Helper()
	b, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func TestBackendKeepsTheContract(t *testing.T) {
	t.Parallel()
	open := func(t *testing.T, folder string) taskflow.Backend {
		b, err := Open(folder)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	backendtest.Harness{
		Open: func(t *testing.T) taskflow.Backend { return open(t, t.TempDir()) },
		Reopen: func(t *testing.T, closed taskflow.Backend) taskflow.Backend {
			return open(t, closed.(*Backend).folder)
		},
	}.Run(t)
}

// What is waiting when the first run stops is done by a later one.
func TestTasksWaitForTheNextRun(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	var first bytes.Buffer
	if err := run(t.Context(), folder, &first); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(first.String(), "success"); n != 1 {
		t.Errorf("the first run printed %d successes, want 1:\n%s", n, &first)
	}
	waiting, err := os.ReadFile(filepath.Join(folder, "pending.jsonl"))
	if err != nil || bytes.Count(waiting, []byte("\n")) != 1 || !bytes.Contains(waiting, []byte(`"Grace"`)) {
		t.Errorf("pending.jsonl holds %q (%v), want the greeting of Grace", waiting, err)
	}
	b := opened(t, folder)
	due, err := b.LoadPending(t.Context()) // as if the second had passed
	if err != nil || len(due) != 1 {
		t.Fatalf("LoadPending returned %d records, %v", len(due), err)
	}
	due[0].RunAt = time.Time{}
	if _, err := b.SavePending(t.Context(), due); err != nil {
		t.Fatal(err)
	}
	m, err := taskflow.New(taskflow.WithTasks(greet), taskflow.WithBackend(b))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	done := m.Add(taskflow.WorkOf(greet.With("Joan"))) // Grace is ahead of Joan in the queue, and Stop waits for what runs
	if err := done.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := m.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	var second bytes.Buffer
	if err := list(t.Context(), folder, &second); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Ada", "Grace", "Joan"} {
		if !strings.Contains(second.String(), `greet("`+name+`")  success`) {
			t.Errorf("%s was not greeted:\n%s", name, &second)
		}
	}
}

// A crash in the middle of a write leaves half a line: it is skipped, and the next record begins on a line of its own.
func TestTornLineIsSkipped(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	first := taskflow.Record{ID: taskflow.NewID(at), Name: "a", Status: taskflow.StatusSuccess, CreatedAt: at}
	second := taskflow.Record{ID: taskflow.NewID(at.Add(time.Second)), Name: "b", Status: taskflow.StatusSuccess, CreatedAt: at}
	for _, r := range []taskflow.Record{first, second} {
		b := opened(t, folder)
		if _, err := b.Save(t.Context(), []taskflow.Record{r}); err != nil {
			t.Fatal(err)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := appendLines(b.file("history"), [][]byte{[]byte(`{"task_id":"019`)}); err != nil {
			t.Fatal(err)
		}
	}
	b := opened(t, folder)
	for range 2 {
		got, err := b.Load(t.Context())
		slices.SortFunc(got, func(a, b taskflow.Record) int { return strings.Compare(a.ID, b.ID) })
		if err != nil || !reflect.DeepEqual(got, []taskflow.Record{first, second}) {
			t.Errorf("Load returned %+v, %v; want both sound records", got, err)
		}
		if n, err := b.DeleteBefore(t.Context(), at); n != 0 || err != nil { // writes the file anew
			t.Errorf("DeleteBefore of nothing returned %d, %v", n, err)
		}
	}
}

// What this version cannot read was written by a newer one, maybe: it is not lost by using the folder.
func TestWhatCannotBeReadStays(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	newer := `{"task_id":"019ab1c2-d3e4-7f50-8a1b-2c3d4e5f6071","format":99}` + "\n"
	for _, name := range []string{"history.jsonl", "pending.jsonl"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(newer), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b := opened(t, folder)
	if _, err := b.DeleteBefore(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := b.SavePending(t.Context(), []taskflow.Record{{ID: taskflow.NewID(time.Now()), Name: "a", Status: taskflow.StatusPending}}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"history.jsonl", "pending.jsonl"} {
		if text, err := os.ReadFile(filepath.Join(folder, name)); err != nil || !strings.Contains(string(text), newer) {
			t.Errorf("%s has %q, %v; want the line in it", name, text, err)
		}
	}
}

func TestAFolderHasOneProcess(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	b := opened(t, folder)
	if _, err := Open(folder); err == nil || !strings.Contains(err.Error(), folder) || !strings.Contains(err.Error(), "another process") {
		t.Errorf("opened twice: %v", err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	opened(t, folder)
}

// Keys that are over do not fill the file.
func TestKeysThatAreOverLeaveTheFile(t *testing.T) {
	t.Parallel()
	b := opened(t, t.TempDir())
	for i := range 2100 {
		r := taskflow.Reservation{Key: fmt.Sprint(i), TaskID: "task", Owner: "me", Retention: time.Nanosecond}
		if _, err := b.ReserveKey(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(b.file("keys"))
	if n := strings.Count(string(text), "\n"); err != nil || n >= 2100 || len(b.keys) != n {
		t.Errorf("the file has %d lines, %v; the memory %d keys", n, err, len(b.keys))
	}
}

// testdata/history.jsonl was written by an early version: later ones must read it.
func TestStoredRecordsAreReadByLaterVersions(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS("testdata")); err != nil {
		t.Fatal(err)
	}
	got, err := opened(t, folder).Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at := func(s int) time.Time { return time.Date(2026, 11, 23, 19, 0, s, 123456789, time.UTC) }
	want := []taskflow.Record{{
		ID: "019ab1c2-d3e4-7f50-8a1b-2c3d4e5f6071", Name: "send_email", Status: taskflow.StatusFailed, Closure: true, Source: taskflow.SourceRetry,
		Pool: "mail", Priority: -3, Tags: map[string]string{"user": "7", "": "é"}, CreatedAt: at(0), RunAt: at(1), StartTime: at(2), EndTime: at(4),
		Attempts: 3, MaxRetries: 5, RetryOf: "019ab1c2-0000-7000-8000-000000000000", RetriedBy: "019ab1c2-ffff-7000-8000-000000000000",
		Error: "smtp: 550", Stack: "goroutine 1 [running]:", Logs: []string{"a", ""}, LogCount: 2, Args: json.RawMessage(`{"to":"ada@example.org"}`),
		Requeue: true, Durable: true, Owner: "4e5f6071",
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Load returned\n%+v, want\n%+v", got, want)
	}
}
