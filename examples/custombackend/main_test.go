package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/core/backendtest"
)

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
	b, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
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
	b, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	first := taskflow.Record{ID: taskflow.NewID(at), Name: "a", Status: taskflow.StatusSuccess, CreatedAt: at}
	second := taskflow.Record{ID: taskflow.NewID(at.Add(time.Second)), Name: "b", Status: taskflow.StatusSuccess, CreatedAt: at}
	if _, err := b.Save(t.Context(), []taskflow.Record{first}); err != nil {
		t.Fatal(err)
	}
	if err := appendLines(b.file("history"), []byte(`{"task_id":"019`)); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Save(t.Context(), []taskflow.Record{second}); err != nil {
		t.Fatal(err)
	}
	got, err := b.Load(t.Context())
	if err != nil || !reflect.DeepEqual(got, []taskflow.Record{first, second}) {
		t.Errorf("Load returned %+v, %v; want both sound records", got, err)
	}
}

// testdata/history.jsonl was written by this version: later ones must read it.
func TestStoredRecordsAreReadByLaterVersions(t *testing.T) {
	t.Parallel()
	b, err := Open("testdata")
	if err != nil {
		t.Fatal(err)
	}
	got, err := b.Load(t.Context())
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
