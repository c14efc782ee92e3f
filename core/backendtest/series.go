package backendtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func seriesTopics() []topic {
	const needs = "SeriesStore"
	has := offers[taskflow.SeriesStore]
	return []topic{
		{name: "series/by start and instance, within a window", needs: needs, has: has, test: seriesInOrder},
		{name: "series/a point put again replaces", needs: needs, has: has, test: seriesReplace},
		{name: "series/any bytes come back, and a thousand points", needs: needs, has: has, test: seriesAreBytes},
		{name: "series/a point that makes no sense is refused", needs: needs, has: has, test: seriesRefused},
		{name: "series/pruning removes the old of one resolution", needs: needs, has: has, test: seriesPruned},
		{name: "series/eight writers lose nothing", needs: needs, has: has, test: seriesAtOnce},
		{name: "series/survive a restart", needs: needs, has: has, test: seriesSurviveRestart},
	}
}

// minute is when the series of the tests begin.
var minute = base.Truncate(time.Hour)

// pointAt is a point of a number of minutes, or hours, after the beginning.
func pointAt(resolution time.Duration, n int, instance, data string) taskflow.SeriesPoint {
	return taskflow.SeriesPoint{Resolution: resolution, Start: minute.Add(time.Duration(n) * resolution), Instance: instance, Data: []byte(data)}
}

func (k *kit) putSeries(ctx context.Context, b taskflow.Backend, points ...taskflow.SeriesPoint) {
	k.Helper()
	k.must(b.(taskflow.SeriesStore).PutSeries(ctx, points), "PutSeries")
}

func (k *kit) seriesAre(ctx context.Context, b taskflow.Backend, resolution time.Duration, since, until time.Time, want ...taskflow.SeriesPoint) {
	k.Helper()
	got, err := b.(taskflow.SeriesStore).Series(ctx, resolution, since, until)
	k.must(err, "Series")
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i].Resolution != want[i].Resolution || !got[i].Start.Equal(want[i].Start) || got[i].Start.Location() != time.UTC ||
			got[i].Instance != want[i].Instance || !bytes.Equal(got[i].Data, want[i].Data) {
			k.Errorf("Series(%v, %v, %v) returned %d points, %s; want %d, %s", resolution, since, until, len(got), pointsText(got), len(want), pointsText(want))
			return
		}
	}
}

func pointsText(points []taskflow.SeriesPoint) string {
	var b strings.Builder
	for _, p := range points[:min(len(points), 20)] {
		fmt.Fprintf(&b, "[%v %v %.20q %.20q]", p.Resolution, p.Start, p.Instance, p.Data)
	}
	return b.String()
}

func seriesInOrder(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	k.seriesAre(ctx, here, time.Minute, minute, minute.Add(time.Hour))
	a, b := pointAt(time.Minute, 0, "a", "1"), pointAt(time.Minute, 0, "b", "2")
	c, d := pointAt(time.Minute, 1, "a", "3"), pointAt(time.Minute, 2, "a", "4")
	hour := pointAt(time.Hour, 0, "a", "hour")
	k.putSeries(ctx, here, d, b)
	k.putSeries(ctx, there, c, a, hour)
	k.putSeries(ctx, there)
	all := minute.AddDate(1, 0, 0)
	k.seriesAre(ctx, here, time.Minute, minute, all, a, b, c, d)
	k.seriesAre(ctx, there, time.Hour, minute, all, hour)
	k.seriesAre(ctx, there, time.Minute, minute, minute.Add(2*time.Minute), a, b, c)
	k.seriesAre(ctx, there, time.Minute, minute.Add(time.Nanosecond), minute.Add(2*time.Minute+time.Nanosecond), c, d)
	k.seriesAre(ctx, here, time.Minute, minute.Add(time.Minute).In(time.FixedZone("UTC+5:45", 20700)), all, c, d)
	k.seriesAre(ctx, here, time.Second, time.Unix(0, 0), all)
	k.seriesAre(ctx, here, time.Minute, time.Time{}, all, a, b, c, d)
}

func seriesReplace(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	old, other := pointAt(time.Minute, 0, "a", "old"), pointAt(time.Minute, 0, "A", "other")
	k.putSeries(ctx, here, old, other)
	young := pointAt(time.Minute, 0, "a", "young")
	k.putSeries(ctx, there, pointAt(time.Minute, 0, "a", "between"), pointAt(time.Hour, 0, "a", "hour"), young)
	k.putSeries(ctx, there, young)
	k.seriesAre(ctx, here, time.Minute, minute, minute.Add(time.Hour), other, young)
	k.seriesAre(ctx, here, time.Hour, minute, minute.Add(time.Hour), pointAt(time.Hour, 0, "a", "hour"))
}

