package taskflow

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"time"
)

// recorder keeps the counters of this manager by minute and by hour. One goroutine reads the meters, writes what they show every ten
// seconds, and at each minute's end begins a new point. A point is written as it is since its beginning, so that it does not matter how
// often it is written, and what a minute has lost by a crash is ten seconds.
//
// The minute is that of this instance's clock: points are for display only.
type recorder struct {
	m      *Manager
	meters meters
	store  SeriesStore
	shared bool // the backend is the store; otherwise it is the memory of this manager

	pruned  time.Time     // when old points were removed; used by run alone
	failing bool          // the last write failed; used by run, then by stop
	reading chan struct{} // holds a token while points are read: one reader at a time

	mu        sync.Mutex
	begun     bool
	instance  string // whose points these are
	stretches [len(resolutions)]stretch
	unsent    []SeriesPoint // complete points that the store does not have yet
	now       reading       // room to read a meter
}

// resolutions are the lengths of the stretches of time that are counted apart; retention is how long each is kept.
var (
	resolutions = [...]time.Duration{time.Minute, time.Hour}
	retention   = [...]time.Duration{48 * time.Hour, 90 * 24 * time.Hour}
)

const (
	seriesEvery   = 10 * time.Second // how often the current minute is written
	seriesTimeout = 5 * time.Second  // for one write
	maxUnsent     = 100              // complete points that wait for a backend that is away; older ones are dropped
	clockSlack    = time.Hour        // a clock that is put back by less does not begin a stretch anew
)

// stretch is the current minute, or hour.
type stretch struct {
	resolution time.Duration
	index      int       // of meter.base
	start      time.Time // of the stretch
	begin      time.Time // when counting began in it
	started    bool      // it is the first after the start of the manager
	pools      map[string]wirePool
	written    *wirePoint // as it was last given to the store; nil: not yet
	due        bool       // it is to be written although it goes on
}

func newRecorder(m *Manager) *recorder {
	r := &recorder{m: m, reading: make(chan struct{}, 1)}
	if s, ok := m.cfg.backend.(SeriesStore); ok {
		r.store, r.shared = s, true
	} else {
		r.store = &seriesMemory{}
	}
	names := make([]string, len(m.infos))
	for i, d := range m.infos {
		names[i] = d.name
	}
	r.meters.init(names)
	return r
}

// start begins to count. What was counted before belongs to the first minute.
func (r *recorder) start(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begun, r.instance = true, r.m.Instance()
	for i := range r.stretches {
		r.stretches[i] = stretch{index: i, resolution: resolutions[i], started: true}
		r.stretches[i].reset(now)
	}
}

func (s *stretch) reset(now time.Time) {
	s.start, s.begin = now.UTC().Truncate(s.resolution), now
	s.pools, s.written, s.due = map[string]wirePool{}, nil, false
}

// over reports whether the stretch does not contain the time. A clock that is put back a little goes on with it, until the time has come
// again: to begin it anew would replace what was counted.
func (s *stretch) over(now time.Time) bool {
	return !now.Before(s.start.Add(s.resolution)) || now.Before(s.start.Add(-clockSlack))
}

// run writes until ctx ends. Manager.services waits for it.
func (r *recorder) run(ctx context.Context) {
	now := time.Now()
	next := now.Add(rand.N(seriesEvery)) // instances that start together do not write together
	r.pruned = now.Add(-time.Hour + time.Minute)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		now = time.Now()
		timer.Reset(min(time.Until(next), now.Truncate(time.Minute).Add(time.Minute).Sub(now)))
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		now = time.Now()
		r.roll(now)
		if now.Before(next) {
			continue
		}
		if next = next.Add(seriesEvery); next.Before(now) { // it was held up, or slept
			next = now.Add(seriesEvery)
		}
		if r.flush(ctx, now) && now.Sub(r.pruned) >= time.Hour {
			r.prune(ctx, now)
		}
	}
}

// roll ends the stretches that are over and begins new ones.
func (r *recorder) roll(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	renamed := r.instance != r.m.Instance() // a lease was lost: whoever has the old name writes no more
	for i := range r.stretches {
		s := &r.stretches[i]
		if !s.over(now) && !renamed {
			continue
		}
		r.end(s, now, time.Time{})
		s.started = false
		s.reset(now)
		for j := range r.stretches {
			r.stretches[j].due = true // longer ones are written once a minute
		}
	}
	r.instance = r.m.Instance()
}

// end completes the point of a stretch. The caller holds r.mu.
func (r *recorder) end(s *stretch, now, stopped time.Time) {
	r.watchPools()
	p := r.point(s, now)
	if !stopped.IsZero() {
		p.Stopped = stopped.Unix()
	}
	r.meters.each(func(_ string, c *meter) { c.read(&c.base[s.index]) })
	if point, ok := r.encode(s, &p); ok {
		r.unsent = append(r.unsent, point)
		r.unsent = r.unsent[max(0, len(r.unsent)-maxUnsent):]
	}
}

