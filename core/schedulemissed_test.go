package taskflow_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func TestSlotsThatWereMissedWhileNothingRan(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		opts    []taskflow.ScheduleOption
		another bool // another When after the restart
		want    []time.Duration
	}{
		{"are not made up for", nil, false, minutes(60, 360)},
		{"CatchUp: the latest is, once", []taskflow.ScheduleOption{taskflow.CatchUp()}, false, minutes(60, 330, 360)},
		{"CatchUp: not those of a When that was not there", []taskflow.ScheduleOption{taskflow.CatchUp()}, true, minutes(60, 345, 360)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var d diary
				c := newCluster(t)
				m, _ := c.instance(taskflow.WithSchedule("hourly", taskflow.Every(time.Hour), d.noting(0), tt.opts...))
				time.Sleep(90 * time.Minute)
				if err := m.Stop(t.Context()); err != nil {
					t.Fatal(err)
				}
				time.Sleep(4 * time.Hour)
				when := taskflow.Every(time.Hour)
				if tt.another {
					when = taskflow.Cron("*/15 * * * *")
				}
				for range 2 {
					c.instance(taskflow.WithSchedule("hourly", when, d.noting(0), tt.opts...))
					time.Sleep(5 * time.Minute)
				}
				time.Sleep(25 * time.Minute)
				d.want(t, tt.want...)
			})
		})
	}
}

func TestTheFirstStartOfAScheduleHasMissedNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(90 * time.Minute)
		var d diary
		newCluster(t).instance(taskflow.WithSchedule("hourly", taskflow.Every(time.Hour), d.noting(0), taskflow.CatchUp()))
		time.Sleep(35 * time.Minute)
		d.want(t, minutes(120)...)
	})
}

func TestAProcessThatWasSuspended(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		opts []taskflow.ScheduleOption
		want []time.Duration // by the clock of the bubble, which is not suspended
	}{
		"misses its slots":         {nil, minutes(60, 120)},
		"CatchUp: runs the latest": {[]taskflow.ScheduleOption{taskflow.CatchUp()}, append(minutes(60), 90*time.Minute+15*time.Second, 120*time.Minute)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var d diary
				var ahead atomic.Int64
				m := created(t, taskflow.WithSchedule("hourly", taskflow.Every(time.Hour), d.noting(0), tt.opts...))
				m.SetWallClock(func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
				if err := m.Start(t.Context()); err != nil {
					t.Fatal(err)
				}
				time.Sleep(90*time.Minute + time.Second)
				ahead.Store(int64(6 * time.Hour))
				time.Sleep(40 * time.Minute)
				d.want(t, tt.want...)
				if err := m.Stop(t.Context()); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

func TestAClockThatIsSetBackRunsNoSlotTwice(t *testing.T) {
	t.Parallel()
	for name, restart := range map[string]bool{"while it runs": false, "before a restart": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var d diary
				var back atomic.Int64
				c := newCluster(t)
				start := func() *taskflow.Manager {
					m := created(t, taskflow.WithBackend(&wire{Backend: c.backend}), taskflow.WithSchedule("tick", taskflow.Every(10*time.Minute), d.noting(0)))
					m.SetWallClock(func() time.Time { return time.Now().Add(-time.Duration(back.Load())) })
					if err := m.Start(t.Context()); err != nil {
						t.Fatal(err)
					}
					return m
				}
				m := start()
				time.Sleep(35 * time.Minute) // 10, 20, 30
				back.Store(int64(17 * time.Minute))
				if restart {
					if err := m.Stop(t.Context()); err != nil {
						t.Fatal(err)
					}
					m = start()
				}
				time.Sleep(25 * time.Minute) // 00:18 to 00:43 on the wall
				d.want(t, minutes(10, 20, 30, 57)...)
				if err := m.Stop(t.Context()); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

func TestASlotIsServedWhenTheBackendIsBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d diary
		c := newCluster(t)
		with := taskflow.WithSchedule("hourly", taskflow.Every(time.Hour), d.noting(0))
		_, here := c.instance(with)
		_, there := c.instance(with)
		time.Sleep(59 * time.Minute)
		here.cut.Store(true)
		there.cut.Store(true)
		time.Sleep(10 * time.Minute)
		here.cut.Store(false)
		there.cut.Store(false)
		time.Sleep(10 * time.Minute)
		d.mu.Lock()
		if len(d.runs) != 1 || d.runs[0] < 69*time.Minute || d.runs[0] > 71*time.Minute {
			t.Errorf("it ran at %v, want once, soon after 1h9m", d.runs)
		}
		d.runs = nil
		d.mu.Unlock()
		time.Sleep(time.Hour)
		d.want(t, 2*time.Hour)
	})
}

// TestASlotThatWasTakenByAnInstanceThatDiesIsLost: between the taking and the commit; twice would be worse.
func TestASlotThatWasTakenByAnInstanceThatDiesIsLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d diary
		c := newCluster(t)
		with := taskflow.WithSchedule("hourly", taskflow.Every(time.Hour), d.noting(0))
		_, dies := c.instance(with)
		dies.late.Store(int64(10 * time.Second))
		time.Sleep(time.Hour + time.Second) // it has the slot, and does not know yet
		dies.cut.Store(true)
		survivor, _ := c.instance(with)
		time.Sleep(30 * time.Minute)
		d.want(t)
		time.Sleep(time.Hour)
		d.want(t, 2*time.Hour)
		if got := info(t, survivor); len(got.Recent) != 1 {
			t.Errorf("the recent runs are %+v", got.Recent)
		}
		dies.cut.Store(false)
	})
}

// TestASubmittedRunOutlivesTheInstanceThatTookItsSlot: from its commit on it is like every other submitted task.
func TestASubmittedRunOutlivesTheInstanceThatTookItsSlot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var first, second diary
		c := newCluster(t)
		_, dies := c.instance(taskflow.WithSchedule("hourly", taskflow.Every(time.Hour), first.noting(time.Minute)))
		time.Sleep(time.Hour + time.Second)
		dies.cut.Store(true)
		survivor, _ := c.instance(taskflow.WithSchedule("hourly", taskflow.Every(time.Hour), second.noting(time.Minute)))
		time.Sleep(5 * time.Minute)
		first.want(t, time.Hour)
		if second.mu.Lock(); len(second.runs) != 1 || second.runs[0] > time.Hour+takeOverTime+lease {
			t.Errorf("the other instance ran it at %v, want once", second.runs)
		}
		second.mu.Unlock()
		got := info(t, survivor)
		if len(got.Recent) != 1 || got.Recent[0].Status != taskflow.StatusSuccess || !got.Recent[0].Slot.Equal(dawn.Add(time.Hour)) {
			t.Errorf("the recent runs are %+v", got.Recent)
		}
		dies.cut.Store(false)
	})
}

func TestStopBeginsTheRunOfASlotThatIsTaken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d diary
		c := newCluster(t)
		m, w := c.instance(taskflow.WithSchedule("hourly", taskflow.Every(time.Hour), d.noting(0)))
		w.late.Store(int64(3 * time.Second))
		time.Sleep(time.Hour + time.Second) // the slot is taken, the answer on its way
		if err := m.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.want(t, time.Hour+3*time.Second)
		time.Sleep(3 * time.Hour)
		d.want(t, time.Hour+3*time.Second)
		if _, err := m.Schedules(t.Context()); err != nil {
			t.Errorf("schedules of a stopped manager: %v", err)
		}
	})
}