func seriesAreBytes(k *kit) {
	b, ctx := k.start(), k.context()
	var want []taskflow.SeriesPoint
	for n := range 1000 {
		want = append(want, pointAt(time.Minute, n, "a:b", fmt.Sprintf("\x00\xff'\n%d", n)))
	}
	large := strings.Repeat("\x00\xffx'", taskflow.MaxSeriesBytes/4)
	want = append(want, pointAt(time.Minute, 1000, strings.Repeat("i", 255), large), pointAt(time.Minute, 1001, "a", ""))
	k.putSeries(ctx, b, want...)
	k.seriesAre(ctx, b, time.Minute, minute, minute.AddDate(0, 0, 1), want...)
	nothing := pointAt(time.Minute, 1002, "a", "")
	nothing.Data = nil
	k.putSeries(ctx, b, nothing)
	k.seriesAre(ctx, b, time.Minute, nothing.Start, minute.AddDate(0, 0, 1), nothing)
}

func seriesRefused(k *kit) {
	b, ctx := k.start(), k.context()
	for what, change := range map[string]func(*taskflow.SeriesPoint){
		"half a second":    func(p *taskflow.SeriesPoint) { p.Resolution = time.Second / 2 },
		"no resolution":    func(p *taskflow.SeriesPoint) { p.Resolution = 0 },
		"a fraction":       func(p *taskflow.SeriesPoint) { p.Start = p.Start.Add(time.Millisecond) },
		"no start":         func(p *taskflow.SeriesPoint) { p.Start = time.Time{} },
		"no instance":      func(p *taskflow.SeriesPoint) { p.Instance = "" },
		"a long instance":  func(p *taskflow.SeriesPoint) { p.Instance = strings.Repeat("i", 256) },
		"more than 1 MB":   func(p *taskflow.SeriesPoint) { p.Data = make([]byte, taskflow.MaxSeriesBytes+1) },
		"a year too large": func(p *taskflow.SeriesPoint) { p.Start = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		bad := pointAt(time.Minute, 1, "a", "bad")
		change(&bad)
		err := b.(taskflow.SeriesStore).PutSeries(ctx, []taskflow.SeriesPoint{pointAt(time.Minute, 0, "a", "good"), bad})
		if !errors.Is(err, taskflow.ErrInvalidOption) {
			k.Errorf("PutSeries of a point with %s returned %v, want ErrInvalidOption", what, err)
		}
	}
	k.seriesAre(ctx, b, time.Minute, minute, minute.Add(time.Hour)) // all or none
}

func seriesPruned(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	var minutes, hours []taskflow.SeriesPoint
	for n := range 1200 {
		minutes = append(minutes, pointAt(time.Minute, n, "a", "minute"))
	}
	for n := range 20 {
		hours = append(hours, pointAt(time.Hour, n, "a", "hour"))
	}
	k.putSeries(ctx, here, minutes...)
	k.putSeries(ctx, here, hours...)
	k.must(there.(taskflow.SeriesStore).PruneSeries(ctx, time.Minute, minutes[1190].Start), "PruneSeries")
	all := minute.AddDate(1, 0, 0)
	k.seriesAre(ctx, here, time.Minute, minute, all, minutes[1190:]...)
	k.seriesAre(ctx, here, time.Hour, minute, all, hours...)
	k.must(here.(taskflow.SeriesStore).PruneSeries(ctx, time.Minute, minutes[1190].Start.Add(time.Nanosecond)), "PruneSeries")
	k.seriesAre(ctx, there, time.Minute, minute, all, minutes[1191:]...)
	k.must(here.(taskflow.SeriesStore).PruneSeries(ctx, time.Hour, time.Time{}), "PruneSeries before all")
	k.seriesAre(ctx, there, time.Hour, minute, all, hours...)
}

func seriesAtOnce(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	var (
		wg   sync.WaitGroup
		bad  [8]error
		want []taskflow.SeriesPoint
	)
	for n := range 20 {
		for i := range bad {
			want = append(want, pointAt(time.Minute, n, fmt.Sprint("instance", i), "second"))
		}
	}
	for i := range bad {
		s := []taskflow.Backend{here, there}[i%2].(taskflow.SeriesStore)
		wg.Go(func() {
			for n := 0; n < 20 && bad[i] == nil; n++ {
				for _, data := range []string{"first", "second"} {
					bad[i] = errors.Join(bad[i], s.PutSeries(ctx, []taskflow.SeriesPoint{pointAt(time.Minute, n, fmt.Sprint("instance", i), data)}))
				}
			}
		})
	}
	wg.Wait()
	for _, err := range bad {
		k.must(err, "PutSeries by one of eight")
	}
	k.seriesAre(ctx, there, time.Minute, minute, minute.Add(time.Hour), want...)
}

func seriesSurviveRestart(k *kit) {
	if k.reopen == nil {
		k.skip(noReopen)
	}
	b, ctx := k.start(), k.context()
	p := pointAt(time.Minute, 0, "a", "data")
	k.putSeries(ctx, b, p)
	k.must(b.Close(), "Close")
	k.seriesAre(ctx, k.opened(k.reopen(b)), time.Minute, minute, minute.Add(time.Hour), p)
}
