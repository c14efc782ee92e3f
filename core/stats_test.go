package taskflow_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func TestBucketsAreNarrowAndInOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(0, 1<<62).Draw(t, "duration"))
		i := taskflow.Bucket(d)
		limit := taskflow.BucketLimit(i)
		if d >= limit || i > 0 && d < taskflow.BucketLimit(i-1) && limit > 0 {
			t.Fatalf("%v is in bucket %d, which ends at %v", d, i, limit)
		}
		if d > 8*time.Microsecond && float64(limit) > 1.13*float64(d)+1000 {
			t.Fatalf("bucket %d of %v ends at %v", i, d, limit)
		}
	})
	if taskflow.Bucket(-time.Second) != 0 {
		t.Error("a negative duration is not in bucket 0")
	}
}

func TestQuantilesAreCloseToTheTruth(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.Int64Range(0, int64(time.Hour)), 1, 300).Draw(t, "durations")
		var h taskflow.Histogram
		for _, d := range all {
			h.Observe(time.Duration(d))
		}
		slices.Sort(all)
		q := rapid.Float64Range(0, 1).Draw(t, "q")
		true0 := time.Duration(all[max(int(q*float64(len(all)))-1, 0)])
		if got := h.Quantile(q); got <= true0 || float64(got) > 1.13*float64(true0)+2000 {
			t.Fatalf("quantile %v of %d durations is %v, truly %v", q, len(all), got, true0)
		}
	})
}

func TestStats(t *testing.T) {
	t.Parallel()
	var s, empty taskflow.Stats
	r := full()
	s.Add(&r)
	r.Status = taskflow.StatusSuccess
	s.Add(&r)
	s.Add(&r)
	r.Status = taskflow.StatusCancelled
	s.Add(&r)
	s.Merge(&empty)
	empty.Merge(&s)
	for _, s := range []taskflow.Stats{s, empty} {
		if s.Total() != 4 || s.Durations.Count != 3 || s.Durations.Mean() != 2*time.Second || s.SuccessRate() < 0.66 || s.SuccessRate() > 0.67 {
			t.Errorf("%+v: total %d, rate %v", s, s.Total(), s.SuccessRate())
		}
	}
	var zero taskflow.Stats
	if zero.SuccessRate() != 0 || zero.Durations.Mean() != 0 || zero.Durations.Quantile(0.5) != 0 {
		t.Error("the zero value is not empty")
	}
}
