package sqlstore

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// noBucket stands for a record whose duration does not count: see [taskflow.Stats].
const noBucket = -1

// shards is how many rows a total is spread over. Each handle writes to its own, so that instances seldom wait for each other.
const shards = 16

// shardOf spreads handles by the random end of their id.
func shardOf(handle ID) int64 { return int64(handle[len(handle)-1]) % shards }

type totalKey struct {
	status taskflow.Status
	bucket int
}

// longest is the longest duration that counts, 100 years in microseconds: the sum of a batch fits into 64 bits.
const longest = 100 * 365 * 24 * int64(time.Hour/time.Microsecond)

// totalOf returns where a record counts, and the microseconds it took if these do. Start and end are as they are stored, so that
// what is taken out again is what was put in.
func totalOf(status taskflow.Status, start, end any) (totalKey, int64) {
	k := totalKey{status, noBucket}
	if status != taskflow.StatusSuccess && status != taskflow.StatusFailed {
		return k, 0
	}
	var took int64
	from, started := start.(int64)
	to, ended := end.(int64)
	if started && ended && to > from {
		if took = to - from; took < 0 { // more than 292 years
			took = math.MaxInt64
		}
	}
	k.bucket = taskflow.Bucket(time.Duration(took))
	return k, min(took/int64(time.Microsecond), longest)
}

type total struct{ tasks, sum int64 }

// totals collects what a transaction changes, so that each row of the table is written once.
type totals map[totalKey]total

// add counts a record n times: 1 when it is stored, -1 when it is removed.
func (t totals) add(k totalKey, took, n int64) {
	v := t[k]
	t[k] = total{v.tasks + n, v.sum + n*took}
}

// storeTotals writes what was collected, always in the same order: two transactions that change the same rows must not wait for
// each other.
func (s *session) storeTotals(ctx context.Context, tx Tx, t totals) {
	keys := slices.SortedFunc(maps.Keys(t), func(a, b totalKey) int {
		return cmp.Or(cmp.Compare(a.status, b.status), cmp.Compare(a.bucket, b.bucket))
	})
	var rows [][]any
	for _, k := range keys {
		if v := t[k]; v != (total{}) {
			rows = append(rows, []any{s.shard, string(k.status), int64(k.bucket), v.tasks, v.sum})
		}
	}
	s.insert(ctx, tx, totalTable, Conflict{Key: []string{"shard", "status", "bucket"}, Add: []string{"tasks", "sum_us"}}, rows...)
}

// Stats implements [taskflow.StatsReader]. It reads a few thousand rows at most, however long the history is.
func (s *Store) Stats(ctx context.Context) (taskflow.Stats, error) {
	var stats taskflow.Stats
	err := s.read(ctx, "stats", func(o *session) error {
		const sql = "SELECT status, bucket, CAST(sum(tasks) AS CHAR(40)), CAST(sum(sum_us) AS CHAR(40)) FROM {total} GROUP BY status, bucket"
		return o.query(ctx, sql, nil, func(row Row) error {
			var status, tasksText, sumText string
			var bucket int64
			if err := row.Scan(&status, &bucket, &tasksText, &sumText); err != nil {
				return err
			}
			tasks, sum := decimal(tasksText), min(decimal(sumText), math.MaxInt64/int64(time.Microsecond))
			if tasks <= 0 {
				return nil
			}
			if stats.Counts == nil {
				stats.Counts = map[taskflow.Status]int64{}
			}
			stats.Counts[taskflow.Status(status)] += tasks
			if bucket != noBucket {
				stats.Durations.AddBucket(int(bucket), tasks, time.Duration(sum)*time.Microsecond)
			}
			return nil
		})
	})
	if err != nil {
		return taskflow.Stats{}, err
	}
	return stats, nil
}

// decimal reads a sum, which may be larger than any integer of ours: then it is the largest.
func decimal(s string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil && !strings.HasPrefix(s, "-") {
		return math.MaxInt64
	}
	return n
}
