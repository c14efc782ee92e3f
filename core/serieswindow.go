package taskflow

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// window is a stretch of time in whole steps.
type window struct {
	since, until, now time.Time
	step              time.Duration
	index             int  // of the resolution whose points it is made of
	short             bool // it was to begin earlier, before what is kept
}

func (w window) steps() int { return int(w.until.Sub(w.since) / w.step) }

// scale is which steps there are: made of points by minute, and of those by hour.
type scale struct {
	minutes, hours []time.Duration
	limit          int // how many steps of minutes there may be; of hours, MaxSeriesSteps
}

// chartScale is that of a Series.
func chartScale() scale {
	return scale{
		minutes: []time.Duration{time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute},
		hours:   []time.Duration{time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour},
		limit:   MaxSeriesSteps,
	}
}

// functionScale is that of a FunctionSeries, for which points are read in full, so that few are better.
func functionScale() scale {
	return scale{minutes: []time.Duration{time.Minute}, hours: chartScale().hours, limit: 121}
}

// window chooses the smallest step that is allowed; by hour also where minutes are not kept so long.
func (q *SeriesQuery) window(now time.Time, sc scale) (window, error) {
	w := window{since: q.Since, until: q.Until, now: now}
	if w.until.IsZero() || w.until.After(now) {
		w.until = now
	}
	oldest := now.Add(-retention[len(retention)-1])
	switch {
	case w.since.IsZero() || !w.since.Before(w.until):
		return window{}, fmt.Errorf("%w: the window from %s to %s is empty: its beginning must be before its end, and before now",
			ErrInvalidOption, w.since.UTC().Format(time.RFC3339), w.until.UTC().Format(time.RFC3339))
	case !w.until.After(oldest):
		return window{}, fmt.Errorf("%w: the window ends at %s, and counters are kept for 90 days", ErrInvalidOption, w.until.UTC().Format(time.RFC3339))
	case w.since.Before(oldest):
		w.since, w.short = oldest, true
	}
	steps := sc.hours
	if !w.since.Before(now.Add(-retention[0])) && w.fits(sc.minutes[len(sc.minutes)-1], sc.limit) {
		steps = sc.minutes
	}
	for _, step := range steps {
		if w.step = step; w.fits(step, MaxSeriesSteps) {
			break
		}
	}
	w.since, w.until = w.aligned(w.step)
	if w.step >= time.Hour {
		w.index = 1
	}
	return w, nil
}

func (w window) fits(step time.Duration, limit int) bool {
	from, to := w.aligned(step)
	return to.Sub(from) <= time.Duration(limit)*step
}

// aligned is the window in whole steps.
func (w window) aligned(step time.Duration) (from, to time.Time) {
	from, to = w.since.UTC().Truncate(step), w.until.UTC().Truncate(step)
	if to.Before(w.until) {
		to = to.Add(step)
	}
	return from, to
}

// seriesChunks is how many stretches are read from the store at once.
const seriesChunks = 180

// read calls f with the points of a window, in the order of their starts; instance restricts them to one. It is told whether all that was
// asked for is there. One reader at a time: what is read may be large.
func (r *recorder) read(ctx context.Context, w window, instance string, f func(step int, of *SeriesPoint, p *wirePoint) error) (complete bool, err error) {
	unlock, err := lock(ctx, r.reading, "another reader of the series")
	if err != nil {
		return false, err
	}
	defer unlock()
	resolution := resolutions[w.index]
	own := r.own(w.index, w.now)
	complete = r.shared && !w.short && !w.since.Before(w.now.Add(-retention[w.index]-resolution))
	for from := w.since; from.Before(w.until); from = from.Add(seriesChunks * resolution) {
		to := from.Add(seriesChunks * resolution)
		if to.After(w.until) {
			to = w.until
		}
		points, err := r.store.Series(ctx, resolution, from, to)
		if err != nil {
			return false, err
		}
		for _, s := range newest(points, own, from, to) {
			if instance != "" && s.Instance != instance {
				continue
			}
			p, err := decodePoint(s.Data)
			if err == nil {
				err = f(int(s.Start.Sub(w.since)/w.step), &s, &p)
			}
			if err != nil {
				complete = false // one that a newer version wrote, for example: it must not hide the others
				r.m.log.Debug("taskflow: a point of a series is left out", "start", s.Start, "instance", s.Instance, "error", err)
			}
		}
	}
	return complete, nil
}

// newest puts own points in the place of those that are stored of the same stretch.
func newest(points, own []SeriesPoint, from, to time.Time) []SeriesPoint {
	same := func(a, b *SeriesPoint) bool { return a.Start.Equal(b.Start) && a.Instance == b.Instance }
	var mine []SeriesPoint
	for _, p := range own {
		if p.Start.Before(from) || !p.Start.Before(to) {
			continue
		}
		points = slices.DeleteFunc(points, func(q SeriesPoint) bool { return same(&p, &q) })
		mine = append(mine, p)
	}
	if len(mine) == 0 {
		return points
	}
	points = append(points, mine...)
	slices.SortStableFunc(points, func(a, b SeriesPoint) int {
		return cmp.Or(a.Start.Compare(b.Start), strings.Compare(a.Instance, b.Instance))
	})
	return points
}
