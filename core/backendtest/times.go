package backendtest

import (
	"context"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func timeTopics() []topic {
	return []topic{
		{name: "times/of finished tasks come back in UTC", test: timesOfFinished},
		{name: "times/of unfinished tasks come back in UTC", test: timesOfUnfinished},
	}
}

// moments are times as programs have them: of other zones, with a monotonic clock, and far away.
func moments() []time.Time {
	zone := time.FixedZone("UTC+5:45", 5*3600+45*60)
	return []time.Time{
		time.Now(), // with a monotonic clock
		base.In(zone),
		time.Date(2026, 10, 25, 2, 30, 0, 123456789, time.UTC), // an hour that some zones have twice
		time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(1969, 12, 31, 23, 59, 59, 1000, time.UTC),
		time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Now().Add(time.Hour).In(zone), // a clock that is fast
	}
}

func timesOfFinished(k *kit) {
	b, ctx := k.start(), k.context()
	var records []taskflow.Record
	for i, at := range moments() {
		r := finished(i)
		r.RunAt, r.StartTime, r.EndTime = at, at.Add(time.Second), at.Add(2*time.Second)
		records = append(records, r)
	}
	k.save(ctx, b, records...)
	k.compare("Load", k.history(ctx, b), records)
}

func timesOfUnfinished(k *kit) {
	b, ctx := k.start(), k.context()
	var records []taskflow.Record
	for i, at := range moments() {
		r := waiting(i)
		r.CreatedAt = r.CreatedAt.In(time.FixedZone("x", -3600))
		r.RunAt, r.StartTime = at, at.Add(time.Second)
		records = append(records, r)
	}
	_, err := b.SavePending(ctx, records)
	k.must(err, "SavePending")
	k.compareUnfinished(ctx, b, records)
	if _, ok := b.(taskflow.Journal); ok {
		k.must(b.ClearPending(ctx), "ClearPending")
		k.put(ctx, b, records...)
		k.compareUnfinished(ctx, b, records)
	}
	if _, ok := b.(taskflow.Claimer); ok {
		k.claim(ctx, b, "owner", names(records), 100, records...)
	}
}

// compareUnfinished asks in every way there is for all unfinished records.
func (k *kit) compareUnfinished(ctx context.Context, b taskflow.Backend, want []taskflow.Record) {
	k.Helper()
	k.compare("LoadPending", k.pending(ctx, b), want)
	if q, ok := b.(taskflow.PendingQuerier); ok {
		k.compare("QueryPending", k.pendingPages(ctx, b, taskflow.Query{Limit: 100, Full: true}), want)
		for _, r := range want {
			got, err := q.GetPending(ctx, r.ID)
			k.must(err, "GetPending")
			k.compare("GetPending", []taskflow.Record{got}, []taskflow.Record{r})
		}
	}
}
