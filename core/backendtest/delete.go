package backendtest

import (
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func deleteTopics() []topic {
	has := offers[taskflow.Deleter]
	return []topic{{name: "delete/before a time", needs: "Deleter", has: has, test: deleteBefore}}
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
