package backendtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func keyTopics() []topic {
	const needs = "KeyStore"
	has := offers[taskflow.KeyStore]
	return []topic{
		{name: "keys/one of eight wins each", needs: needs, has: has, test: keyWonByOne},
		{name: "keys/whoever asks is told the holder", needs: needs, has: has, test: keyHolderIsTold},
		{name: "keys/any bytes are a key", needs: needs, has: has, test: keysAreBytes},
		{name: "keys/retention ends", needs: needs, has: has, test: retentionEnds},
		{name: "keys/only their task releases them", needs: needs, has: has, test: keyIsReleased},
		{name: "keys/many are released together", needs: "KeyReleaser", has: func(b taskflow.Backend) bool {
			return has(b) && offers[taskflow.KeyReleaser](b)
		}, test: keysAreReleasedTogether},
		{name: "keys/a task that was lost frees its key", needs: "KeyStore, InstanceStore and Journal", has: func(b taskflow.Backend) bool {
			return has(b) && offersBoth[taskflow.InstanceStore, taskflow.Journal](b)
		}, test: lostTaskFreesKey},
		{name: "keys/a failed task's key is free without ReleaseKey", needs: needs, has: has, test: failedTaskFreesKey},
		{name: "keys/their task reserves them anew", needs: needs, has: has, test: keyIsReservedAnew},
		{name: "keys/a task whose key was given away is not put", needs: "KeyStore, InstanceStore and Journal", has: func(b taskflow.Backend) bool {
			return has(b) && offersBoth[taskflow.InstanceStore, taskflow.Journal](b)
		}, test: keyGivenAwayFences},
		{name: "keys/survive a restart", needs: needs, has: has, test: keysSurviveRestart},
	}
}

// adder makes an instance known, so that its keys are not those of a task that was lost.
func (k *kit) adder(ctx context.Context, b taskflow.Backend, id string) {
	k.Helper()
	if s, ok := b.(taskflow.InstanceStore); ok {
		k.must(s.Join(ctx, instance(id), time.Hour), "Join")
	}
}

// reserve asks for a key and compares who has it then.
func (k *kit) reserve(ctx context.Context, b taskflow.Backend, r taskflow.Reservation, want string) {
	k.Helper()
	got, err := b.(taskflow.KeyStore).ReserveKey(ctx, r)
	k.must(err, "ReserveKey")
	if got != want {
		k.Errorf("ReserveKey(%.60q) for %s returned %s, want %s", r.Key, r.TaskID, got, want)
	}
}

func reservation(key string, task int) taskflow.Reservation {
	return taskflow.Reservation{Key: key, TaskID: waiting(task).ID, Owner: "adder", Retention: time.Hour}
}

func keyWonByOne(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	k.adder(ctx, here, "adder")
	const keys = 50
	var (
		wg  sync.WaitGroup
		got [8][keys]string
		bad [8]error
	)
	for i := range got {
		s := []taskflow.Backend{here, there}[i%2].(taskflow.KeyStore)
		wg.Go(func() {
			for n := 0; n < keys && bad[i] == nil; n++ {
				got[i][n], bad[i] = s.ReserveKey(ctx, reservation(fmt.Sprintf("key %d", n), n*8+i))
			}
		})
	}
	wg.Wait()
	for i := range got {
		k.must(bad[i], "ReserveKey by one of eight")
	}
	for n := range keys {
		among := false
		for i := range got {
			among = among || got[0][n] == waiting(n*8+i).ID
			if got[i][n] != got[0][n] {
				k.Errorf("ReserveKey told two that key %d is %s's and %s's", n, got[0][n], got[i][n])
			}
		}
		if !among {
			k.Errorf("ReserveKey gave key %d to %q, which did not ask", n, got[0][n])
		}
	}
}

func keyHolderIsTold(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	k.adder(ctx, here, "adder")
	first, second := waiting(1).ID, waiting(2).ID
	k.reserve(ctx, here, reservation("order 1", 1), first)
	k.reserve(ctx, there, reservation("order 1", 2), first)
	k.reserve(ctx, there, reservation("order 1", 1), first) // it asks again
	k.reserve(ctx, here, reservation("order 2", 2), second)
	k.reserve(ctx, here, reservation("order 1", 2), first)
	other := reservation("order 1", 3)
	other.Owner = "unknown"
	k.reserve(ctx, there, other, first)
}

