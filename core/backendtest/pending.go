package backendtest

import taskflow "github.com/taskflow-go/taskflow/core"

func pendingTopics() []topic {
	return []topic{
		{name: "pending/every field but the owner comes back", test: everyPendingFieldComesBack},
		{name: "pending/saving again replaces all", test: pendingIsReplaced},
		{name: "pending/clearing removes all", test: clearRemovesAll},
		{name: "pending/what is saved has no owner", test: savedHasNoOwner},
	}
}

func everyPendingFieldComesBack(k *kit) {
	b, ctx := k.start(), k.context()
	r := full()
	r.Status, r.Owner = taskflow.StatusPending, ""
	n, err := b.SavePending(ctx, []taskflow.Record{r})
	k.must(err, "SavePending")
	if n != 1 {
		k.Errorf("SavePending of one record returned %d", n)
	}
	k.compare("LoadPending", k.pending(ctx, b), []taskflow.Record{r})
	k.compare("LoadPending again", k.pending(ctx, b), []taskflow.Record{r})
}

func pendingIsReplaced(k *kit) {
	b, ctx := k.start(), k.context()
	all := several(5, waiting)
	for _, records := range [][]taskflow.Record{all[:3], all[2:], nil, all[:1]} {
		n, err := b.SavePending(ctx, records)
		k.must(err, "SavePending")
		if n != len(records) {
			k.Errorf("SavePending of %d records returned %d", len(records), n)
		}
		k.compare("LoadPending after another SavePending", k.pending(ctx, b), records)
	}
}

func clearRemovesAll(k *kit) {
	b, ctx := k.start(), k.context()
	_, err := b.SavePending(ctx, several(5, waiting))
	k.must(err, "SavePending")
	for range 2 {
		k.must(b.ClearPending(ctx), "ClearPending")
		k.compare("LoadPending after ClearPending", k.pending(ctx, b), nil)
	}
}

// savedHasNoOwner: otherwise nobody would take the task at the next start.
func savedHasNoOwner(k *kit) {
	b, ctx := k.start(), k.context()
	r := waiting(1)
	_, err := b.SavePending(ctx, []taskflow.Record{ownedBy("stopped", r)})
	k.must(err, "SavePending of a record with an owner")
	k.compare("LoadPending", k.pending(ctx, b), []taskflow.Record{r})
}
