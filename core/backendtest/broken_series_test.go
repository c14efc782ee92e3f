package backendtest

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func brokenStates() []brokenTwist {
	put := func(change func(name string, value []byte) (string, []byte)) func(*twisted) {
		return func(t *twisted) {
			t.putState = func(ctx context.Context, name string, value []byte) error {
				name, value = change(name, value)
				return t.Backend.PutState(ctx, name, value)
			}
		}
	}
	return []brokenTwist{
		{"keeps the first value", "state/the last value is what all see", func(t *twisted) {
			t.putState = func(ctx context.Context, name string, value []byte) error {
				if _, err := t.State(ctx, name); err == nil {
					return nil
				}
				return t.Backend.PutState(ctx, name, value)
			}
		}},
		{"folds names", "state/any bytes are a name and a value", put(func(name string, value []byte) (string, []byte) {
			return strings.ToLower(name), value
		})},
		{"finds what contains the text", "state/found by what the name begins with", func(t *twisted) {
			t.states = func(ctx context.Context, prefix string) (map[string][]byte, error) {
				all, err := t.Backend.States(ctx, "")
				for name := range all {
					if !strings.Contains(name, prefix) {
						delete(all, name)
					}
				}
				return all, err
			}
		}},
		{"cuts values", "state/what is too large is refused", put(func(name string, value []byte) (string, []byte) {
			return name, value[:min(len(value), 1000)]
		})},
		{"drops some", "state/eight at once leave one of their values", func(t *twisted) {
			t.putState = func(ctx context.Context, name string, value []byte) error {
				if string(value) == "19" {
					return nil
				}
				return t.Backend.PutState(ctx, name, value)
			}
		}},
		{"forgets at Close", "state/survives a restart", nothing},
	}
}

func brokenSeries() []brokenTwist {
	read := func(change func(points []taskflow.SeriesPoint) []taskflow.SeriesPoint) func(*twisted) {
		return func(t *twisted) {
			t.series = func(ctx context.Context, resolution time.Duration, since, until time.Time) ([]taskflow.SeriesPoint, error) {
				points, err := t.Backend.Series(ctx, resolution, since, until)
				return change(points), err
			}
		}
	}
	return []brokenTwist{
		{"shows the newest first", "series/by start and instance, within a window", read(func(points []taskflow.SeriesPoint) []taskflow.SeriesPoint {
			slices.Reverse(points)
			return points
		})},
		{"includes the end", "series/by start and instance, within a window", func(t *twisted) {
			t.series = func(ctx context.Context, resolution time.Duration, since, until time.Time) ([]taskflow.SeriesPoint, error) {
				return t.Backend.Series(ctx, resolution, since, until.Add(time.Second))
			}
		}},
		{"keeps the first", "series/a point put again replaces", func(t *twisted) {
			t.putSeries = func(ctx context.Context, points []taskflow.SeriesPoint) error {
				for _, p := range points {
					if there, err := t.Series(ctx, p.Resolution, p.Start, p.Start.Add(time.Second)); err != nil || len(there) > 0 {
						return err
					}
				}
				return t.Backend.PutSeries(ctx, points)
			}
		}},
		{"returns a few hundred", "series/any bytes come back, and a thousand points", read(func(points []taskflow.SeriesPoint) []taskflow.SeriesPoint {
			return points[:min(len(points), 500)]
		})},
		{"stores one by one", "series/a point that makes no sense is refused", func(t *twisted) {
			t.putSeries = func(ctx context.Context, points []taskflow.SeriesPoint) error {
				for _, p := range points {
					if err := t.Backend.PutSeries(ctx, []taskflow.SeriesPoint{p}); err != nil {
						return err
					}
				}
				return nil
			}
		}},
		{"prunes all resolutions", "series/pruning removes the old of one resolution", func(t *twisted) {
			t.pruneSeries = func(ctx context.Context, _ time.Duration, before time.Time) error {
				for _, resolution := range []time.Duration{time.Minute, time.Hour} {
					if err := t.Backend.PruneSeries(ctx, resolution, before); err != nil {
						return err
					}
				}
				return nil
			}
		}},
		{"drops some", "series/eight writers lose nothing", func(t *twisted) {
			var n atomic.Int64
			t.putSeries = func(ctx context.Context, points []taskflow.SeriesPoint) error {
				if n.Add(1)%50 == 0 {
					return nil
				}
				return t.Backend.PutSeries(ctx, points)
			}
		}},
		{"forgets at Close", "series/survive a restart", nothing},
	}
}
