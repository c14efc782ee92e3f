package redis_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/redis"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/internal/testserver"
)

// pair returns two handles to the same data.
func pair(t *testing.T, opts ...redis.Option) (first, second *redis.Backend) {
	t.Helper()
	url, opts := testserver.SharedRedis(t).URL, append(opts, redis.Prefix(newPrefix()))
	return opened(t, url, opts...), opened(t, url, opts...)
}

// unfinished returns "id's last digits:owner" of all pending rows, in order.
func unfinished(t *testing.T, b *redis.Backend) string {
	t.Helper()
	waiting, err := b.LoadPending(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, r := range waiting {
		list = append(list, strings.TrimLeft(r.ID[24:], "0")+":"+r.Owner)
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

// An instance that stops late must not take back what another one runs by now.
func TestASnapshotLeavesWhatAnotherInstanceHolds(t *testing.T) {
	t.Parallel()
	first, second := pair(t)
	list := []taskflow.Record{pending(1, "first"), pending(2, "first"), pending(3, "first")}
	for i := range list {
		list[i].Name = fmt.Sprint("task", i+1)
	}
	if n, err := first.SavePending(t.Context(), list); n != 3 || err != nil {
		t.Fatalf("SavePending returned %d, %v", n, err)
	}
	if got, err := second.Claim(t.Context(), "second", []string{"task1"}, 5); len(got) != 1 || err != nil {
		t.Fatalf("Claim returned %v, %v", got, err)
	}
	if got, err := first.Claim(t.Context(), "first", []string{"task2"}, 5); len(got) != 1 || err != nil {
		t.Fatalf("Claim returned %v, %v", got, err)
	}
	for i := range list {
		list[i].Attempts = 7
	}
	if n, err := first.SavePending(t.Context(), list); n != 2 || err != nil {
		t.Errorf("SavePending of a row of its own, a free one and another's returned %d, %v; want 2", n, err)
	}
	if got := unfinished(t, second); got != "1:second 2: 3:" {
		t.Errorf("the rows are %q", got)
	}
	if r, err := second.GetPending(t.Context(), list[0].ID); err != nil || r.Attempts != 0 {
		t.Errorf("another's row has %d attempts, %v; want it unchanged", r.Attempts, err)
	}
	if err := first.PutPending(t.Context(), []taskflow.Record{pending(4, "first"), pending(1, "first")}); !errors.Is(err, taskflow.ErrLeaseLost) {
		t.Errorf("PutPending of another's row returned %v, want ErrLeaseLost", err)
	}
	if got := unfinished(t, second); got != "1:second 2: 3:" {
		t.Errorf("after that the rows are %q", got)
	}
}

// Each of two that stop at the same time saves its own tasks.
func TestSnapshotsOfTwoHandlesStayApart(t *testing.T) {
	t.Parallel()
	first, second := pair(t)
	for _, step := range []struct {
		b    *redis.Backend
		n    []int
		want string
	}{{first, []int{1, 2}, "1: 2:"}, {second, []int{3}, "1: 2: 3:"}, {first, []int{4}, "3: 4:"}, {second, nil, "4:"}, {first, nil, ""}} {
		var list []taskflow.Record
		for _, n := range step.n {
			list = append(list, pending(n, ""))
		}
		if n, err := step.b.SavePending(t.Context(), list); n != len(list) || err != nil {
			t.Fatalf("SavePending of %v returned %d, %v", step.n, n, err)
		}
		if got := unfinished(t, first); got != step.want {
			t.Errorf("after SavePending of %v the rows are %q, want %q", step.n, got, step.want)
		}
	}
}

// What another instance has had, and lost, is not the first one's any more, although nobody holds it.
func TestASnapshotLeavesWhatAnotherInstanceHasHeld(t *testing.T) {
	t.Parallel()
	first, second := pair(t)
	if n, err := first.SavePending(t.Context(), []taskflow.Record{pending(1, "first"), pending(2, "first")}); n != 2 || err != nil {
		t.Fatalf("SavePending returned %d, %v", n, err)
	}
	if got, err := second.Claim(t.Context(), "second", []string{"send_email"}, 1); len(got) != 1 || err != nil {
		t.Fatalf("Claim returned %v, %v", got, err)
	}
	if _, err := second.Expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, err := first.SavePending(t.Context(), nil); n != 0 || err != nil {
		t.Errorf("SavePending of nothing returned %d, %v", n, err)
	}
	if got := unfinished(t, first); got != "1:" {
		t.Errorf("the rows are %q; want the one that was claimed meanwhile", got)
	}
}

// What another instance has finished must not run again, because this one stops late and believes that it waits.
func TestASnapshotLeavesFinishedTasksOut(t *testing.T) {
	t.Parallel()
	first, second := pair(t)
	save(t, second, record(1))
	if n, err := first.SavePending(t.Context(), []taskflow.Record{pending(1, "first"), pending(2, "first")}); n != 1 || err != nil {
		t.Errorf("SavePending of a finished task and another returned %d, %v; want 1", n, err)
	}
	if got := unfinished(t, first); got != "2:" {
		t.Errorf("the rows are %q, want 2", got)
	}
}

// Large arguments move along with their row, and away with it.
func TestLongDetailsFollowTheirRows(t *testing.T) {
	t.Parallel()
	b := shared(t)
	large, small := json.RawMessage(`"`+strings.Repeat("x", 5000)+`"`), json.RawMessage(`"y"`)
	r := pending(1, "me")
	for _, args := range []json.RawMessage{large, nil, small, large, small, large} {
		r.Args = args
		put(t, b, r)
		if got, err := b.GetPending(t.Context(), r.ID); err != nil || string(got.Args) != string(args) {
			t.Errorf("the pending row has %d bytes of arguments, %v; want %d", len(got.Args), err, len(args))
		}
	}
	if _, err := b.Expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	rows, err := b.Claim(t.Context(), "heir", []string{r.Name}, 1)
	if err != nil || len(rows) != 1 || string(rows[0].Args) != string(large) {
		t.Fatalf("Claim returned %d rows, %v; want one with its arguments", len(rows), err)
	}
	done := record(1)
	for _, args := range []json.RawMessage{large, nil, small, large, nil} {
		done.Args = args
		save(t, b, done)
		if got, err := b.Get(t.Context(), r.ID); err != nil || string(got.Args) != string(args) {
			t.Errorf("the record has %d bytes of arguments, %v; want %d", len(got.Args), err, len(args))
		}
	}
	done.Args = large
	save(t, b, done)
	if n, err := b.DeleteBefore(t.Context(), base.Add(time.Hour)); n != 1 || err != nil {
		t.Errorf("DeleteBefore returned %d, %v", n, err)
	}
	if left := leftOver(t, b); left != "" {
		t.Errorf("after everything was deleted these keys are left:\n%s", left)
	}
}

// leftOver lists the keys of a backend but those that are meant to stay: the version, totals, and the names and owners that rows had.
func leftOver(t *testing.T, b *redis.Backend) string {
	t.Helper()
	keys, err := redis.Client(b).Keys(t.Context(), redis.Base(b)+"*").Result()
	if err != nil {
		t.Fatal(err)
	}
	keys = slices.DeleteFunc(keys, func(key string) bool {
		return slices.Contains([]string{"version", "totals", "names", "owners"}, strings.TrimPrefix(key, redis.Base(b)))
	})
	slices.Sort(keys)
	return strings.Join(keys, "\n")
}

// Whatever records were, no index keeps anything of them once they are gone.
func TestNothingIsLeftOfWhatIsDeleted(t *testing.T) {
	t.Parallel()
	b := shared(t)
	list := records(0, 1200)
	for i := range list {
		r := &list[i]
		r.Name, r.Status, r.Source = fmt.Sprint("name", i%3), taskflow.Statuses()[2+i%4], []string{"manual", "retry", "scheduled"}[i%3]
		r.Tags = map[string]string{"a:b": fmt.Sprint(i % 7), "": "c", "empty": ""}
	}
	save(t, b, list...)
	for i := range list { // as something else
		r := &list[i]
		r.Name, r.Status, r.Source, r.Tags = "other", taskflow.StatusFailed, "manual", map[string]string{"a": fmt.Sprint("b:", i%7)}
	}
	save(t, b, list[:600]...)
	if n, err := b.DeleteBefore(t.Context(), base.Add(time.Hour)); n != 1200 || err != nil {
		t.Errorf("DeleteBefore returned %d, %v; want 1200", n, err)
	}
	if left := leftOver(t, b); left != "" {
		t.Errorf("these keys are left:\n%s", left)
	}
	for field, n := range redis.Client(b).HGetAll(t.Context(), redis.Base(b)+"totals").Val() {
		if n != "0" {
			t.Errorf("the total %s is %s, want 0", field, n)
		}
	}
}

func TestSlotsToTheMicrosecond(t *testing.T) {
	t.Parallel()
	b := shared(t)
	for _, step := range []struct {
		at   time.Time
		want bool
	}{
		{time.Date(-5000, 1, 1, 0, 0, 0, 0, time.UTC), true},
		{time.Date(1969, 12, 31, 23, 59, 59, 999_999_000, time.UTC), true},
		{time.Unix(0, 0), true},
		{time.Unix(0, 999), false},
		{time.Unix(0, 1000), true},
		{base, true},
		{base.In(time.FixedZone("x", 3600)), false},
		{base.Add(time.Nanosecond), false},
		{base.Add(time.Microsecond), true},
		{time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), true},
		{time.Date(9999, 1, 1, 0, 0, 0, 1000, time.UTC), true},
		{base, false},
	} {
		if taken, err := b.TakeSlot(t.Context(), "s", step.at); taken != step.want || err != nil {
			t.Errorf("TakeSlot at %v returned %v, %v; want %v", step.at, taken, err, step.want)
		}
	}
}

func TestAuditTrailKeepsItsNewest(t *testing.T) {
	t.Parallel()
	b := shared(t, redis.KeepAudits(200))
	for n := range 450 {
		if err := b.AppendAudit(t.Context(), taskflow.AuditEntry{ID: record(n).ID, Time: base, Action: "login"}); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := b.Audit(t.Context(), "", 1000)
	if err != nil || len(entries) < 200 || len(entries) > 202 || entries[0].ID != record(449).ID {
		t.Errorf("Audit returned %d entries, the first %s, %v; want the newest 200, and two more at most", len(entries), entries[0].ID, err)
	}
}
