package redis_test

import (
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

func TestExpireEndsALeaveThatFailed(t *testing.T) {
	t.Parallel()
	server := testserver.SharedRedis(t)
	p, prefix := newProxy(t, server.Addr), redis.Prefix(newPrefix())
	b := opened(t, "redis://"+p.addr, prefix, redis.FreedAtOnce(10))
	other := opened(t, server.URL, prefix)
	leave := func() error {
		if err := other.Join(t.Context(), taskflow.Instance{ID: "gone"}, time.Hour); err != nil {
			t.Fatal(err)
		}
		for n := range 40 {
			put(t, other, pending(n, "gone"))
		}
		return b.Leave(t.Context(), "gone")
	}
	if err := leave(); err != nil { // the server has the scripts from here on
		t.Fatal(err)
	}
	if err := other.ClearPending(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.loseAnswerTo("\r\n" + record(9).ID + "\r\n") // the second step goes on after that
	if err := leave(); !errors.Is(err, redis.ErrUnavailable) {
		t.Fatalf("Leave whose answer is lost returned %v, want ErrUnavailable", err)
	}
	if n := strings.Count(unfinished(t, other)+" ", ": "); n != 20 {
		t.Fatalf("%d rows are free after two steps of ten", n)
	}
	if _, err := other.Expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(unfinished(t, other)+" ", ": "); n != 40 {
		t.Errorf("%d rows are free after Expire, want all 40", n)
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
