package sqlite

import (
	"context"
	"database/sql/driver"
	"math"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// noBucket stands for a record whose duration does not count: see [taskflow.Stats].
const noBucket = -1

type totalKey struct {
	status taskflow.Status
	bucket int
}

type total struct{ count, sum int64 }

// totals collects what a transaction changes, so that each row of the table is written once.
type totals map[totalKey]total

// add counts r n times: 1 when it is stored, -1 when it is removed.
func (t totals) add(r *taskflow.Record, n int64) {
	k, d := totalKey{r.Status, noBucket}, time.Duration(0)
	if r.Status == taskflow.StatusSuccess || r.Status == taskflow.StatusFailed {
		d = r.Duration()
		k.bucket = taskflow.Bucket(d)
	}
	v := t[k]
	t[k] = total{v.count + n, v.sum + n*int64(d)}
}

func (t totals) store(ctx context.Context, c *conn) error {
	for k, v := range t {
		err := c.run(ctx, `INSERT INTO total (status, bucket, count, sum_ns) VALUES (?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET count = count + excluded.count, sum_ns = sum_ns + excluded.sum_ns`,
			string(k.status), int64(k.bucket), v.count, v.sum)
		if err != nil {
			return err
		}
	}
	return nil
}

// Stats implements [taskflow.StatsReader]. It reads a few hundred rows, however long the history is.
func (b *Backend) Stats(ctx context.Context) (taskflow.Stats, error) {
	var s taskflow.Stats
	err := b.read(ctx, "stats", func(c *conn) error {
		return c.query(ctx, "SELECT status, bucket, count, sum_ns FROM total WHERE count > 0", nil, func(row []driver.Value) error {
			r := rowReader{row: row}
			status, bucket, count := taskflow.Status(r.text()), int(r.number()), r.number()
			if sum, ok := row[3].(float64); ok { // beyond 292 years SQLite goes on with a floating-point number
				row[3] = int64(math.Min(sum, math.MaxInt64/2))
			}
			sum := time.Duration(r.number())
			if r.err != nil {
				return r.err
			}
			if s.Counts == nil {
				s.Counts = map[taskflow.Status]int64{}
			}
			s.Counts[status] += count
			if bucket != noBucket {
				s.Durations.AddBucket(bucket, count, sum)
			}
			return nil
		})
	})
	return s, err
}