// keysAreBytes: no two of these are the same key.
func keysAreBytes(k *kit) {
	b, ctx := k.start(), k.context()
	k.adder(ctx, b, "adder")
	long := strings.Repeat("k", taskflow.MaxKeyBytes-1)
	keys := append(hostile(), "Null", "null ", " null", "é", "e\u0301", "\x00", "a", "a\x00", "a\x00b", "\xff\xfe", "\xff", "\uFFFD", "日本",
		long, long+"1", long+"2", strings.Repeat("é", taskflow.MaxKeyBytes/2), "*", "[a]", "?", "{a}", "a:b")
	for i, key := range keys {
		k.reserve(ctx, b, reservation(key, i), waiting(i).ID)
	}
	for i, key := range keys {
		k.reserve(ctx, b, reservation(key, 1000+i), waiting(i).ID)
	}
	for i, key := range keys {
		k.must(b.(taskflow.KeyStore).ReleaseKey(ctx, key, waiting(i).ID), "ReleaseKey")
		k.reserve(ctx, b, reservation(key, 1000+i), waiting(1000+i).ID)
	}
}

func retentionEnds(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	k.adder(ctx, here, "adder")
	brief := reservation("brief", 1)
	brief.Retention = 20 * time.Millisecond
	k.reserve(ctx, here, reservation("long", 2), waiting(2).ID)
	k.reserve(ctx, here, brief, waiting(1).ID)
	k.save(ctx, here, ended(waiting(1)))
	k.eventually("the retention of 20 ms is over and another gets the key", func() bool {
		got, err := there.(taskflow.KeyStore).ReserveKey(ctx, reservation("brief", 3))
		k.must(err, "ReserveKey")
		return got == waiting(3).ID
	})
	k.reserve(ctx, here, reservation("brief", 4), waiting(3).ID)
	k.reserve(ctx, here, reservation("long", 4), waiting(2).ID)
	// what had it before cannot free it any more
	k.must(here.(taskflow.KeyStore).ReleaseKey(ctx, "brief", waiting(1).ID), "ReleaseKey")
	k.reserve(ctx, here, reservation("brief", 4), waiting(3).ID)
}

func keyIsReleased(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	s := there.(taskflow.KeyStore)
	k.adder(ctx, here, "adder")
	k.must(s.ReleaseKey(ctx, "nobody has it", waiting(1).ID), "ReleaseKey of a key that nobody has")
	k.reserve(ctx, here, reservation("order", 1), waiting(1).ID)
	k.reserve(ctx, here, reservation("other", 3), waiting(3).ID)
	for _, wrong := range []string{waiting(2).ID, waiting(3).ID, "", "no id", "%"} {
		k.must(s.ReleaseKey(ctx, "order", wrong), "ReleaseKey by another task")
	}
	k.reserve(ctx, here, reservation("order", 2), waiting(1).ID)
	k.must(s.ReleaseKey(ctx, "order", waiting(1).ID), "ReleaseKey")
	k.reserve(ctx, here, reservation("order", 2), waiting(2).ID)
	k.must(s.ReleaseKey(ctx, "order", waiting(1).ID), "ReleaseKey by who had it")
	k.reserve(ctx, here, reservation("order", 1), waiting(2).ID)
	k.reserve(ctx, here, reservation("other", 1), waiting(3).ID)
}

func keysAreReleasedTogether(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	k.adder(ctx, here, "adder")
	many := here.(taskflow.KeyReleaser)
	k.must(many.ReleaseKeys(ctx, nil), "ReleaseKeys of none")
	const keys = 1100
	var held []taskflow.Reservation
	for n := range keys {
		r := reservation(fmt.Sprintf("order %d", n), n)
		if n < 50 || n >= keys-50 { // those between are held by nobody
			k.reserve(ctx, here, r, r.TaskID)
		}
		held = append(held, r)
	}
	held[0].TaskID, held[1].TaskID = held[1].TaskID, held[0].TaskID // others have these
	held[2].TaskID, held[keys-1].TaskID = "no id", ""
	held = append(held, reservation("\x00\xff", 5), held[5])
	k.must(many.ReleaseKeys(ctx, held), "ReleaseKeys")
	for _, n := range []int{0, 1, 2, 3, 49, keys - 50, keys - 2, keys - 1} {
		next := reservation(fmt.Sprintf("order %d", n), 5000+n)
		want := next.TaskID
		if n <= 2 || n == keys-1 {
			want = waiting(n).ID
		}
		k.reserve(ctx, there, next, want)
	}
}

