package main

import (
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// scheduleOptions are schedules whose slots are so far apart that none comes during a test: what runs, a test has run.
func (w *work) scheduleOptions() []taskflow.ManagerOption {
	return []taskflow.ManagerOption{
		taskflow.WithSchedule("inventory", taskflow.Every(30*24*time.Hour), w.tasks["sync_inventory"].With(script{})),
		taskflow.WithSchedule("monthly-report", taskflow.Cron("30 2 1 * *"), w.tasks["nightly_report"].With(script{Fail: "no sales in that month"}),
			taskflow.TimeZone("Europe/Berlin"), taskflow.CatchUp(), taskflow.Jitter(10*time.Minute), taskflow.Overlap(taskflow.OverlapQueue)),
		taskflow.WithSchedule("product-feed", taskflow.Cron("0 6 1 1 *"), w.tasks["publish_feed"].With(script{Gate: "feed"})),
	}
}
