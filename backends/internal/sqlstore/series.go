package sqlstore

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// PutSeries implements [taskflow.SeriesStore].
func (s *Store) PutSeries(ctx context.Context, points []taskflow.SeriesPoint) error {
	for i := range points {
		if err := points[i].Check(); err != nil {
			return s.wrap(ctx, "put series", err)
		}
	}
	rows := seriesRows(points)
	return s.write(ctx, "put series", func(o *session, tx Tx) error {
		o.insert(ctx, tx, seriesTable, Conflict{Key: []string{"resolution", "begins_at", "instance"}, Set: []string{"data"}}, rows...)
		return nil
	})
}

// seriesRows are in the order of their keys, so that two calls do not wait for each other, and each key is there once.
func seriesRows(points []taskflow.SeriesPoint) [][]any {
	rows := make([][]any, 0, len(points))
	for _, p := range slices.Backward(points) { // the last of a key comes first, and stays
		rows = append(rows, []any{seconds(p.Resolution), p.Start.Unix(), []byte(p.Instance), filled(p.Data)})
	}
	order := func(a, b []any) int {
		return cmp.Or(cmp.Compare(a[0].(int64), b[0].(int64)), cmp.Compare(a[1].(int64), b[1].(int64)), bytes.Compare(a[2].([]byte), b[2].([]byte)))
	}
	slices.SortStableFunc(rows, order)
	return slices.CompactFunc(rows, func(a, b []any) bool { return order(a, b) == 0 })
}

// Series implements [taskflow.SeriesStore].
func (s *Store) Series(ctx context.Context, resolution time.Duration, since, until time.Time) ([]taskflow.SeriesPoint, error) {
	var points []taskflow.SeriesPoint
	err := s.read(ctx, "series", func(o *session) error {
		const sql = "SELECT begins_at, instance, data FROM {series} WHERE resolution = ? AND begins_at >= ? AND begins_at < ? ORDER BY begins_at, instance"
		return o.query(ctx, sql, []any{seconds(resolution), secondsUp(since), secondsUp(until)}, func(row Row) error {
			var (
				start          int64
				instance, data []byte
			)
			if err := row.Scan(&start, &instance, &data); err != nil {
				return err
			}
			points = append(points, taskflow.SeriesPoint{
				Resolution: resolution, Start: time.Unix(start, 0).UTC(), Instance: string(instance), Data: filled(data),
			})
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return points, nil
}

// PruneSeries implements [taskflow.SeriesStore].
func (s *Store) PruneSeries(ctx context.Context, resolution time.Duration, before time.Time) error {
	return s.write(ctx, "prune series", func(o *session, tx Tx) error {
		_, err := o.exec(ctx, tx, "DELETE FROM {series} WHERE resolution = ? AND begins_at < ?", seconds(resolution), secondsUp(before))
		return err
	})
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

// secondsUp is the first whole second that is not before t.
func secondsUp(t time.Time) int64 {
	if t.Nanosecond() > 0 {
		return t.Unix() + 1
	}
	return t.Unix()
}
