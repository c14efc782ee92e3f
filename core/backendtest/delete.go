package backendtest

import (
	"slices"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func deleteTopics() []topic {
	has := offers[taskflow.Deleter]
	return []topic{
		{name: "delete/before a time", needs: "Deleter", has: has, test: deleteBefore},
		{name: "delete/by id", needs: "RecordDeleter", has: offers[taskflow.RecordDeleter], test: deleteByID},
	}
}

func deleteBefore(k *kit) {
	b, ctx := k.start(), k.context()
	d := b.(taskflow.Deleter)
	records := various()
	k.save(ctx, b, records...)
	unfinished := []taskflow.Record{waiting(0)}
	_, err := b.SavePending(ctx, unfinished)
	k.must(err, "SavePending")
	for _, step := range []struct {
		before time.Time
		left   int
	}{
		{base.Add(-time.Hour), 12},
		{records[0].CreatedAt, 12}, // a task that was added at that time stays
		{records[5].CreatedAt, 7},
		{records[5].CreatedAt, 7},
		{records[5].CreatedAt.Add(time.Hour), 0},
	} {
		want := len(k.history(ctx, b)) - step.left
		n, err := d.DeleteBefore(ctx, step.before)
		k.must(err, "DeleteBefore")
		if n != want {
			k.Errorf("DeleteBefore(%v) returned %d, want %d", step.before, n, want)
		}
		k.compare("Load after DeleteBefore", k.history(ctx, b), records[len(records)-step.left:])
		if s, ok := b.(taskflow.StatsReader); ok {
			k.compareStats(ctx, s, records[len(records)-step.left:])
		}
		if _, ok := b.(taskflow.Querier); ok {
			k.compare("Query after DeleteBefore", k.pages(ctx, b, taskflow.Query{Filter: taskflow.Filter{Text: "acme"}, Limit: 5}),
				matching(taskflow.Filter{Text: "acme"}, records[len(records)-step.left:]))
		}
	}
	k.compare("LoadPending after DeleteBefore", k.pending(ctx, b), unfinished)
	k.save(ctx, b, records...)
	k.compare("Load after saving again what was deleted", k.history(ctx, b), records)
}

func deleteByID(k *kit) {
	b, ctx := k.start(), k.context()
	d := b.(taskflow.RecordDeleter)
	records := various()
	k.save(ctx, b, records...)
	unfinished := []taskflow.Record{waiting(0)}
	_, err := b.SavePending(ctx, unfinished)
	k.must(err, "SavePending")
	left := slices.Clone(records)
	for _, step := range []struct {
		name string
		ids  []string
		gone []int // of records
	}{
		{"nothing", nil, nil},
		{"some", []string{records[1].ID, records[4].ID}, []int{1, 4}},
		{"what is gone", []string{records[1].ID, records[4].ID}, nil},
		{"one twice, and another", []string{records[7].ID, records[2].ID, records[7].ID}, []int{7, 2}},
		{"what is unknown, no id, or unfinished", []string{idAt(base, 99), "nonsense", "", "'; DROP TABLE history", unfinished[0].ID, records[3].ID}, []int{3}},
		{"more than a step has", append(several(1200, func(n int) string { return idAt(base, 1000+n) }), records[0].ID), []int{0}},
	} {
		n, err := d.Delete(ctx, step.ids)
		k.must(err, "Delete of "+step.name)
		if n != len(step.gone) {
			k.Errorf("Delete of %s returned %d, want %d", step.name, n, len(step.gone))
		}
		for _, i := range step.gone {
			left = slices.DeleteFunc(left, func(r taskflow.Record) bool { return r.ID == records[i].ID })
		}
		k.compare("Load after Delete of "+step.name, k.history(ctx, b), left)
		if s, ok := b.(taskflow.StatsReader); ok {
			k.compareStats(ctx, s, left)
		}
		if _, ok := b.(taskflow.Querier); ok {
			k.compare("Query after Delete of "+step.name, k.pages(ctx, b, taskflow.Query{Filter: taskflow.Filter{Text: "acme"}, Limit: 5}),
				matching(taskflow.Filter{Text: "acme"}, left))
		}
	}
	k.compare("LoadPending after Delete", k.pending(ctx, b), unfinished)
	k.save(ctx, b, records...)
	k.compare("Load after saving again what was deleted", k.history(ctx, b), records)
}
