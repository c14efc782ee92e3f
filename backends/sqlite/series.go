package sqlite

import (
	"bytes"
	"context"
	"database/sql/driver"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// PutSeries implements [taskflow.SeriesStore].
func (b *Backend) PutSeries(ctx context.Context, points []taskflow.SeriesPoint) error {
	for i := range points {
		if err := points[i].Check(); err != nil {
			return b.wrap("put series", err)
		}
	}
	return b.write(ctx, "put series", func(c *conn) error {
		for _, p := range points {
			err := c.run(ctx, "INSERT INTO series (resolution, start, instance, data) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET data = excluded.data",
				seconds(p.Resolution), p.Start.Unix(), []byte(p.Instance), some(p.Data))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Series implements [taskflow.SeriesStore].
func (b *Backend) Series(ctx context.Context, resolution time.Duration, since, until time.Time) ([]taskflow.SeriesPoint, error) {
	var points []taskflow.SeriesPoint
	err := b.read(ctx, "series", func(c *conn) error {
		const sql = "SELECT start, instance, data FROM series WHERE resolution = ? AND start >= ? AND start < ? ORDER BY start, instance"
		return c.query(ctx, sql, []any{seconds(resolution), secondsUp(since), secondsUp(until)}, func(row []driver.Value) error {
			r := rowReader{row: row}
			points = append(points, taskflow.SeriesPoint{
				Resolution: resolution, Start: time.Unix(r.number(), 0).UTC(), Instance: string(r.blob()), Data: bytes.Clone(some(r.blob())),
			})
			return r.err
		})
	})
	if err != nil {
		return nil, err
	}
	return points, nil
}

// PruneSeries implements [taskflow.SeriesStore].
func (b *Backend) PruneSeries(ctx context.Context, resolution time.Duration, before time.Time) error {
	return b.write(ctx, "prune series", func(c *conn) error {
		return c.run(ctx, "DELETE FROM series WHERE resolution = ? AND start < ?", seconds(resolution), secondsUp(before))
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
