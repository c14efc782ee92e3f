package redis

import (
	"context"
	"math"
	"strconv"
	"strings"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// Stats implements [taskflow.StatsReader]. It reads a few hundred numbers, however long the history is.
func (b *Backend) Stats(ctx context.Context) (s taskflow.Stats, err error) {
	err = b.use(ctx, "stats", func(c *connection) error {
		reply, err := c.run(ctx, scriptTotals)
		if err != nil {
			return err
		}
		s.Counts = map[taskflow.Status]int64{}
		fields := list(reply)
		for i := 0; i+1 < len(fields); i += 2 {
			addTotal(&s, text(fields[i]), text(fields[i+1]))
		}
		return nil
	})
	if err != nil {
		return taskflow.Stats{}, err
	}
	return s, nil
}

// addTotal adds a field of the totals; what is not ours counts nothing.
func addTotal(s *taskflow.Stats, field, value string) {
	n, err := strconv.ParseInt(value, 10, 64)
	kind, of, _ := strings.Cut(field, ":")
	switch {
	case err != nil || n == 0:
	case kind == "status":
		s.Counts[taskflow.Status(of)] += n
	case kind == "bucket":
		if bucket, err := strconv.Atoi(of); err == nil {
			s.Durations.AddBucket(bucket, n, 0)
		}
	case kind == "micros":
		// centuries are more than a Duration holds
		s.Durations.Sum = time.Duration(min(n, math.MaxInt64/int64(time.Microsecond))) * time.Microsecond
	}
}
