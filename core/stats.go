package taskflow

import (
	"math/bits"
	"time"
)

// Stats are totals over tasks. The zero value is empty and ready to use. Not safe for concurrent use.
type Stats struct {
	Counts    map[Status]int64 // tasks by status
	Durations Histogram        // of tasks that ended in success or failed
}

// Add counts one record; its duration too when it ran to success or failure.
func (s *Stats) Add(r *Record) { s.add(r.Status, r.Duration()) }

func (s *Stats) add(status Status, d time.Duration) {
	if s.Counts == nil {
		s.Counts = make(map[Status]int64, 6)
	}
	s.Counts[status]++
	if status == StatusSuccess || status == StatusFailed {
		s.Durations.Observe(d)
	}
}

// Merge adds the totals of o to s.
func (s *Stats) Merge(o *Stats) {
	if s.Counts == nil {
		s.Counts = make(map[Status]int64, len(o.Counts))
	}
	for k, n := range o.Counts {
		s.Counts[k] += n
	}
	s.Durations.Merge(&o.Durations)
}

// Total is the number of tasks in all statuses.
func (s *Stats) Total() (n int64) {
	for _, c := range s.Counts {
		n += c
	}
	return n
}

// SuccessRate is the share of successes among tasks that ended in success or failed, from 0 to 1; 0 when there are none.
func (s *Stats) SuccessRate() float64 {
	ok, bad := s.Counts[StatusSuccess], s.Counts[StatusFailed]
	if ok+bad == 0 {
		return 0
	}
	return float64(ok) / float64(ok+bad)
}

// Histogram counts durations in buckets that grow with the duration: eight for each doubling, so that a percentile is at
// most 13 % too high. Its buckets are stable numbers, which backends store. The zero value is empty and ready to use. Not
// safe for concurrent use.
type Histogram struct {
	Buckets map[int]int64 // bucket number to count
	Count   int64
	Sum     time.Duration
}

// Bucket returns the number of the bucket that d falls into, from 0 (below 8 µs in steps of one µs) up to a few hundred.
func Bucket(d time.Duration) int {
	us := uint64(max(d, 0) / time.Microsecond)
	if us < 8 {
		return int(us)
	}
	e := bits.Len64(us) - 4 // us>>e is 8 to 15
	return 8*e + int(us>>e)
}

// BucketLimit returns the duration below which everything in bucket i lies.
func BucketLimit(i int) time.Duration {
	if i < 8 {
		return time.Duration(max(i, 0)+1) * time.Microsecond
	}
	e := (i - 8) / 8
	return time.Duration(uint64(i-8*e+1)<<e) * time.Microsecond
}

// Observe counts one duration.
func (h *Histogram) Observe(d time.Duration) { h.AddBucket(Bucket(d), 1, d) }

// AddBucket adds n durations of together sum to bucket i; n and sum may be negative to take something out.
func (h *Histogram) AddBucket(i int, n int64, sum time.Duration) {
	if h.Buckets == nil {
		h.Buckets = make(map[int]int64)
	}
	if h.Buckets[i] += n; h.Buckets[i] == 0 {
		delete(h.Buckets, i)
	}
	h.Count += n
	h.Sum += sum
}

// Merge adds the counts of o to h.
func (h *Histogram) Merge(o *Histogram) {
	for i, n := range o.Buckets {
		h.AddBucket(i, n, 0)
	}
	h.Sum += o.Sum
}

// Mean is the average duration; 0 when nothing was counted.
func (h *Histogram) Mean() time.Duration {
	if h.Count <= 0 {
		return 0
	}
	return h.Sum / time.Duration(h.Count)
}

// Quantile returns a duration that the share q (0 to 1) of the counted durations does not exceed; 0 when nothing was counted.
func (h *Histogram) Quantile(q float64) time.Duration {
	want := int64(q * float64(h.Count))
	var seen int64
	for i := range 8 * 62 {
		if seen += h.Buckets[i]; seen > 0 && seen >= want {
			return BucketLimit(i)
		}
	}
	return 0
}
