package taskflow_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// The clock of a bubble begins on Saturday, 1 January 2000, 00:00 UTC.
var dawn = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// diary notes when a task has begun, as time since dawn.
type diary struct {
	mu   sync.Mutex
	runs []time.Duration
}

func (d *diary) note() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.runs = append(d.runs, time.Since(dawn).Round(time.Millisecond))
}

func (d *diary) want(t *testing.T, want ...time.Duration) {
	t.Helper()
	d.wantWithin(t, 0, want...)
}

func (d *diary) wantWithin(t *testing.T, late time.Duration, want ...time.Duration) {
	t.Helper()
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.EqualFunc(d.runs, want, func(got, want time.Duration) bool { return got >= want && got <= want+late*time.Duration(len(d.runs)) }) {
		t.Errorf("it ran at %v, want %v", d.runs, want)
	}
}

// noting defines a task that writes into the diary, and takes some time.
func (d *diary) noting(takes time.Duration) taskflow.Call {
	return taskflow.Define("noting", func(ctx context.Context, _ struct{}) error {
		d.note()
		if takes == 0 {
			return nil
		}
		select {
		case <-time.After(takes):
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}, taskflow.Idempotent()).With(struct{}{})
}

// info is the schedule of a manager that has one.
func info(t *testing.T, m *taskflow.Manager) taskflow.ScheduleInfo {
	t.Helper()
	all, err := m.Schedules(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatalf("%d schedules, %v", len(all), err)
	}
	return all[0]
}

func minutes(all ...int) (list []time.Duration) {
	for _, n := range all {
		list = append(list, time.Duration(n)*time.Minute)
	}
	return list
}

func TestAScheduleRunsAtEachSlot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d diary
		m := started(t, taskflow.WithSchedule("cleanup", taskflow.Every(5*time.Minute), d.noting(0), taskflow.Tag("team", "ops"), taskflow.Priority(7)))
		if next := info(t, m).NextRun; !next.Equal(dawn.Add(5 * time.Minute)) {
			t.Errorf("the next run is at %v", next)
		}
		time.Sleep(16 * time.Minute)
		d.want(t, minutes(5, 10, 15)...)
		got := info(t, m)
		if next := got.NextRun; !next.Equal(dawn.Add(20 * time.Minute)) {
			t.Errorf("the next run is at %v", next)
		}
		if len(got.Recent) != 3 || !got.Recent[0].Slot.Equal(dawn.Add(15*time.Minute)) || got.Recent[0].Status != taskflow.StatusSuccess {
			t.Fatalf("the recent runs are %+v", got.Recent)
		}
		r, err := m.Get(t.Context(), got.Recent[0].TaskID)
		if err != nil {
			t.Fatal(err)
		}
		if r.Source != taskflow.SourceScheduled || r.Tags["schedule"] != "cleanup" || r.Tags["team"] != "ops" || r.Priority != 7 || r.Durable {
			t.Errorf("the run is %+v", r)
		}
		got.Recent = nil
		want := taskflow.ScheduleInfo{
			Name: "cleanup", Spec: "every 5m0s", Description: "every 5 minutes", TimeZone: "UTC", Task: "noting", Overlap: taskflow.OverlapSkip, NextRun: got.NextRun,
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	})
}

func TestAScheduleHasItsTimeZone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d diary
		m := started(t, taskflow.WithSchedule("report", taskflow.Cron("0 3 * * MON"), d.noting(0), taskflow.TimeZone("Europe/Berlin")))
		if got := info(t, m); got.Description != "at 03:00 on Monday (Europe/Berlin)" || got.TimeZone != "Europe/Berlin" || got.Spec != "0 3 * * MON" {
			t.Errorf("it is %+v", got)
		}
		time.Sleep(60 * time.Hour)
		d.want(t, 50*time.Hour) // 02:00 UTC on Monday
	})
}

func TestEachSlotRunsOnceOnThreeInstances(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		var d diary
		var all []*taskflow.Manager
		for range 3 {
			m, _ := c.instance(taskflow.WithSchedule("tick", taskflow.Every(time.Minute), d.noting(0)))
			all = append(all, m)
			time.Sleep(7 * time.Second)
		}
		time.Sleep(30 * time.Minute)
		var want []int
		for i := range 30 {
			want = append(want, i+1)
		}
		d.want(t, minutes(want...)...)
		for _, m := range all {
			got := info(t, m)
			if len(got.Recent) != 10 || !got.Durable {
				t.Fatalf("an instance sees %d runs, durable: %v; want 10, durable", len(got.Recent), got.Durable)
			}
			for i, r := range got.Recent {
				if want := dawn.Add(time.Duration(30-i) * time.Minute); !r.Slot.Equal(want) || r.Status != taskflow.StatusSuccess {
					t.Errorf("run %d is %+v, want slot %v", i, r, want)
				}
			}
		}
		stored, err := c.backend.States(t.Context(), "")
		if err != nil || len(stored) != 10 {
			t.Errorf("the backend has %d states, %v; want the 10 runs", len(stored), err)
		}
	})
}

