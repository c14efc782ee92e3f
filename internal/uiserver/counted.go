package main

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// counted is what a manager would have counted of the past, in the form in which it stores that.
type counted struct {
	instance string
	minutes  map[int64]map[string]*counts // by the second at which they begin, then by function
	hours    map[int64]map[string]*counts
}

// counts are the JSON form of [taskflow.Counts] in the store.
type counts struct {
	Added       int64         `json:"added,omitempty"`
	Success     int64         `json:"success,omitempty"`
	Failed      int64         `json:"failed,omitempty"`
	Interrupted int64         `json:"interrupted,omitempty"`
	Cancelled   int64         `json:"cancelled,omitempty"`
	Wait        []int64       `json:"wait,omitempty"`
	Run         []int64       `json:"run,omitempty"`
	RanAt       int64         `json:"ran_at,omitempty"`
	FailedAt    int64         `json:"failed_at,omitempty"`
	Error       string        `json:"error,omitempty"`
	wait, run   map[int]int64 // by bucket
}

func newCounted(instance string) *counted {
	return &counted{instance: instance, minutes: map[int64]map[string]*counts{}, hours: map[int64]map[string]*counts{}}
}

const total = "" // stands for all functions

func (c *counted) add(r *taskflow.Record) {
	for _, level := range []struct {
		of     map[int64]map[string]*counts
		length int64
	}{{c.minutes, 60}, {c.hours, 3600}} {
		at := r.CreatedAt.Unix() / level.length * level.length
		if level.of[at] == nil {
			level.of[at] = map[string]*counts{}
		}
		for _, name := range []string{total, r.Name} {
			if level.of[at][name] == nil {
				level.of[at][name] = &counts{wait: map[int]int64{}, run: map[int]int64{}}
			}
			level.of[at][name].add(r)
		}
	}
}

func (c *counts) add(r *taskflow.Record) {
	c.Added++
	switch r.Status {
	case taskflow.StatusSuccess:
		c.Success++
	case taskflow.StatusFailed:
		c.Failed++
		c.FailedAt, c.Error = r.EndTime.UnixMilli(), r.Error
	case taskflow.StatusInterrupted:
		c.Interrupted++
	case taskflow.StatusCancelled:
		c.Cancelled++
	}
	if r.StartTime.IsZero() {
		return
	}
	c.RanAt = r.StartTime.UnixMilli()
	c.wait[taskflow.Bucket(r.StartTime.Sub(r.CreatedAt))]++
	c.run[taskflow.Bucket(r.EndTime.Sub(r.StartTime))]++
}

func (c *counted) points() (points []taskflow.SeriesPoint) {
	for _, level := range []struct {
		of         map[int64]map[string]*counts
		resolution time.Duration
	}{{c.minutes, time.Minute}, {c.hours, time.Hour}} {
		length := int64(level.resolution.Seconds())
		starts := slices.Sorted(maps.Keys(level.of))
		for at := starts[0]; at <= starts[len(starts)-1]; at += length {
			if level.of[at] == nil { // it counted, but nothing happened
				level.of[at] = map[string]*counts{total: {}}
			}
			points = append(points, taskflow.SeriesPoint{
				Resolution: level.resolution, Start: time.Unix(at, 0).UTC(), Instance: c.instance, Data: encode(at, level.resolution, level.of[at]),
			})
		}
	}
	return points
}

// encode makes the two lines of a point: totals, and functions.
func encode(at int64, length time.Duration, of map[string]*counts) []byte {
	for _, c := range of {
		c.Wait, c.Run = list(c.wait), list(c.run)
	}
	all := of[total]
	delete(of, total)
	first := must(json.Marshal(map[string]any{
		"format": 1, "host": "shop-1", "version": "v0.0.0", "first": at, "last": at + int64(length.Seconds()), "total": all,
		"pools": map[string]any{taskflow.DefaultPool: map[string]int64{"limit": 8, "running": min(8, 1+all.Added/10), "waiting": all.Added / 15}},
	}))
	return append(append(first, '\n'), must(json.Marshal(of))...)
}

func list(buckets map[int]int64) (l []int64) {
	for _, bucket := range slices.Sorted(maps.Keys(buckets)) {
		l = append(l, int64(bucket), buckets[bucket])
	}
	return l
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err) // numbers and strings can be encoded
	}
	return b
}
