package backendtest

import (
	"context"
	"maps"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func statsTopics() []topic {
	has := offers[taskflow.StatsReader]
	return []topic{
		{name: "stats/of nothing", needs: "StatsReader", has: has, test: statsOfNothing},
		{name: "stats/a record saved again counts once", needs: "StatsReader", has: has, test: statsCountOnce},
	}
}

func statsOfNothing(k *kit) {
	b, ctx := k.start(), k.context()
	k.compareStats(ctx, b.(taskflow.StatsReader), nil)
}

func statsCountOnce(k *kit) {
	b, ctx := k.start(), k.context()
	records := various()
	for i := range records {
		records[i].EndTime = records[i].StartTime.Add(time.Duration(i*i) * time.Second)
	}
	records[2].Status = taskflow.StatusInterrupted // its duration does not count
	k.save(ctx, b, records...)
	k.save(ctx, b, records[3:]...)
	records[0].Status, records[1].EndTime = taskflow.StatusFailed, records[1].EndTime.Add(time.Hour)
	k.save(ctx, b, records[0], records[1])
	unfinished := several(3, waiting)
	_, err := b.SavePending(ctx, unfinished)
	k.must(err, "SavePending")
	k.compareStats(ctx, b.(taskflow.StatsReader), records)
}

// compareStats compares with a count of the records.
func (k *kit) compareStats(ctx context.Context, s taskflow.StatsReader, records []taskflow.Record) {
	k.Helper()
	got, err := s.Stats(ctx)
	k.must(err, "Stats")
	var want taskflow.Stats
	for i := range records {
		want.Add(&records[i])
	}
	for _, status := range taskflow.Statuses() {
		if got.Counts[status] != want.Counts[status] {
			k.Errorf("Stats: %d records are %s, want %d", got.Counts[status], status, want.Counts[status])
		}
	}
	if g, w := got.Total(), want.Total(); g != w {
		k.Errorf("Stats: %d records in all, want %d", g, w)
	}
	g, w := got.Durations, want.Durations
	if g.Count != w.Count || !maps.Equal(g.Buckets, w.Buckets) {
		k.Errorf("Stats: durations are %v (%d), want %v (%d)", g.Buckets, g.Count, w.Buckets, w.Count)
	}
	if off := (g.Sum - w.Sum).Abs(); off > time.Duration(len(records))*time.Microsecond {
		k.Errorf("Stats: durations sum up to %v, want %v", g.Sum, w.Sum)
	}
}
