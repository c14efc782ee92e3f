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

// More rows than one step frees, of an instance that leaves and of one that dies.
func TestManyRowsAreFreedInSteps(t *testing.T) {
	t.Parallel()
	first, second := pair(t, redis.FreedAtOnce(10))
	for _, id := range []string{"one", "two"} {
		if err := first.Join(t.Context(), taskflow.Instance{ID: id}, time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	if err := first.Join(t.Context(), taskflow.Instance{ID: "alive"}, time.Hour); err != nil {
		t.Fatal(err)
	}
	var list []taskflow.Record
	for n := range 90 {
		list = append(list, pending(n, []string{"one", "two", "alive"}[n%3]))
	}
	put(t, first, list...)
	if err := first.Leave(t.Context(), "one"); err != nil {
		t.Fatal(err)
	}
	free := func() int { return strings.Count(unfinished(t, second)+" ", ": ") }
	if n := free(); n != 30 {
		t.Errorf("after Leave %d rows are free, want 30", n)
	}
	dead, err := expired(t, second)
	if err != nil || !slices.Equal(dead, []string{"two"}) {
		t.Errorf("Expire returned %q, %v; want the second", dead, err)
	}
	if n := free(); n != 60 {
		t.Errorf("after Expire %d rows are free, want 60", n)
	}
	rows, err := second.Claim(t.Context(), "alive", []string{"send_email"}, 100)
	if err != nil || len(rows) != 60 || !slices.IsSorted(ids(rows)) {
		t.Errorf("Claim returned %d rows, %v; want 60 in order", len(rows), err)
	}
}

// What a call that failed in the middle has not freed, the next one frees, although the instance has been removed; who has come back keeps what
// it has.
func TestExpireGoesOnAfterAFailure(t *testing.T) {
	t.Parallel()
	server := testserver.SharedRedis(t)
	p, prefix := newProxy(t, server.Addr), redis.Prefix(newPrefix())
	b := opened(t, "redis://"+p.addr, prefix, redis.FreedAtOnce(10))
	other := opened(t, server.URL, prefix, redis.FreedAtOnce(10))
	for n := range 15 {
		put(t, other, pending(100+n, "gone"))
	}
	if _, err := other.Expire(t.Context()); err != nil { // in two steps: the server has the scripts from here on
		t.Fatal(err)
	}
	for n := range 40 {
		put(t, other, pending(n, "gone"))
	}
	p.loseAnswerTo("\r\ngone\r\n") // the second step is told the owner
	if _, err := b.Expire(t.Context()); !errors.Is(err, redis.ErrUnavailable) {
		t.Fatalf("Expire whose answer is lost returned %v, want ErrUnavailable", err)
	}
	free := func() int { return strings.Count(unfinished(t, other)+" ", ": ") }
	if n := free(); n != 35 {
		t.Fatalf("%d rows are free after two steps of ten, want these and the 15 from before", n)
	}
	if err := other.Join(t.Context(), taskflow.Instance{ID: "gone"}, time.Hour); err != nil {
		t.Fatal(err)
	}
	before := free()
	if _, err := other.Expire(t.Context()); err != nil || free() != before {
		t.Errorf("Expire (%v) left %d rows free: those of an instance that has come back are its own, %d were free before", err, free(), before)
	}
	if err := other.Leave(t.Context(), "gone"); err != nil || free() != 55 {
		t.Errorf("after Leave (%v) %d rows are free, want all 55", err, free())
	}
	if left := redis.Client(other).SMembers(t.Context(), redis.Base(other)+"releasing").Val(); len(left) != 0 {
		t.Errorf("%q are still being released", left)
	}
}

// expired calls Expire until a lease is over.
func expired(t *testing.T, b *redis.Backend) (dead []string, err error) {
	t.Helper()
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for len(dead) == 0 && err == nil && t.Context().Err() == nil {
		<-again.C
		dead, err = b.Expire(t.Context())
	}
	return dead, err
}

// A claim that was made and whose answer was lost is told by the next one: nobody else could take the rows.
func TestLostAnswerToAClaim(t *testing.T) {
	t.Parallel()
	server := testserver.SharedRedis(t)
	p, prefix := newProxy(t, server.Addr), newPrefix()
	b := opened(t, "redis://"+p.addr, redis.Prefix(prefix))
	other := opened(t, server.URL, redis.Prefix(prefix))
	put(t, b, pending(1, ""), pending(2, ""), pending(3, ""))
	if rows, err := b.Claim(t.Context(), "me", []string{"send_email"}, 1); len(rows) != 1 || err != nil { // the server has the scripts from here on
		t.Fatalf("Claim returned %d rows, %v", len(rows), err)
	}
	// only the script that claims is given the owner
	p.loseAnswerTo("\r\nme\r\n")
	if rows, err := b.Claim(t.Context(), "me", []string{"send_email"}, 5); len(rows) != 0 || !errors.Is(err, redis.ErrUnavailable) {
		t.Fatalf("Claim whose answer is lost returned %d rows, %v; want ErrUnavailable", len(rows), err)
	}
	if p.losses() != 1 || unfinished(t, other) != "1:me 2:me 3:me" {
		t.Fatalf("%d answers were lost, the rows are %s: the claim was to be made", p.losses(), unfinished(t, other))
	}
	put(t, other, pending(4, ""))
	for _, want := range []struct {
		limit int
		ids   string
	}{{1, "2"}, {5, "3 4"}, {5, ""}} {
		rows, err := b.Claim(t.Context(), "me", []string{"send_email"}, want.limit)
		var got []string
		for _, r := range rows {
			got = append(got, strings.TrimLeft(r.ID[24:], "0"))
			if r.Owner != "me" {
				t.Errorf("%s has the owner %q", r.ID, r.Owner)
			}
		}
		if err != nil || strings.Join(got, " ") != want.ids {
			t.Errorf("Claim with limit %d returned %q, %v; want %q", want.limit, got, err, want.ids)
		}
	}
}

// A client that tries again by itself must not hear that somebody else has taken what its first try has.
func TestLostAnswersAndAClientThatRetries(t *testing.T) {
	t.Parallel()
	p := newProxy(t, testserver.SharedRedis(t).Addr)
	b := opened(t, "redis://"+p.addr+"?max_retries=3", redis.Prefix(newPrefix()))
	for i, slot := range []time.Time{base, base.Add(time.Microsecond)} {
		if i == 1 {
			p.loseAnswerTo("nightly")
		}
		if taken, err := b.TakeSlot(t.Context(), "nightly", slot); !taken || err != nil {
			t.Errorf("TakeSlot returned %v, %v; want true", taken, err)
		}
	}
	if taken, err := b.TakeSlot(t.Context(), "nightly", base.Add(time.Microsecond)); taken || err != nil {
		t.Errorf("TakeSlot of the same slot again returned %v, %v; want false", taken, err)
	}
	r := taskflow.Reservation{Key: "the key", TaskID: record(1).ID, Owner: "me", Retention: time.Hour}
	for i := range 2 {
		if r.Key = fmt.Sprint("key", i); i == 1 {
			p.loseAnswerTo(r.Key)
		}
		if holder, err := b.ReserveKey(t.Context(), r); holder != r.TaskID || err != nil {
			t.Errorf("ReserveKey returned %q, %v; want the task", holder, err)
		}
	}
	if p.losses() != 2 {
		t.Errorf("%d answers were lost, want 2", p.losses())
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
