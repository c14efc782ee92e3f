package backendtest

import (
	"fmt"
	"sync"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func claimTopics() []topic {
	const needs = "Claimer"
	has := offers[taskflow.Claimer]
	return []topic{
		{name: "claim/by exactly one of eight", needs: needs, has: has, test: claimedByOne},
		{name: "claim/the owner is stored", needs: needs, has: has, test: claimStoresOwner},
		{name: "claim/unknown ids are gone", needs: needs, has: has, test: claimUnknown},
		{name: "claim/a claimed row is no part of the snapshot", needs: needs, has: has, test: claimedRowOutlivesSnapshot},
		{name: "claim/save removes the pending row", needs: needs, has: has, test: saveRemovesPending},
	}
}

func claimedByOne(k *kit) {
	b, ctx := k.start(), k.context()
	records := several(50, waiting)
	_, err := b.SavePending(ctx, records)
	k.must(err, "SavePending")
	var (
		wg  sync.WaitGroup
		got [8][]string
		bad [8]error
	)
	for i := range got {
		wg.Go(func() { got[i], bad[i] = b.(taskflow.Claimer).Claim(ctx, ids(records), fmt.Sprintf("owner%d", i)) })
	}
	wg.Wait()
	holders := map[string][]string{}
	for i := range got {
		k.must(bad[i], "Claim")
		for _, id := range got[i] {
			holders[id] = append(holders[id], fmt.Sprintf("owner%d", i))
		}
	}
	stored := map[string]string{}
	for _, r := range k.pending(ctx, b) {
		stored[r.ID] = r.Owner
	}
	for _, r := range records {
		if h := holders[r.ID]; len(h) != 1 || stored[r.ID] != h[0] {
			k.Errorf("Claim: %s was given to %q and is stored with owner %q; want exactly one, and the same", r.ID, h, stored[r.ID])
		}
	}
}

func claimStoresOwner(k *kit) {
	b, ctx := k.start(), k.context()
	records := several(3, waiting)
	_, err := b.SavePending(ctx, records)
	k.must(err, "SavePending")
	c := b.(taskflow.Claimer)
	for _, step := range []struct {
		ids   []string
		owner string
		want  []string
	}{
		{[]string{records[0].ID}, "first", []string{records[0].ID}},
		{[]string{records[0].ID, records[1].ID}, "second", []string{records[1].ID}},
		{[]string{records[0].ID}, "first", nil}, // it has it already
		{nil, "first", nil},
	} {
		got, err := c.Claim(ctx, step.ids, step.owner)
		k.must(err, "Claim")
		if fmt.Sprint(got) != fmt.Sprint(step.want) {
			k.Errorf("Claim(%v, %q) returned %v, want %v", step.ids, step.owner, got, step.want)
		}
	}
	records[0].Owner, records[1].Owner = "first", "second"
	k.compare("LoadPending", k.pending(ctx, b), records)
}

func claimUnknown(k *kit) {
	b, ctx := k.start(), k.context()
	got, err := b.(taskflow.Claimer).Claim(ctx, []string{finished(1).ID, "", "no id", "x' OR 1=1 --"}, "owner")
	if len(got) != 0 || err != nil {
		k.Errorf("Claim of ids that are not there returned %v, %v; want none and no error", got, err)
	}
}

// claimedRowOutlivesSnapshot: an instance that stops again must not erase what another one has taken from its first stop.
func claimedRowOutlivesSnapshot(k *kit) {
	b, ctx := k.start(), k.context()
	records := several(3, waiting)
	_, err := b.SavePending(ctx, records)
	k.must(err, "SavePending")
	_, err = b.(taskflow.Claimer).Claim(ctx, []string{records[0].ID}, "other")
	k.must(err, "Claim")
	_, err = b.SavePending(ctx, records[2:])
	k.must(err, "SavePending")
	records[0].Owner = "other"
	k.compare("LoadPending after Claim and another SavePending", k.pending(ctx, b), []taskflow.Record{records[0], records[2]})
}

func saveRemovesPending(k *kit) {
	b, ctx := k.start(), k.context()
	records := several(4, waiting)
	_, err := b.SavePending(ctx, records)
	k.must(err, "SavePending")
	_, err = b.(taskflow.Claimer).Claim(ctx, ids(records[:2]), "owner")
	k.must(err, "Claim")
	for _, i := range []int{0, 3} {
		r := finished(i)
		r.ID = records[i].ID
		k.save(ctx, b, r)
	}
	records[1].Owner = "owner"
	k.compare("LoadPending after Save of two of four", k.pending(ctx, b), records[1:3])
}