// lostTaskFreesKey: the instance died between the reservation and the first write of the task.
func lostTaskFreesKey(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	k.adder(ctx, here, "adder")
	k.adder(ctx, here, "stays")
	inMemory, pending, done := reservation("in memory", 1), reservation("pending", 2), reservation("finished", 3)
	elsewhere := reservation("of another instance", 4)
	elsewhere.Owner = "stays"
	for i, r := range []taskflow.Reservation{inMemory, pending, done, elsewhere} {
		k.reserve(ctx, here, r, waiting(i+1).ID)
	}
	k.put(ctx, here, ownedBy("adder", waiting(2)))
	k.save(ctx, here, ended(waiting(3)))
	held := func(when string, tasks ...int) {
		k.Helper()
		for i, r := range []taskflow.Reservation{inMemory, pending, done, elsewhere} {
			r.TaskID = waiting(100 + i).ID
			r.Owner = "stays"
			got, err := there.(taskflow.KeyStore).ReserveKey(ctx, r)
			k.must(err, "ReserveKey")
			if want := waiting(tasks[i]).ID; got != want {
				k.Errorf("ReserveKey(%q) %s returned %s, want %s", r.Key, when, got, want)
			}
		}
	}
	held("while its instance lives", 1, 2, 3, 4)
	k.must(here.(taskflow.InstanceStore).Leave(ctx, "adder"), "Leave")
	held("after its instance has gone", 100, 2, 3, 4)
	k.must(there.ClearPending(ctx), "ClearPending")
	held("after its row has gone too", 100, 101, 3, 4)
	if d, ok := there.(taskflow.Deleter); ok {
		_, err := d.DeleteBefore(ctx, base.Add(time.Hour))
		k.must(err, "DeleteBefore")
		held("after its record was deleted", 100, 101, 102, 4)
	}
}

// failedTaskFreesKey: the instance died between the Save of its task and the release of its key, or the release failed.
func failedTaskFreesKey(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	k.adder(ctx, here, "adder")
	statuses := []taskflow.Status{taskflow.StatusSuccess, taskflow.StatusFailed, taskflow.StatusInterrupted, taskflow.StatusCancelled}
	for i, status := range statuses {
		r := reservation("order that is "+string(status), i)
		k.reserve(ctx, here, r, r.TaskID)
		row := ownedBy("adder", waiting(i))
		row.Key = r.Key
		if offers[taskflow.Journal](here) {
			k.put(ctx, here, row)
		}
		second := reservation(r.Key, 100+i)
		k.reserve(ctx, there, second, r.TaskID) // it is unfinished
		row = ended(row)
		row.Status = status
		k.save(ctx, here, row)
		want := second.TaskID
		if status == taskflow.StatusSuccess {
			want = r.TaskID
		}
		k.reserve(ctx, there, second, want)
		k.reserve(ctx, here, reservation(r.Key, 200+i), want) // which has it now, and is in neither store or a success
		k.must(here.(taskflow.KeyStore).ReleaseKey(ctx, r.Key, waiting(300+i).ID), "ReleaseKey by another task")
		if status != taskflow.StatusSuccess { // the release comes late, when the key is the next task's
			k.must(here.(taskflow.KeyStore).ReleaseKey(ctx, r.Key, r.TaskID), "ReleaseKey by the task that has failed")
		}
		k.reserve(ctx, there, reservation(r.Key, 200+i), want)
	}
}

// keyIsReservedAnew: the instance of a task in memory goes on under another name.
func keyIsReservedAnew(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	k.adder(ctx, here, "adder")
	k.adder(ctx, here, "renamed")
	r := reservation("order", 1)
	k.reserve(ctx, here, r, r.TaskID)
	r.Owner = "renamed"
	k.reserve(ctx, here, r, r.TaskID)
	k.reserve(ctx, there, reservation("order", 2), r.TaskID)
	if s, ok := here.(taskflow.InstanceStore); ok {
		k.must(s.Leave(ctx, "adder"), "Leave")
		k.reserve(ctx, there, reservation("order", 2), r.TaskID)
	}
	r.Retention = 20 * time.Millisecond
	k.reserve(ctx, here, r, r.TaskID)
	other := reservation("order", 2)
	other.Owner = "renamed"
	k.eventually("the new retention of 20 ms is over and another gets the key", func() bool {
		got, err := there.(taskflow.KeyStore).ReserveKey(ctx, other)
		k.must(err, "ReserveKey")
		return got == other.TaskID
	})
	k.reserve(ctx, here, r, other.TaskID)
}

