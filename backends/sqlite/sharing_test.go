package sqlite_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// number returns the first column of the only row.
func number(t *testing.T, path, sql string) (n int) {
	t.Helper()
	if err := raw(t, path).QueryRowContext(t.Context(), sql).Scan(&n); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return n
}

func TestOldMessagesGo(t *testing.T) {
	t.Parallel()
	path := tempFile(t)
	b := opened(t, path)
	receive := func(after string) (got []string, position string) {
		bodies, position, err := b.Receive(t.Context(), after, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, body := range bodies {
			got = append(got, string(body))
		}
		return got, position
	}
	post := func(bodies ...string) {
		for _, body := range bodies {
			if err := b.Post(t.Context(), []byte(body)); err != nil {
				t.Fatal(err)
			}
		}
	}
	age := func(d time.Duration) {
		execute(t, raw(t, path), fmt.Sprintf("UPDATE message SET posted = posted - %d", d.Microseconds()))
	}
	_, start := receive("")
	post("a", "b", "c")
	age(taskflow.MessageRetention - 10*time.Second)
	post("d")
	if got, _ := receive(start); strings.Join(got, "") != "abcd" {
		t.Errorf("before their retention is over Receive returned %q, want all four", got)
	}
	age(11 * time.Second)
	post("e")
	got, position := receive(start)
	if strings.Join(got, "") != "de" {
		t.Errorf("once the retention of the first three was over Receive returned %q, want the other two", got)
	}
	age(time.Hour)
	post("f") // all before it go, and yet its number is new
	if got, _ := receive(position); strings.Join(got, "") != "f" {
		t.Errorf("Receive returned %q, want the message that was posted since", got)
	}
	if n := number(t, path, "SELECT count(*) FROM message"); n != 1 {
		t.Errorf("%d messages are stored, want the newest only", n)
	}
}

func TestKeysThatHaveEndedGo(t *testing.T) {
	t.Parallel()
	path := tempFile(t)
	b := opened(t, path)
	join(t, b, "adder")
	for n := range 250 {
		r := taskflow.Reservation{Key: fmt.Sprintf("key %d", n), TaskID: record(n).ID, Owner: "adder", Retention: time.Hour}
		if _, err := b.ReserveKey(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	execute(t, raw(t, path), "UPDATE idempotency_key SET expires = expires - 3600000000")
	for n := range 3 {
		r := taskflow.Reservation{Key: fmt.Sprintf("later %d", n), TaskID: record(n).ID, Owner: "adder", Retention: time.Hour}
		if _, err := b.ReserveKey(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if n := number(t, path, "SELECT count(*) FROM idempotency_key"); n != 3 {
		t.Errorf("%d keys are stored, want the 3 whose retention is not over", n)
	}
}

func TestWhatCannotBeSharedIsNamed(t *testing.T) {
	t.Parallel()
	b := opened(t, tempFile(t))
	good := taskflow.Reservation{Key: "key", TaskID: record(1).ID, Owner: "me", Retention: time.Hour}
	reserve := func(change func(*taskflow.Reservation)) error {
		r := good
		change(&r)
		_, err := b.ReserveKey(t.Context(), r)
		return err
	}
	_, _, position := b.Receive(t.Context(), "first", 1)
	for says, err := range map[string]error{
		"the key has 0 bytes":         reserve(func(r *taskflow.Reservation) { r.Key = "" }),
		"the key has 201 bytes":       reserve(func(r *taskflow.Reservation) { r.Key = strings.Repeat("k", 201) }),
		"retention is 0s":             reserve(func(r *taskflow.Reservation) { r.Retention = 0 }),
		`"no id" is not a task id`:    reserve(func(r *taskflow.Reservation) { r.TaskID = "no id" }),
		"the message has 65537 bytes": b.Post(t.Context(), make([]byte, 65537)),
		`"first" is not a position`:   position,
	} {
		if !errors.Is(err, taskflow.ErrInvalidOption) || !strings.Contains(err.Error(), says) {
			t.Errorf("the error is %v, want ErrInvalidOption that says %q", err, says)
		}
	}
}
