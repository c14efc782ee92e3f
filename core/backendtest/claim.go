package backendtest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func claimTopics() []topic {
	const needs = "Claimer"
	has := offers[taskflow.Claimer]
	return []topic{
		{name: "claim/by exactly one of eight", needs: needs, has: has, test: claimedByOne},
		{name: "claim/the smallest ids first, up to the limit", needs: needs, has: has, test: claimInOrder},
		{name: "claim/nothing free is left behind", needs: needs, has: has, test: claimLeavesNothing},
		{name: "claim/only of the given names", needs: needs, has: has, test: claimByName},
		{name: "claim/what is claimed comes whole, and once", needs: needs, has: has, test: claimIsWhole},
		{name: "claim/a row that somebody holds is not claimed", needs: "Claimer and Journal", has: offersBoth[taskflow.Claimer, taskflow.Journal], test: claimLeavesHeld},
		{name: "claim/a claimed row is no part of the snapshot", needs: needs, has: has, test: claimedRowOutlivesSnapshot},
		{name: "claim/save removes the pending row", needs: needs, has: has, test: saveRemovesPending},
	}
}

// claim claims rows of names and compares them, and their order, with what was to be claimed.
func (k *kit) claim(ctx context.Context, b taskflow.Backend, owner string, names []string, limit int, want ...taskflow.Record) {
	k.Helper()
	got, err := b.(taskflow.Claimer).Claim(ctx, owner, names, limit)
	k.must(err, "Claim")
	want = slices.Clone(want)
	for i := range want {
		want[i].Owner = owner
	}
	what := fmt.Sprintf("Claim by %q of at most %d of %.100q", owner, limit, names)
	k.compare(what, got, want)
	if !slices.IsSortedFunc(got, byID) {
		k.Errorf("%s: the rows came in the order %v, want that of their ids", what, ids(got))
	}
}

// claimLeavesNothing: rows that become free while somebody claims on and on are found, wherever they are.
func claimLeavesNothing(k *kit) {
	b := k.start()
	ctx := k.context()
	late, records := several(3, waiting), several(13, waiting)[3:]
	all := names(append(slices.Clone(records), late...))
	_, err := b.SavePending(ctx, records)
	k.must(err, "SavePending")
	k.claim(ctx, b, "one", all, 4, records[:4]...)
	left := append(slices.Clone(late), records[4:]...) // what has come since has the smallest ids of all
	_, err = b.SavePending(ctx, left)
	k.must(err, "SavePending")
	k.claim(ctx, b, "one", all, 100, left...)
	k.claim(ctx, b, "one", all, 100)
}

// names returns the name of each record once.
func names(records []taskflow.Record) []string {
	var list []string
	for _, r := range records {
		if !slices.Contains(list, r.Name) {
			list = append(list, r.Name)
		}
	}
	return list
}

func claimedByOne(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	records := several(200, waiting)
	_, err := here.SavePending(ctx, records)
	k.must(err, "SavePending")
	var (
		wg  sync.WaitGroup
		got [8][]taskflow.Record
		bad [8]error
	)
	for i := range got {
		b := []taskflow.Backend{here, there}[i%2]
		wg.Go(func() {
			got[i], bad[i] = claimAll(ctx, b.(taskflow.Claimer), fmt.Sprintf("owner%d", i), names(records))
		})
	}
	wg.Wait()
	holders := map[string][]string{}
	for i := range got {
		k.must(bad[i], "Claim")
		for _, r := range got[i] {
			holders[r.ID] = append(holders[r.ID], fmt.Sprintf("owner%d", i))
			if r.Owner != fmt.Sprintf("owner%d", i) {
				k.Errorf("Claim by owner%d returned %s with the owner %q", i, r.ID, r.Owner)
			}
		}
	}
	stored := map[string]string{}
	for _, r := range k.pending(ctx, there) {
		stored[r.ID] = r.Owner
	}
	for _, r := range records {
		if h := holders[r.ID]; len(h) != 1 || stored[r.ID] != h[0] {
			k.Errorf("Claim: %s was given to %q and is stored with owner %q; want exactly one, and the same", r.ID, h, stored[r.ID])
		}
	}
}

// claimAll claims a few rows at a time until there are none, as eight do at once.
func claimAll(ctx context.Context, c taskflow.Claimer, owner string, names []string) (all []taskflow.Record, err error) {
	for {
		rows, err := c.Claim(ctx, owner, names, 7)
		if err != nil || len(rows) == 0 {
			return all, err
		}
		if all = append(all, rows...); len(all) > 10_000 {
			return all, fmt.Errorf("%d rows were claimed and there is no end", len(all))
		}
	}
}

