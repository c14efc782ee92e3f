package memory

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// seriesKey is what two points never have in common.
type seriesKey struct {
	resolution time.Duration
	start      int64 // seconds since 1970
	instance   string
}

// PutSeries implements [taskflow.SeriesStore].
func (b *Backend) PutSeries(ctx context.Context, points []taskflow.SeriesPoint) error {
	leave, err := b.enter(ctx, "put series")
	if err != nil {
		return err
	}
	defer leave()
	for i := range points {
		if err := points[i].Check(); err != nil {
			return fmt.Errorf("memory: put series: %w", err)
		}
	}
	for _, p := range points {
		b.series[seriesKey{p.Resolution, p.Start.Unix(), p.Instance}] = append([]byte{}, p.Data...)
	}
	return nil
}

// Series implements [taskflow.SeriesStore].
func (b *Backend) Series(ctx context.Context, resolution time.Duration, since, until time.Time) ([]taskflow.SeriesPoint, error) {
	leave, err := b.enter(ctx, "series")
	if err != nil {
		return nil, err
	}
	defer leave()
	var points []taskflow.SeriesPoint
	for key, data := range b.series {
		start := time.Unix(key.start, 0).UTC()
		if key.resolution == resolution && !start.Before(since) && start.Before(until) {
			points = append(points, taskflow.SeriesPoint{Resolution: resolution, Start: start, Instance: key.instance, Data: slices.Clone(data)})
		}
	}
	slices.SortFunc(points, func(p, q taskflow.SeriesPoint) int {
		return cmp.Or(p.Start.Compare(q.Start), strings.Compare(p.Instance, q.Instance))
	})
	return points, nil
}

// PruneSeries implements [taskflow.SeriesStore].
func (b *Backend) PruneSeries(ctx context.Context, resolution time.Duration, before time.Time) error {
	leave, err := b.enter(ctx, "prune series")
	if err != nil {
		return err
	}
	defer leave()
	maps.DeleteFunc(b.series, func(key seriesKey, _ []byte) bool {
		return key.resolution == resolution && time.Unix(key.start, 0).Before(before)
	})
	return nil
}
