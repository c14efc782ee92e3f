package backendtest

import (
	"context"
	"fmt"
	"sync"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func slotTopics() []topic {
	const needs = "SlotStore"
	has := offers[taskflow.SlotStore]
	return []topic{
		{name: "slots/one of eight wins each of a hundred", needs: needs, has: has, test: slotWonByOne},
		{name: "slots/an older one never after a newer", needs: needs, has: has, test: slotsMoveOn},
		{name: "slots/schedules do not concern each other", needs: needs, has: has, test: schedulesAreApart},
		{name: "slots/survive a restart", needs: needs, has: has, test: slotsSurviveRestart},
	}
}

func (k *kit) slot(ctx context.Context, b taskflow.Backend, schedule string, at time.Time, want bool) {
	k.Helper()
	got, err := b.(taskflow.SlotStore).TakeSlot(ctx, schedule, at)
	k.must(err, "TakeSlot")
	if got != want {
		k.Errorf("TakeSlot(%q, %s) returned %v, want %v", schedule, at.Format(time.RFC3339Nano), got, want)
	}
}

func slotWonByOne(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	const slots = 100
	var (
		wg  sync.WaitGroup
		won [8][slots]bool
		bad [8]error
	)
	for i := range won {
		s := []taskflow.Backend{here, there}[i%2].(taskflow.SlotStore)
		wg.Go(func() {
			for n := 0; n < slots && bad[i] == nil; n++ {
				won[i][n], bad[i] = s.TakeSlot(ctx, "hourly", base.Add(time.Duration(n)*time.Hour))
			}
		})
	}
	wg.Wait()
	for i := range won {
		k.must(bad[i], "TakeSlot by one of eight")
	}
	for n := range slots {
		winners := 0
		for i := range won {
			if won[i][n] {
				winners++
			}
		}
		if winners != 1 {
			k.Errorf("TakeSlot gave slot %d to %d of eight, want one", n, winners)
		}
	}
}

func slotsMoveOn(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	const s = "nightly"
	k.slot(ctx, here, s, base, true)
	k.slot(ctx, there, s, base, false)
	k.slot(ctx, there, s, base.Add(-time.Hour), false)
	k.slot(ctx, there, s, base.Add(time.Hour), true)
	k.slot(ctx, here, s, base.Add(30*time.Minute), false) // nobody has taken it, but a newer one was
	k.slot(ctx, here, s, base.Add(time.Hour).In(time.FixedZone("UTC+5:45", 20700)), false)
	k.slot(ctx, here, s, base.Add(time.Hour+time.Microsecond), true)
	k.slot(ctx, here, s, base.Add(time.Hour+time.Microsecond+100*time.Nanosecond), false)
	k.slot(ctx, here, s, base.Add(100*365*24*time.Hour), true)
	k.slot(ctx, there, s, time.Now(), false)
}

func schedulesAreApart(k *kit) {
	b, ctx := k.start(), k.context()
	list := append(hostile(), "nightly", "Nightly", "nightly ", "é", "e\u0301")
	for i, schedule := range list { // the later the schedule, the earlier its slot
		k.slot(ctx, b, schedule, base.Add(-time.Duration(i)*time.Hour), true)
	}
	for i, schedule := range list {
		k.slot(ctx, b, schedule, base.Add(-time.Duration(i)*time.Hour), false)
		k.slot(ctx, b, schedule, base.Add(-time.Duration(i)*time.Hour+time.Second), true)
	}
	k.slot(ctx, b, "old", time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC), true)
	k.slot(ctx, b, "old", time.Date(1960, 1, 1, 0, 0, 1, 0, time.UTC), true)
	k.slot(ctx, b, "old", time.Date(1960, 1, 1, 0, 0, 0, 1, time.UTC), false)
	k.slot(ctx, b, fmt.Sprint(list), base, true)
}

func slotsSurviveRestart(k *kit) {
	if k.reopen == nil {
		k.skip(noReopen)
	}
	b, ctx := k.start(), k.context()
	k.slot(ctx, b, "nightly", base, true)
	k.must(b.Close(), "Close")
	b = k.opened(k.reopen(b))
	k.slot(ctx, b, "nightly", base, false)
	k.slot(ctx, b, "nightly", base.Add(time.Hour), true)
}