func claimInOrder(k *kit) {
	b, ctx := k.start(), k.context()
	records := several(12, waiting)
	shuffled := slices.Clone(records)
	for i := range shuffled { // ids that are not in the order of writing
		shuffled[i] = records[(i*5+3)%12]
	}
	_, err := b.SavePending(ctx, shuffled)
	k.must(err, "SavePending")
	all := names(records)
	k.claim(ctx, b, "first", all, 3, records[:3]...)
	k.claim(ctx, b, "second", all, 1, records[3])
	k.claim(ctx, b, "first", all, 0)
	k.claim(ctx, b, "first", all, 7, records[4:11]...)
	k.claim(ctx, b, "third", all, 1000, records[11])
	k.claim(ctx, b, "third", all, 1000)
}

func claimByName(k *kit) {
	b, ctx := k.start(), k.context()
	list := append(hostile(), "send_email", "Send_Email", "send_email ", "send", "résumé", "re\u0301sume\u0301")
	records := several(len(list), waiting)
	for i := range records {
		records[i].Name = list[i]
	}
	_, err := b.SavePending(ctx, records)
	k.must(err, "SavePending")
	k.claim(ctx, b, "owner", nil, 100)
	k.claim(ctx, b, "owner", []string{"%", "_", "x' OR 1=1 --", "", "nobody"}, 100)
	n := len(records)
	k.claim(ctx, b, "owner", []string{"nobody", "send", "Send_Email", "nobody"}, 100, records[n-5], records[n-3])
	k.claim(ctx, b, "owner", []string{"send_email"}, 100, records[n-6])
	k.claim(ctx, b, "owner", []string{"résumé"}, 100, records[n-2])
	for i, name := range hostile() {
		k.claim(ctx, b, "owner", []string{name}, 100, records[i])
	}
	var many []string
	for i := range 2000 { // as many as a program has tasks, and more
		many = append(many, fmt.Sprintf("task %d", i))
	}
	k.claim(ctx, b, "owner", append(many, "send_email "), 100, records[n-4])
	left := records[n-1:]
	k.claim(ctx, b, "other", names(records), 100, left...)
}

func claimIsWhole(k *kit) {
	b, ctx := k.start(), k.context()
	r, bare := full(), taskflow.Record{ID: idAt(base.Add(time.Hour), 0), Name: "bare", Status: taskflow.StatusPending, CreatedAt: base}
	r.Status, r.Owner = taskflow.StatusRunning, "" // its process died while it ran
	_, err := b.SavePending(ctx, []taskflow.Record{r, bare})
	k.must(err, "SavePending")
	k.claim(ctx, b, "first", []string{r.Name}, 10, r)
	for _, owner := range []string{"second", "first"} {
		k.claim(ctx, b, owner, []string{r.Name}, 10)
	}
	k.claim(ctx, b, "second", []string{"bare"}, 10, bare)
	r.Owner, bare.Owner = "first", "second"
	k.compare("LoadPending", k.pending(ctx, b), []taskflow.Record{r, bare})
}

func claimLeavesHeld(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	records := several(4, waiting)
	records[0].Owner, records[2].Owner, records[3].Owner = "other", "other", "claimer"
	k.must(here.(taskflow.Journal).PutPending(ctx, records), "PutPending")
	k.claim(ctx, there, "claimer", names(records), 10, records[1])
}

// claimedRowOutlivesSnapshot: an instance that stops again must not erase what another one has taken from its first stop.
func claimedRowOutlivesSnapshot(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	records := several(3, waiting)
	_, err := here.SavePending(ctx, records)
	k.must(err, "SavePending")
	k.claim(ctx, there, "other", names(records), 1, records[0])
	_, err = here.SavePending(ctx, records[2:])
	k.must(err, "SavePending")
	records[0].Owner = "other"
	k.compare("LoadPending after Claim and another SavePending", k.pending(ctx, there), []taskflow.Record{records[0], records[2]})
}

func saveRemovesPending(k *kit) {
	b, ctx := k.start(), k.context()
	records := several(4, waiting)
	_, err := b.SavePending(ctx, records)
	k.must(err, "SavePending")
	k.claim(ctx, b, "owner", names(records), 2, records[:2]...)
	for _, i := range []int{0, 3} {
		r := finished(i)
		r.ID = records[i].ID
		k.save(ctx, b, r)
	}
	records[1].Owner = "owner"
	k.compare("LoadPending after Save of two of four", k.pending(ctx, b), records[1:3])
}
