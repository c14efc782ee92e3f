package cli

import (
	"context"
	"flag"
	"fmt"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func statsCommand() command {
	return command{
		name: "stats", args: "URL", summary: "totals, success rate and durations",
		about: `
Shows how many tasks there are in each status, the share of successes among those that ran to an end, and how long they
took (of success and failed, retries and waits included; the percentiles are at most 13 % too high). Tasks that live in the
memory of an instance only are not counted: see taskflow instances.`,
		make: func(flags *flag.FlagSet) action {
			o := &statsOptions{}
			flags.Var(&o.since, "since", "only tasks added within this `AGE` (6h, 7d), or since a time; these are counted one by one")
			flags.BoolVar(&o.json, "json", false, "one line of JSON, as GET /metrics")
			return o.run
		},
	}
}

type statsOptions struct {
	since moment
	json  bool
}

// totals has the field names of GET /metrics.
type totals struct {
	Total       int64   `json:"total"`
	Pending     int64   `json:"pending"`
	Running     int64   `json:"running"`
	Success     int64   `json:"success"`
	Failed      int64   `json:"failed"`
	Interrupted int64   `json:"interrupted"`
	Cancelled   int64   `json:"cancelled"`
	SuccessRate float64 `json:"success_rate"`
	AvgDuration float64 `json:"avg_duration_seconds"`
	Percentiles struct {
		P50 float64 `json:"p50"`
		P90 float64 `json:"p90"`
		P95 float64 `json:"p95"`
		P99 float64 `json:"p99"`
	} `json:"percentiles"`
}

func (o *statsOptions) run(ctx context.Context, a *app, args []string) error {
	if len(args) != 1 {
		return usagef("one URL is needed, %d arguments were given", len(args))
	}
	return a.with(ctx, args[0], func(s storage) error {
		stats, err := o.stats(ctx, a, s)
		if err != nil {
			return err
		}
		if o.json {
			return a.line(totalsOf(&stats))
		}
		return printStats(a, &stats)
	})
}

func (o *statsOptions) stats(ctx context.Context, a *app, s storage) (stats taskflow.Stats, err error) {
	if !o.since.set {
		return allStats(ctx, s)
	}
	l := listing{s: s, q: taskflow.Query{Filter: taskflow.Filter{Since: o.since.at(a.now())}, Limit: pageSize}}
	for more := true; more; {
		var records []taskflow.Record
		if records, more, err = l.next(ctx); err != nil {
			return stats, err
		}
		for i := range records {
			stats.Add(&records[i])
		}
	}
	return stats, nil
}

// allStats are the totals of the history, and the unfinished tasks.
func allStats(ctx context.Context, s storage) (taskflow.Stats, error) {
	var stats taskflow.Stats
	for q := (taskflow.Query{Limit: pageSize}); ; {
		p, err := s.QueryPending(ctx, q)
		if err != nil {
			return stats, fmt.Errorf("count the unfinished tasks: %w", err)
		}
		for i := range p.Records {
			stats.Add(&p.Records[i])
		}
		if p.Next == "" {
			break
		}
		q.Before = p.Next
	}
	stored, err := s.Stats(ctx)
	if err != nil {
		return stats, fmt.Errorf("read the totals: %w", err)
	}
	stats.Merge(&stored)
	return stats, nil
}

func totalsOf(s *taskflow.Stats) totals {
	t := totals{
		Total:   s.Total(),
		Pending: s.Counts[taskflow.StatusPending], Running: s.Counts[taskflow.StatusRunning],
		Success: s.Counts[taskflow.StatusSuccess], Failed: s.Counts[taskflow.StatusFailed],
		Interrupted: s.Counts[taskflow.StatusInterrupted], Cancelled: s.Counts[taskflow.StatusCancelled],
		SuccessRate: s.SuccessRate(), AvgDuration: s.Durations.Mean().Seconds(),
	}
	for q, to := range map[float64]*float64{0.5: &t.Percentiles.P50, 0.9: &t.Percentiles.P90, 0.95: &t.Percentiles.P95, 0.99: &t.Percentiles.P99} {
		*to = s.Durations.Quantile(q).Seconds()
	}
	return t
}

func printStats(a *app, s *taskflow.Stats) error {
	t := a.newTable()
	for _, status := range taskflow.Statuses() {
		t.row(string(status), thousands(s.Counts[status]))
	}
	t.row("total", thousands(s.Total()))
	rate, mean := "-", "-"
	quantile := func(float64) string { return "-" }
	if s.Counts[taskflow.StatusSuccess]+s.Counts[taskflow.StatusFailed] > 0 {
		rate = fmt.Sprintf("%.1f %%", 100*s.SuccessRate())
		mean = shownDuration(s.Durations.Mean())
		quantile = func(q float64) string { return atMost(s.Durations.Quantile(q)) }
	}
	t.row("success rate", rate)
	t.row("average", mean)
	t.row("p50", quantile(0.5))
	t.row("p95", quantile(0.95))
	t.row("p99", quantile(0.99))
	return t.flush()
}

// atMost shows the upper end of a bucket, with no more digits than it knows.
func atMost(d time.Duration) string {
	unit := time.Duration(1)
	for d/unit >= 1000 {
		unit *= 10
	}
	return shownDuration(d.Round(unit))
}
