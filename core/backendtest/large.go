package backendtest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func largeTopics() []topic {
	return []topic{
		{name: "large/values come back", test: largeValues},
		{name: "large/ten thousand finished records in one call", test: manyFinished},
		{name: "large/ten thousand unfinished records in one call", test: manyUnfinished},
	}
}

func largeValues(k *kit) {
	b, ctx := k.start(), k.context()
	r := finished(1)
	r.Args = json.RawMessage(`"` + strings.Repeat("x", taskflow.MaxArgsBytes-2) + `"`)
	r.Name, r.Error = strings.Repeat("n", taskflow.MaxNameBytes), strings.Repeat("e", taskflow.MaxErrorBytes)
	r.Stack, r.Key = strings.Repeat("s\n", taskflow.MaxStackBytes/2), strings.Repeat("k", taskflow.MaxKeyBytes)
	r.Tags = map[string]string{}
	for i := range taskflow.MaxTags {
		key := fmt.Sprintf("%03d", i)
		r.Tags[key+strings.Repeat("k", taskflow.MaxTagBytes-3)] = key + strings.Repeat("v", taskflow.MaxTagBytes-3)
	}
	for i := range taskflow.MaxLogLines {
		r.Logs = append(r.Logs, fmt.Sprintf("%d ", i)+strings.Repeat("l", 200))
	}
	r.LogCount = len(r.Logs)
	first, second := r, r
	first.ID, first.Status = finished(2).ID, taskflow.StatusPending
	second.ID, second.Status = finished(3).ID, taskflow.StatusPending
	k.save(ctx, b, r)
	k.compare("Load", k.history(ctx, b), []taskflow.Record{r})
	_, err := b.SavePending(ctx, []taskflow.Record{first})
	k.must(err, "SavePending")
	want := []taskflow.Record{first}
	if _, ok := b.(taskflow.Journal); ok {
		k.put(ctx, b, second)
		want = append(want, second)
	}
	k.compareUnfinished(ctx, b, want)
	if _, ok := b.(taskflow.Claimer); ok {
		k.claim(ctx, b, "owner", []string{r.Name}, 10, want...)
	}
}

// many is how many records one call has. A manager has bounds of its own, far below.
func (k *kit) many() int {
	switch {
	case k.long:
		return 100_000
	case testing.Short():
		return 1_000
	}
	return 10_000
}

func manyFinished(k *kit) {
	b, ctx := k.start(), k.contextFor(10*time.Minute)
	records := several(k.many(), finished)
	k.save(ctx, b, records...)
	k.compare("Load of many", k.history(ctx, b), records)
	if s, ok := b.(taskflow.StatsReader); ok {
		k.compareStats(ctx, s, records)
	}
	if _, ok := b.(taskflow.Querier); ok {
		k.compare("Query of many", k.pages(ctx, b, taskflow.Query{Limit: 1000}), records)
	}
}

func manyUnfinished(k *kit) {
	b, ctx := k.start(), k.contextFor(10*time.Minute)
	records := several(k.many(), waiting)
	n, err := b.SavePending(ctx, records)
	k.must(err, "SavePending")
	if n != len(records) {
		k.Errorf("SavePending of %d records returned %d", len(records), n)
	}
	k.compare("LoadPending of many", k.pending(ctx, b), records)
	if _, ok := b.(taskflow.Journal); ok {
		for i := range records {
			records[i].Status, records[i].Owner = taskflow.StatusRunning, "owner"
		}
		k.put(ctx, b, records...)
		k.compare("LoadPending of many after PutPending", k.pending(ctx, b), records)
	}
	if s, ok := b.(taskflow.InstanceStore); ok {
		_, err := s.Expire(ctx)
		k.must(err, "Expire")
	}
	if c, ok := b.(taskflow.Claimer); ok && offers[taskflow.InstanceStore](b) {
		rows, err := c.Claim(ctx, "heir", names(records), len(records))
		k.must(err, "Claim")
		for i := range records {
			records[i].Owner = "heir"
		}
		k.compare("Claim of many", rows, records)
		for i := range records {
			records[i] = ended(records[i])
		}
		k.save(ctx, b, records...)
		k.compare("LoadPending after the end of many", k.pending(ctx, b), nil)
	}
}
