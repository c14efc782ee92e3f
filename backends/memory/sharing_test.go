package memory_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
)

func waiting(n int, owner string) taskflow.Record {
	at := time.Date(2026, 1, 1, 0, 0, n, 0, time.UTC)
	lowest, _ := taskflow.IDBounds(at)
	return taskflow.Record{ID: lowest, Name: "greet", Status: taskflow.StatusPending, CreatedAt: at, Owner: owner}
}

// Two managers of one process share a backend; each says in its records who it is.
func TestSnapshotsOfTwoManagersStayApart(t *testing.T) {
	t.Parallel()
	b := memory.New()
	save := func(want int, records ...taskflow.Record) {
		t.Helper()
		if n, err := b.SavePending(t.Context(), records); n != want || err != nil {
			t.Errorf("SavePending returned %d, %v; want %d", n, err, want)
		}
	}
	rows := func(want ...int) {
		t.Helper()
		all, err := b.LoadPending(t.Context())
		if err != nil || len(all) != len(want) {
			t.Errorf("LoadPending returned %d rows, %v; want %v", len(all), err, want)
		}
		for _, n := range want {
			if _, err := b.GetPending(t.Context(), waiting(n, "").ID); err != nil {
				t.Errorf("row %d is gone: %v", n, err)
			}
		}
	}
	save(2, waiting(1, "first"), waiting(2, "first"))
	save(1, waiting(3, "second"))
	rows(1, 2, 3)
	save(1, waiting(4, "first"))
	rows(3, 4)
	save(0)
	rows(3, 4)
	if err := b.PutPending(t.Context(), []taskflow.Record{waiting(5, "first")}); err != nil {
		t.Fatal(err)
	}
	save(1, waiting(5, "second"), waiting(6, "second")) // the first is another's
	rows(4, 5, 6)
}

func TestLeasesKeysAndMessagesEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, ctx := memory.New(), t.Context()
		if err := b.Join(ctx, taskflow.Instance{ID: "one"}, time.Hour); err != nil {
			t.Fatal(err)
		}
		key := taskflow.Reservation{Key: "k", TaskID: waiting(1, "").ID, Owner: "one", Retention: time.Hour}
		if _, err := b.ReserveKey(ctx, key); err != nil {
			t.Fatal(err)
		}
		key.TaskID = waiting(2, "").ID
		_, start, err := b.Receive(ctx, "", 1)
		if err != nil {
			t.Fatal(err)
		}
		left := func() (instances, messages int, holder string) {
			t.Helper()
			if _, err := b.Expire(ctx); err != nil {
				t.Fatal(err)
			}
			all, err := b.Instances(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if err := b.Post(ctx, []byte("hello")); err != nil {
				t.Fatal(err)
			}
			bodies, _, err := b.Receive(ctx, start, 100)
			if err != nil {
				t.Fatal(err)
			}
			holder, err = b.ReserveKey(ctx, key)
			if err != nil {
				t.Fatal(err)
			}
			return len(all), len(bodies), holder
		}
		for _, step := range []struct {
			wait                time.Duration
			instances, messages int
			task                int
		}{
			{0, 1, 1, 1}, {taskflow.MessageRetention, 1, 2, 1}, {time.Second, 1, 2, 1}, {time.Hour - taskflow.MessageRetention - 2*time.Second, 1, 1, 1},
			{time.Second, 0, 2, 2},
		} {
			time.Sleep(step.wait)
			if i, m, h := left(); i != step.instances || m != step.messages || h != waiting(step.task, "").ID {
				t.Errorf("after another %v there are %d instances and %d messages, and %s has the key; want %+v", step.wait, i, m, h, step)
			}
		}
	})
}

func TestWhatCannotBeSharedIsNamed(t *testing.T) {
	t.Parallel()
	b, ctx := memory.New(), t.Context()
	reserve := func(r taskflow.Reservation) error { _, err := b.ReserveKey(ctx, r); return err }
	_, claim := b.Claim(ctx, "", []string{"greet"}, 1)
	_, _, position := b.Receive(ctx, "first", 1)
	for says, err := range map[string]error{
		"the key has 0 bytes":             reserve(taskflow.Reservation{Retention: time.Hour}),
		"the key has 201 bytes":           reserve(taskflow.Reservation{Key: strings.Repeat("k", 201), Retention: time.Hour}),
		"the retention is 0s":             reserve(taskflow.Reservation{Key: "k"}),
		"the message has 65537 bytes":     b.Post(ctx, make([]byte, 65537)),
		`"first" is not a position`:       position,
		"the owner is empty":              claim,
		"the id of the instance is empty": b.Join(ctx, taskflow.Instance{}, time.Hour),
	} {
		if !errors.Is(err, taskflow.ErrInvalidOption) || !strings.Contains(err.Error(), says) {
			t.Errorf("the error is %v, want ErrInvalidOption that says %q", err, says)
		}
	}
}
