package redis

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// seriesPage is how many points one script returns, and removes: the server does nothing else meanwhile.
const seriesPage = 500

// PutSeries implements [taskflow.SeriesStore].
func (b *Backend) PutSeries(ctx context.Context, points []taskflow.SeriesPoint) error {
	return b.use(ctx, "put series", func(c *connection) error {
		args := make([]any, 0, 3*len(points))
		for i := range points {
			p := &points[i]
			if err := p.Check(); err != nil {
				return err
			}
			args = append(args, resolutionText(p.Resolution), startText(p.Start)+":"+p.Instance, filled(p.Data))
		}
		if len(args) == 0 {
			return nil
		}
		_, err := c.run(ctx, scriptPutSeries, args...)
		return err
	})
}

// Series implements [taskflow.SeriesStore].
func (b *Backend) Series(ctx context.Context, resolution time.Duration, since, until time.Time) ([]taskflow.SeriesPoint, error) {
	var points []taskflow.SeriesPoint
	err := b.use(ctx, "series", func(c *connection) error {
		from := "[" + startText(since)
		for {
			reply, err := c.run(ctx, scriptSeries, resolutionText(resolution), from, "("+startText(until), seriesPage)
			if err != nil {
				return err
			}
			rows := list(reply)
			for i := 0; i+1 < len(rows); i += 2 {
				member := text(rows[i])
				from = "(" + member
				p, err := seriesPoint(resolution, member, text(rows[i+1]))
				if err != nil {
					b.skipped("series", member, err)
					continue
				}
				points = append(points, p)
			}
			if len(rows) < 2*seriesPage {
				return nil
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return points, nil
}

// PruneSeries implements [taskflow.SeriesStore].
func (b *Backend) PruneSeries(ctx context.Context, resolution time.Duration, before time.Time) error {
	return b.use(ctx, "prune series", func(c *connection) error {
		for {
			reply, err := c.run(ctx, scriptPruneSeries, resolutionText(resolution), "("+startText(before), seriesPage)
			if err != nil || number(reply) < seriesPage {
				return err
			}
		}
	})
}

func seriesPoint(resolution time.Duration, member, data string) (taskflow.SeriesPoint, error) {
	start, instance, _ := strings.Cut(member, ":")
	at, err := strconv.ParseInt(start, 10, 64)
	if err != nil {
		return taskflow.SeriesPoint{}, fmt.Errorf("its start cannot be read: %w", err)
	}
	return taskflow.SeriesPoint{Resolution: resolution, Start: time.Unix(at, 0).UTC(), Instance: instance, Data: []byte(data)}, nil
}

// resolutionText is part of the names of keys.
func resolutionText(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }

// startText is the first whole second that is not before t, in digits that compare like the moments; the years before 1970 are one.
func startText(t time.Time) string {
	at := t.Unix()
	if t.Nanosecond() > 0 {
		at++
	}
	return fmt.Sprintf("%012d", max(at, 0))
}
