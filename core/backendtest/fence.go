package backendtest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// fenceTopics: an instance that was paused, and comes back when another has taken over its tasks, changes nothing of them.
func fenceTopics() []topic {
	const needs = "Journal"
	has := offers[taskflow.Journal]
	return []topic{
		{name: "fence/the end of another's task is left out", needs: needs, has: has, test: saveLeavesOthersRow},
		{name: "fence/what another has finished stays", needs: needs, has: has, test: saveLeavesOthersHistory},
		{name: "fence/who held a row that is free may still finish it", needs: needs, has: has, test: freedRowIsFinished},
		{name: "fence/its owner saves again", needs: needs, has: has, test: ownerSavesAgain},
		{name: "fence/a record without owner is always written", needs: needs, has: has, test: withoutOwnerAlways},
		{name: "fence/a finished task is not pending again", needs: needs, has: has, test: finishedIsNotPending},
		{name: "fence/one of eight finishes a task", needs: needs, has: has, test: finishedByOne},
		{name: "fence/one of eight gets a free row", needs: needs, has: has, test: putByOne},
		{name: "fence/a snapshot leaves what another instance holds", needs: needs, has: has, test: snapshotLeavesOthers},
	}
}

func ownedBy(owner string, r taskflow.Record) taskflow.Record {
	r.Owner = owner
	return r
}

// ended returns the unfinished record as it is at its end.
func ended(r taskflow.Record) taskflow.Record {
	r.Status, r.StartTime, r.EndTime, r.Attempts = taskflow.StatusSuccess, r.CreatedAt.Add(1000), r.CreatedAt.Add(3000), 1
	return r
}

// saveCounted stores records of which the backend is to write only some.
func (k *kit) saveCounted(ctx context.Context, b taskflow.Backend, want int, records ...taskflow.Record) {
	k.Helper()
	n, err := b.Save(ctx, records)
	k.must(err, "Save")
	if n != want {
		k.Errorf("Save returned %d for %d records of which %d can be written", n, len(records), want)
	}
}

func (k *kit) put(ctx context.Context, b taskflow.Backend, records ...taskflow.Record) {
	k.Helper()
	k.must(b.(taskflow.Journal).PutPending(ctx, records), "PutPending")
}

func saveLeavesOthersRow(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	theirs, mine := ownedBy("other", waiting(1)), ownedBy("me", waiting(2))
	k.put(ctx, here, theirs, mine)
	k.saveCounted(ctx, there, 0, ended(ownedBy("me", theirs)))
	k.saveCounted(ctx, there, 2, finished(5), ended(ownedBy("me", theirs)), ended(mine))
	want := []taskflow.Record{finished(5), ended(mine)}
	k.compare("Load", k.history(ctx, here), want)
	k.compare("LoadPending", k.pending(ctx, here), []taskflow.Record{theirs})
	if s, ok := here.(taskflow.StatsReader); ok {
		k.compareStats(ctx, s, want)
	}
	k.saveCounted(ctx, here, 1, ended(theirs))
	k.compare("Load after its owner saved it too", k.history(ctx, there), append(want, ended(theirs)))
	k.compare("LoadPending after its owner saved it too", k.pending(ctx, there), nil)
}

func saveLeavesOthersHistory(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	done := ended(ownedBy("other", waiting(1)))
	k.save(ctx, here, done)
	late := ownedBy("me", done)
	late.Status, late.Error, late.Tags = taskflow.StatusFailed, "lost the lease", map[string]string{"late": "yes"}
	k.saveCounted(ctx, there, 0, late)
	k.saveCounted(ctx, there, 1, late, finished(5))
	want := []taskflow.Record{done, finished(5)}
	k.compare("Load", k.history(ctx, here), want)
	if s, ok := here.(taskflow.StatsReader); ok {
		k.compareStats(ctx, s, want)
	}
	if _, ok := here.(taskflow.Querier); ok {
		k.compare("Query by a text of what was left out", k.pages(ctx, here, taskflow.Query{Filter: taskflow.Filter{Text: "lost the lease"}, Limit: 10}), nil)
		k.compare("Query by a tag of what was left out", k.pages(ctx, here, taskflow.Query{Filter: taskflow.Filter{Tags: map[string]string{"late": ""}}, Limit: 10}), nil)
	}
}

// free takes the rows from their owner, as after the end of its lease.
func (k *kit) free(ctx context.Context, b taskflow.Backend, records ...taskflow.Record) {
	k.Helper()
	if s, ok := b.(taskflow.InstanceStore); ok {
		_, err := s.Expire(ctx)
		k.must(err, "Expire")
		return
	}
	_, err := b.SavePending(ctx, records)
	k.must(err, "SavePending")
}

// freedRowIsFinished: the lease was lost, but nobody has claimed the task: its result is better than another run.
func freedRowIsFinished(k *kit) {
	b, ctx := k.start(), k.context()
	r, other := ownedBy("me", waiting(1)), ownedBy("me", waiting(2))
	k.put(ctx, b, r, other)
	k.free(ctx, b, r, other)
	k.compare("LoadPending of free rows", k.pending(ctx, b), []taskflow.Record{ownedBy("", r), ownedBy("", other)})
	k.saveCounted(ctx, b, 1, ended(r))
	k.compare("Load", k.history(ctx, b), []taskflow.Record{ended(r)})
	k.compare("LoadPending", k.pending(ctx, b), []taskflow.Record{ownedBy("", other)})
	other.Attempts = 1
	k.put(ctx, b, other) // a free row is anyone's
	k.compare("LoadPending after PutPending of a free row", k.pending(ctx, b), []taskflow.Record{other})
}