// keyGivenAwayFences: an instance reserves a key and is paused for longer than its lease, before the row of the task is there.
func keyGivenAwayFences(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	k.adder(ctx, there, "stays")
	keyed := func(owner, key string, task int) (taskflow.Record, taskflow.Reservation) {
		record := ownedBy(owner, waiting(task))
		record.Key = key
		r := reservation(key, task)
		r.Owner = owner
		return record, r
	}
	paused, before := keyed("paused", "order", 1)
	next, after := keyed("stays", "order", 2)
	k.adder(ctx, here, "paused")
	k.reserve(ctx, here, before, paused.ID)
	k.must(there.(taskflow.InstanceStore).Leave(ctx, "paused"), "Leave")
	k.reserve(ctx, there, after, next.ID)
	rows := k.pending(ctx, there)
	for _, records := range [][]taskflow.Record{{paused}, {ownedBy("paused", waiting(3)), paused, ownedBy("paused", waiting(4))}} {
		if err := here.(taskflow.Journal).PutPending(ctx, records); !errors.Is(err, taskflow.ErrLeaseLost) {
			k.Errorf("PutPending of %d records, one of whose keys another task has been given, returned %v; want taskflow.ErrLeaseLost", len(records), err)
		}
	}
	k.compare("LoadPending after PutPending of a task whose key another has", k.pending(ctx, there), rows)
	k.put(ctx, there, next)
	next.Attempts = 1
	k.put(ctx, there, next)

	// A key that was kept for long enough may go to another while its task goes on.
	slow, short := keyed("stays", "report", 5)
	short.Retention = time.Millisecond
	k.reserve(ctx, there, short, slow.ID)
	k.put(ctx, there, slow)
	k.eventually("the retention of 1 ms is over and another gets the key", func() bool {
		got, err := here.(taskflow.KeyStore).ReserveKey(ctx, reservation("report", 6))
		k.must(err, "ReserveKey")
		return got == waiting(6).ID
	})
	for attempts := range 3 {
		slow.Attempts = attempts
		k.put(ctx, there, slow)
	}

	// Both at once: the key is the one's or the other's.
	for n := range 60 {
		mine, first := keyed(fmt.Sprint("paused ", n), fmt.Sprint("order ", n), 100+2*n)
		_, second := keyed("stays", first.Key, 101+2*n)
		k.adder(ctx, here, mine.Owner)
		k.reserve(ctx, here, first, mine.ID)
		k.must(there.(taskflow.InstanceStore).Leave(ctx, mine.Owner), "Leave")
		var (
			wg  sync.WaitGroup
			put error
		)
		wg.Go(func() { put = here.(taskflow.Journal).PutPending(ctx, []taskflow.Record{mine}) })
		holder, err := there.(taskflow.KeyStore).ReserveKey(ctx, second)
		wg.Wait()
		k.must(err, "ReserveKey")
		if put != nil && !errors.Is(put, taskflow.ErrLeaseLost) {
			k.must(put, "PutPending")
		}
		if (put == nil) != (holder == mine.ID) {
			k.Errorf("at the same time PutPending of %s returned %v, and ReserveKey said that %s has its key", mine.ID, put, holder)
		}
	}
}

func keysSurviveRestart(k *kit) {
	if k.reopen == nil {
		k.skip(noReopen)
	}
	b, ctx := k.start(), k.context()
	k.adder(ctx, b, "adder")
	k.reserve(ctx, b, reservation("order", 1), waiting(1).ID)
	k.save(ctx, b, ended(waiting(1)))
	k.must(b.Close(), "Close")
	b = k.opened(k.reopen(b))
	k.adder(ctx, b, "adder")
	k.reserve(ctx, b, reservation("order", 2), waiting(1).ID)
}