func TestWhenTheFormerRunHasNotEnded(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		policy  taskflow.OverlapPolicy
		takes   time.Duration
		want    []time.Duration
		skipped int64
	}{
		{taskflow.OverlapSkip, 150 * time.Second, minutes(1, 4, 7), 4},
		{taskflow.OverlapAllow, 150 * time.Second, minutes(1, 2, 3, 4, 5, 6, 7), 0},
		{taskflow.OverlapQueue, 95 * time.Second, []time.Duration{60 * time.Second, 155 * time.Second, 250 * time.Second, 345 * time.Second}, 2}, // 4 and 7
	} {
		for name, backed := range map[string]bool{"in memory": false, "two instances": true} {
			t.Run(fmt.Sprint(tt.policy, " ", name), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					var d diary
					c := newCluster(t)
					var m *taskflow.Manager
					with := taskflow.WithSchedule("slow", taskflow.Every(time.Minute), d.noting(tt.takes), taskflow.Overlap(tt.policy))
					if backed {
						c.instance(with)
						time.Sleep(time.Second)
						m, _ = c.instance(with)
					} else {
						m = started(t, with)
					}
					time.Sleep(time.Until(dawn.Add(7*time.Minute + 10*time.Second)))
					d.wantWithin(t, time.Second, tt.want...) // who waits for another instance's run looks each second
					reason := taskflow.SkipOverlap
					if tt.skipped == 0 {
						reason = ""
					}
					if got := info(t, m); got.Skipped != tt.skipped || got.SkippedFor != reason || got.Overlap != tt.policy {
						t.Errorf("%d slots were skipped, the latest for %q; want %d, for %q", got.Skipped, got.SkippedFor, tt.skipped, reason)
					}
				})
			})
		}
	}
}

// shared is a backend that instances share and that has no journal: what runs on one of them is in its memory only.
type shared struct {
	taskflow.Backend
	taskflow.Querier
	taskflow.SlotStore
	taskflow.StateStore
	taskflow.InstanceStore
}

func (shared) Close() error { return nil }

func TestARunInTheMemoryOfAnotherInstanceIsNotOverlapped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d diary
		b := memory.New()
		var all []*taskflow.Manager
		for range 2 {
			all = append(all, started(t, taskflow.WithBackend(shared{b, b, b, b, b}),
				taskflow.WithSchedule("slow", taskflow.Every(time.Second), d.noting(2500*time.Millisecond))))
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(time.Until(dawn.Add(11500 * time.Millisecond)))
		d.want(t, time.Second, 4*time.Second, 7*time.Second, 10*time.Second)
		for _, m := range all {
			if got := info(t, m); got.Skipped != 7 || got.Durable {
				t.Errorf("%d slots were skipped, durable: %v; want 7, in memory", got.Skipped, got.Durable)
			}
		}
	})
}

func TestJitterIsTheSameOnAllInstancesAndEndsBeforeTheNextSlot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d diary
		c := newCluster(t)
		for range 2 {
			c.instance(taskflow.WithSchedule("spread", taskflow.Cron("0,10 * * * *"), d.noting(0), taskflow.Jitter(30*time.Minute)))
		}
		time.Sleep(6 * time.Hour)
		synctest.Wait()
		d.mu.Lock()
		defer d.mu.Unlock()
		different := map[time.Duration]bool{}
		for i, at := range d.runs {
			slot, most := time.Duration(i/2)*time.Hour, 10*time.Minute
			if i%2 == 1 {
				slot, most = slot+10*time.Minute, 30*time.Minute
			}
			if at < slot || at >= slot+most {
				t.Errorf("the slot at %v ran at %v, want less than %v later", slot, at, most)
			}
			different[at-slot] = true
		}
		if len(d.runs) < 11 || len(d.runs) > 12 || len(different) < 9 {
			t.Errorf("%d runs with %d different delays, want 11 or 12", len(d.runs), len(different))
		}
	})
}

func TestASlotThatWaitsWhenItsInstanceStopsSaysSo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d diary
		var log lockedBuffer
		c := newCluster(t)
		with := taskflow.WithSchedule("slow", taskflow.Every(time.Minute), d.noting(90*time.Second), taskflow.Overlap(taskflow.OverlapQueue))
		m, _ := c.instance(with, taskflow.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		time.Sleep(130 * time.Second) // the slot at 2 min waits for the run of that at 1 min
		if err := m.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		other, _ := c.instance(with)
		got := info(t, other)
		if got.Skipped != 1 || got.SkippedFor != taskflow.SkipStopped || !got.SkippedAt.Equal(dawn.Add(2*time.Minute)) {
			t.Errorf("%d slots were skipped, the latest at %v for %q; want that at 2 min, for %q", got.Skipped, got.SkippedAt, got.SkippedFor, taskflow.SkipStopped)
		}
		if said := log.String(); !strings.Contains(said, "because the manager stops") || strings.Contains(said, "has not ended") {
			t.Errorf("the log says %s", said)
		}
	})
}

// What an older version has stored of a skipped slot has no reason.
func TestASkippedSlotOfAnOlderVersion(t *testing.T) {
	t.Parallel()
	b := memory.New()
	if err := b.PutState(t.Context(), "schedule/slow/skipped", []byte(`{"count":3,"slot":"2000-01-01T00:00:00Z"}`)); err != nil {
		t.Fatal(err)
	}
	var d diary
	m := started(t, taskflow.WithBackend(b), taskflow.WithSchedule("slow", taskflow.Every(time.Hour), d.noting(0)))
	if got := info(t, m); got.Skipped != 3 || got.SkippedFor != taskflow.SkipOverlap {
		t.Errorf("%d were skipped, the latest for %q; want 3, for %q", got.Skipped, got.SkippedFor, taskflow.SkipOverlap)
	}
}