func ownerSavesAgain(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	r := ownedBy("me", waiting(1))
	k.put(ctx, here, r)
	done := ended(r)
	k.saveCounted(ctx, here, 1, done)
	k.saveCounted(ctx, here, 1, done) // the answer to the first was lost
	done.RetriedBy = idAt(base.Add(1), 7)
	k.saveCounted(ctx, there, 1, done) // whoever repeats it, it is still the record of the one that ran it
	k.compare("Load", k.history(ctx, here), []taskflow.Record{done})
	if s, ok := here.(taskflow.StatsReader); ok {
		k.compareStats(ctx, s, []taskflow.Record{done})
	}
}

func withoutOwnerAlways(k *kit) {
	b, ctx := k.start(), k.context()
	held, done, plain := ownedBy("other", waiting(1)), ended(ownedBy("other", waiting(2))), finished(3)
	k.put(ctx, b, held)
	k.save(ctx, b, done, plain)
	want := []taskflow.Record{ended(ownedBy("", held)), ownedBy("", done), ownedBy("me", plain)}
	k.save(ctx, b, want...) // the last has an owner now and had none before: nobody else's
	k.compare("Load", k.history(ctx, b), want)
	k.compare("LoadPending", k.pending(ctx, b), nil)
}

func finishedIsNotPending(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	r, plain, fresh := ownedBy("me", waiting(1)), waiting(2), waiting(3)
	k.put(ctx, here, r)
	k.save(ctx, here, ended(r), ended(plain))
	for _, late := range []taskflow.Record{r, ownedBy("other", r), ownedBy("", r), plain, ownedBy("me", plain)} {
		for _, batch := range [][]taskflow.Record{{late}, {fresh, late}, {late, fresh}} {
			if err := there.(taskflow.Journal).PutPending(ctx, batch); !errors.Is(err, taskflow.ErrLeaseLost) {
				k.Errorf("PutPending by %q of a finished task, one of %d records, returned %v; want taskflow.ErrLeaseLost", late.Owner, len(batch), err)
			}
		}
	}
	k.compare("LoadPending", k.pending(ctx, here), nil)
	n, err := there.SavePending(ctx, []taskflow.Record{ownedBy("", r), fresh})
	k.must(err, "SavePending")
	if n != 1 {
		k.Errorf("SavePending of a finished task and another returned %d, want 1", n)
	}
	k.compare("LoadPending after SavePending of a finished task and another", k.pending(ctx, here), []taskflow.Record{fresh})
	k.compare("Load", k.history(ctx, here), []taskflow.Record{ended(r), ended(plain)})
}

func finishedByOne(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	for round := range 10 {
		var (
			wg  sync.WaitGroup
			n   [8]int
			bad [8]error
		)
		for i := range n {
			b := []taskflow.Backend{here, there}[i%2]
			wg.Go(func() {
				n[i], bad[i] = b.Save(ctx, []taskflow.Record{ownedBy(fmt.Sprintf("owner%d", i), finished(round))})
			})
		}
		wg.Wait()
		winner, wins := "", 0
		for i := range n {
			k.must(bad[i], "Save by one of eight owners")
			if n[i] != 0 {
				winner = fmt.Sprintf("owner%d", i)
				wins += n[i]
			}
		}
		if wins != 1 {
			k.Fatalf("Save of one task by eight owners was accepted from %d, want one", wins)
		}
		for _, r := range k.history(ctx, here) {
			if r.ID == finished(round).ID && r.Owner != winner {
				k.Errorf("Save was accepted from %q, but the record is that of %q", winner, r.Owner)
			}
		}
	}
}

func putByOne(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	for round := range 10 {
		k.put(ctx, here, waiting(round))
		var (
			wg  sync.WaitGroup
			bad [8]error
		)
		for i := range bad {
			b := []taskflow.Backend{here, there}[i%2]
			wg.Go(func() {
				bad[i] = b.(taskflow.Journal).PutPending(ctx, []taskflow.Record{ownedBy(fmt.Sprintf("owner%d", i), waiting(round))})
			})
		}
		wg.Wait()
		wins := map[string]bool{}
		for i, err := range bad {
			if err == nil {
				wins[fmt.Sprintf("owner%d", i)] = true
			} else if !errors.Is(err, taskflow.ErrLeaseLost) {
				k.must(err, "PutPending by one of eight owners")
			}
		}
		if len(wins) != 1 {
			k.Fatalf("PutPending of one free row by eight owners was accepted from %d, want one", len(wins))
		}
		for _, r := range k.pending(ctx, here) {
			if r.ID == waiting(round).ID && !wins[r.Owner] {
				k.Errorf("PutPending was accepted from %v, but the row is held by %q", wins, r.Owner)
			}
		}
	}
}

// snapshotLeavesOthers: a manager that stops does not say in its records who it is. What else came through its backend does.
func snapshotLeavesOthers(k *kit) {
	if k.other == nil {
		k.skip(noOther)
	}
	here, there := k.pair()
	ctx := k.context()
	theirs, first, second := ownedBy("other", waiting(1)), waiting(2), waiting(3)
	k.put(ctx, here, theirs)
	_, err := here.SavePending(ctx, []taskflow.Record{first})
	k.must(err, "SavePending")
	late := waiting(1)
	late.Attempts = 7
	n, err := there.SavePending(ctx, []taskflow.Record{late, second})
	k.must(err, "SavePending")
	if n != 1 {
		k.Errorf("SavePending of a row that another instance holds and another row returned %d, want 1", n)
	}
	k.compare("LoadPending", k.pending(ctx, here), []taskflow.Record{theirs, first, second})
}