// watchPools adds what was seen of the pools since the last time to all stretches. The caller holds r.mu.
func (r *recorder) watchPools() {
	for name, p := range r.m.pools {
		seen := p.seen()
		for i := range r.stretches {
			pools := r.stretches[i].pools
			most := pools[name]
			pools[name] = wirePool{seen.Limit, max(most.Running, seen.Running), max(most.Waiting, seen.Waiting)}
		}
	}
}

// point is what was counted in a stretch so far. The caller holds r.mu.
func (r *recorder) point(s *stretch, now time.Time) wirePoint {
	end := s.start.Add(s.resolution)
	if now.After(end) {
		now = end
	}
	p := wirePoint{
		Format: seriesFormat, Host: r.m.self.Host, Version: r.m.self.Version, First: s.begin.Unix(), Last: max(now.Unix(), s.begin.Unix()),
		Pools: maps.Clone(s.pools),
	}
	if s.started {
		p.Started = s.begin.Unix()
	}
	all := map[string]wireCounts{}
	r.meters.each(func(name string, c *meter) {
		c.read(&r.now)
		if r.now == c.base[s.index] {
			return
		}
		all[name] = c.since(&r.now, &c.base[s.index], s.begin)
	})
	p.setFunctions(all)
	return p
}

func (r *recorder) encode(s *stretch, p *wirePoint) (SeriesPoint, bool) {
	data, err := p.encode()
	if err != nil {
		r.m.log.Error("taskflow: counters cannot be encoded", "error", err)
		return SeriesPoint{}, false
	}
	return SeriesPoint{Resolution: s.resolution, Start: s.start, Instance: r.instance, Data: data}, true
}

// flush writes what the store does not have, and reports whether it could.
func (r *recorder) flush(ctx context.Context, now time.Time) bool {
	points, complete := r.pending(now)
	if len(points) == 0 {
		return !r.failing
	}
	writing, cancel := context.WithTimeout(ctx, seriesTimeout)
	defer cancel()
	err := r.store.PutSeries(writing, points)
	switch {
	case err != nil && ctx.Err() != nil: // stop writes them
		return false
	case err == nil:
		r.sent(complete)
		if r.failing {
			r.m.log.Info("taskflow: the backend takes counters again")
		}
	case !r.failing:
		r.m.log.Warn("taskflow: the backend does not take counters; charts will show a gap if that lasts for an hour", "error", err)
	}
	r.failing = err != nil
	return err == nil
}

// pending returns what is to be written: complete points first, so many, then current ones that have changed.
func (r *recorder) pending(now time.Time) (points []SeriesPoint, complete int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	points = slices.Clone(r.unsent)
	complete = len(points)
	r.watchPools()
	for i := range r.stretches {
		s := &r.stretches[i]
		if i > 0 && !s.due && s.written != nil {
			continue
		}
		p := r.point(s, now)
		if i == 0 && s.written != nil && reflect.DeepEqual(p.Total, s.written.Total) && maps.Equal(p.Pools, s.written.Pools) {
			continue // nothing has happened
		}
		if point, ok := r.encode(s, &p); ok {
			points = append(points, point)
			s.written, s.due = &p, false
		}
	}
	return points, complete
}

// sent notes that the store has the first complete points. Others may have come since.
func (r *recorder) sent(complete int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unsent = slices.Delete(r.unsent, 0, min(complete, len(r.unsent)))
}

// prune removes old points, of all instances.
func (r *recorder) prune(ctx context.Context, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, seriesTimeout)
	defer cancel()
	r.pruned = now
	for i, resolution := range resolutions {
		if err := r.store.PruneSeries(ctx, resolution, now.Add(-retention[i])); err != nil && ctx.Err() == nil {
			r.m.log.Warn("taskflow: old counters cannot be removed", "error", err)
		}
	}
}

// stop writes the last points, after run has returned. They are for display: that they cannot be written is no error of Stop.
func (r *recorder) stop(ctx context.Context, now time.Time) {
	r.mu.Lock()
	for i := range r.stretches {
		r.end(&r.stretches[i], now, now)
	}
	r.begun = false
	points := slices.Clone(r.unsent)
	r.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, seriesTimeout)
	defer cancel()
	if err := r.store.PutSeries(ctx, points); err != nil {
		r.m.log.Warn("taskflow: the last counters could not be stored", "error", fmt.Errorf("put series: %w", err))
		return
	}
	r.sent(len(points))
}

// own returns this manager's points of a resolution that the store may not have yet, or not as they are now.
func (r *recorder) own(index int, now time.Time) (points []SeriesPoint) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.unsent {
		if p.Resolution == resolutions[index] {
			points = append(points, p)
		}
	}
	if !r.begun {
		return points
	}
	r.watchPools()
	s := &r.stretches[index]
	p := r.point(s, now)
	if point, ok := r.encode(s, &p); ok {
		points = append(points, point)
	}
	return points
}
