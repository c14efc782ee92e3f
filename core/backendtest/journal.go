package backendtest

import (
	"context"
	"errors"
	"sync"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func journalTopics() []topic {
	const needs = "Journal"
	has := offers[taskflow.Journal]
	return []topic{
		{name: "journal/every field comes back", needs: needs, has: has, test: journalKeepsFields},
		{name: "journal/putting again replaces", needs: needs, has: has, test: journalReplaces},
		{name: "journal/all or none", needs: needs, has: has, test: journalIsAtomic},
		{name: "journal/a snapshot leaves journaled rows", needs: needs, has: has, test: snapshotLeavesJournal},
		{name: "journal/a snapshot updates a journaled row", needs: needs, has: has, test: snapshotUpdatesJournal},
		{name: "journal/a row stays with its owner", needs: needs, has: has, test: journalRespectsOwners},
		{name: "journal/save moves a row to the history", needs: needs, has: has, test: saveMovesJournaled},
		{name: "journal/survives a restart", needs: needs, has: has, test: journalSurvivesRestart},
	}
}

func journalKeepsFields(k *kit) {
	b, ctx := k.start(), k.context()
	r := full()
	r.Status = taskflow.StatusRunning
	k.must(b.(taskflow.Journal).PutPending(ctx, []taskflow.Record{r}), "PutPending")
	k.compare("LoadPending", k.pending(ctx, b), []taskflow.Record{r})
	k.compare("Load", k.history(ctx, b), nil)
}

func journalReplaces(k *kit) {
	b, ctx := k.start(), k.context()
	j := b.(taskflow.Journal)
	records := several(3, waiting)
	k.must(j.PutPending(ctx, records), "PutPending")
	records[1].Status, records[1].Attempts, records[1].StartTime, records[1].Owner = taskflow.StatusRunning, 1, base, "owner"
	k.must(j.PutPending(ctx, records[1:2]), "PutPending")
	k.compare("LoadPending", k.pending(ctx, b), records)
	k.must(j.PutPending(ctx, nil), "PutPending of nothing")
	k.compare("LoadPending after PutPending of nothing", k.pending(ctx, b), records)
}

// journalIsAtomic reads while many records are put together, and ends the context of some of the puts.
func journalIsAtomic(k *kit) {
	b, ctx := k.start(), k.context()
	const together = 200
	records := several(together, waiting)
	writing, stop := context.WithCancel(ctx)
	written := make(chan error, 1)
	go func() { written <- putAndClear(writing, b, records) }() // awaited below
	wait := sync.OnceValue(func() error { stop(); return <-written })
	k.Cleanup(func() { _ = wait() }) // a failed read ends the test before the wait below
	for {
		select {
		case err := <-written:
			written <- err
			k.must(wait(), "PutPending or ClearPending")
			return
		default:
		}
		if n := len(k.pending(ctx, b)); n != 0 && n != together {
			k.Fatalf("PutPending of %d records: %d were seen; want all or none", together, n)
		}
	}
}

// putAndClear puts the records ten times; every other time the context ends meanwhile, which may be an error.
func putAndClear(ctx context.Context, b taskflow.Backend, records []taskflow.Record) error {
	for i := range 10 {
		put, cancel := context.WithCancel(ctx)
		var ending sync.WaitGroup
		if i%2 == 0 {
			ending.Go(cancel)
		}
		err := b.(taskflow.Journal).PutPending(put, records)
		ending.Wait()
		cancel()
		if err != nil && i%2 != 0 {
			return err
		}
		if err := b.ClearPending(ctx); err != nil {
			return err
		}
	}
	return nil
}

func snapshotLeavesJournal(k *kit) {
	b, ctx := k.start(), k.context()
	journaled, first, second := waiting(1), waiting(2), waiting(3)
	journaled.Owner = "another instance"
	k.must(b.(taskflow.Journal).PutPending(ctx, []taskflow.Record{journaled}), "PutPending")
	for _, r := range []taskflow.Record{first, second} {
		_, err := b.SavePending(ctx, []taskflow.Record{r})
		k.must(err, "SavePending")
	}
	k.compare("LoadPending", k.pending(ctx, b), []taskflow.Record{journaled, second})
}

func snapshotUpdatesJournal(k *kit) {
	b, ctx := k.start(), k.context()
	r := waiting(1)
	r.Owner, r.Status = "this instance", taskflow.StatusRunning
	k.must(b.(taskflow.Journal).PutPending(ctx, []taskflow.Record{r}), "PutPending")
	r.Owner, r.Status, r.Attempts = "", taskflow.StatusPending, 1
	_, err := b.SavePending(ctx, []taskflow.Record{r})
	k.must(err, "SavePending")
	k.compare("LoadPending", k.pending(ctx, b), []taskflow.Record{r})
}

// journalRespectsOwners: two instances must never both believe that a task is theirs.
func journalRespectsOwners(k *kit) {
	b, ctx := k.start(), k.context()
	j := b.(taskflow.Journal)
	free, held := waiting(1), waiting(2)
	held.Owner = "first"
	k.must(j.PutPending(ctx, []taskflow.Record{free, held}), "PutPending")
	mine, other := free, held
	mine.Owner, other.Owner, other.Attempts = "second", "second", 1
	if err := j.PutPending(ctx, []taskflow.Record{mine, other}); !errors.Is(err, taskflow.ErrLeaseLost) {
		k.Errorf("PutPending of a row that another owner holds returned %v; want taskflow.ErrLeaseLost", err)
	}
	k.compare("LoadPending after PutPending of another's row", k.pending(ctx, b), []taskflow.Record{free, held})
	held.Attempts = 2
	k.must(j.PutPending(ctx, []taskflow.Record{mine, held}), "PutPending of a free row and one of its owner")
	k.compare("LoadPending", k.pending(ctx, b), []taskflow.Record{mine, held})
}

func saveMovesJournaled(k *kit) {
	b, ctx := k.start(), k.context()
	journaled := several(3, waiting)
	k.must(b.(taskflow.Journal).PutPending(ctx, journaled), "PutPending")
	r := finished(0)
	r.ID = journaled[0].ID
	k.save(ctx, b, r)
	k.compare("LoadPending", k.pending(ctx, b), journaled[1:])
	k.compare("Load", k.history(ctx, b), []taskflow.Record{r})
}

func journalSurvivesRestart(k *kit) {
	if k.reopen == nil {
		k.skip(noReopen)
	}
	b, ctx := k.start(), k.context()
	records := several(3, waiting)
	k.must(b.(taskflow.Journal).PutPending(ctx, records), "PutPending")
	k.must(b.Close(), "Close")
	b = k.opened(k.reopen(b))
	k.compare("LoadPending after a restart", k.pending(ctx, b), records)
}
