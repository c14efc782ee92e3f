package taskflow

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// SeriesQuery asks for what was counted in a window of time. Windows are made a little larger, to whole steps.
type SeriesQuery struct {
	Since    time.Time // required
	Until    time.Time // the zero time: now
	Name     string    // of one function; empty: of all
	Instance string    // id; empty: of all
}

// Series is what all instances have counted, in steps of equal length. Made by [Manager.Series].
type Series struct {
	Since, Until time.Time // of the first and the last step: where it begins, and where it ends
	Step         time.Duration
	Steps        []SeriesStep
	Marks        []SeriesMark // in the order of their times
	// Complete is false when something is missing: the backend keeps no series, so that only this instance's since its start are
	// known; the window begins before what is kept; or stored points could not be read.
	Complete bool
}

// SeriesStep is one step of a Series.
type SeriesStep struct {
	Start time.Time
	Known bool // false: nobody was counting then
	Counts
	// Pools are the most of each that was seen within a minute of the step (or an hour, where the step is of hours), added up over the instances
	// that counted at the same time: one that followed another is not added to it. Waiting are the tasks that were ready and found no worker
	// free.
	Pools map[string]PoolInfo
}

// SeriesMark is something that happened to an instance.
type SeriesMark struct {
	Time     time.Time
	Kind     string // "start", "stop", or "lost": it has not been heard of since
	Instance string
	Host     string
	Version  string // of the program
}

// FunctionSeries is what all instances have counted of each function. Made by [Manager.FunctionSeries].
type FunctionSeries struct {
	Since, Until time.Time
	Step         time.Duration
	Steps        int
	Known        []bool // by step; false: nobody was counting then, so that what is 0 is not known
	Functions    map[string]*FunctionCounts
	Complete     bool // see [Series]
}

// FunctionCounts is what was counted of one function: in all, and in each step.
type FunctionCounts struct {
	Counts
	FailedIn []int64 // tasks that failed, by step
	EndedIn  []int64 // tasks that reached a final status, by step
}

// MaxSeriesSteps is how many steps a Series has at most.
const MaxSeriesSteps = 400

// lostAfter is how long an instance is not heard of before it is taken for lost: it writes at least once a minute.
const lostAfter = 3 * time.Minute

// Series returns what was counted within a window, in the smallest step, from a minute up, of which it has at most [MaxSeriesSteps]. Minutes
// are kept for 48 hours, hours for 90 days. What other instances have counted in the last minute may not be there yet. Its cost depends on
// the window and the number of instances, not on the history. Errors: ErrInvalidOption for a window that makes no sense; the backend's.
func (m *Manager) Series(ctx context.Context, q SeriesQuery) (Series, error) {
	w, err := q.window(time.Now(), chartScale())
	if err != nil {
		return Series{}, fmt.Errorf("taskflow: series: %w", err)
	}
	s := Series{Since: w.since, Until: w.until, Step: w.step, Steps: make([]SeriesStep, w.steps())}
	for i := range s.Steps {
		s.Steps[i].Start = w.since.Add(time.Duration(i) * w.step)
	}
	gauges, lives := &gauges{s: &s}, lives{}
	s.Complete, err = m.series.read(ctx, w, q.Instance, func(at int, of *SeriesPoint, p *wirePoint) error {
		step := &s.Steps[at]
		step.Known = true
		lives.note(of.Instance, p)
		gauges.note(at, of.Start, p)
		if q.Name == "" {
			c := p.Total.counts()
			step.Merge(&c)
			return nil
		}
		c, err := p.function(q.Name)
		step.Merge(&c)
		return err
	})
	if err != nil {
		return Series{}, fmt.Errorf("taskflow: series: %w", err)
	}
	gauges.done()
	running, err := m.Instances(ctx)
	if err != nil {
		return Series{}, fmt.Errorf("taskflow: series: %w", err)
	}
	s.Marks = lives.marks(w, running)
	return s, nil
}

// FunctionSeries returns what was counted of each function within a window, by hour (or more, if that were more than [MaxSeriesSteps]), or by
// minute if the window is at most two hours long. q.Name restricts it to one. Errors as of Series.
func (m *Manager) FunctionSeries(ctx context.Context, q SeriesQuery) (FunctionSeries, error) {
	w, err := q.window(time.Now(), functionScale())
	if err != nil {
		return FunctionSeries{}, fmt.Errorf("taskflow: series of functions: %w", err)
	}
	s := FunctionSeries{Since: w.since, Until: w.until, Step: w.step, Steps: w.steps(), Known: make([]bool, w.steps()), Functions: map[string]*FunctionCounts{}}
	s.Complete, err = m.series.read(ctx, w, q.Instance, func(at int, _ *SeriesPoint, p *wirePoint) error {
		functions, err := p.byFunction()
		s.Known[at] = s.Known[at] || err == nil
		for name, w := range functions {
			if q.Name != "" && name != q.Name {
				continue
			}
			c := w.counts()
			f := s.Functions[name]
			if f == nil {
				f = &FunctionCounts{FailedIn: make([]int64, s.Steps), EndedIn: make([]int64, s.Steps)}
				s.Functions[name] = f
			}
			f.Merge(&c)
			f.FailedIn[at] += c.Failed
			f.EndedIn[at] += c.Ended()
		}
		return err
	})
	if err != nil {
		return FunctionSeries{}, fmt.Errorf("taskflow: series of functions: %w", err)
	}
	return s, nil
}

// gauges make a step's pools of its points.
type gauges struct {
	s      *Series
	at     int       // the step
	start  time.Time // of the stretch whose points these are
	points []*wirePoint
}

// note takes the points in the order of their stretches.
func (g *gauges) note(at int, start time.Time, p *wirePoint) {
	if !start.Equal(g.start) {
		g.done()
		g.at, g.start = at, start
	}
	g.points = append(g.points, p)
}

// done ends a stretch. What instances that lived at the same moment had is added up; the most of a stretch is that of its fullest moment, and
// the most of a step that of its fullest stretch. As nothing ends a sum but an end, the moments at which somebody began are all there is to
// look at.
func (g *gauges) done() {
	looked := map[int64]bool{}
	for _, p := range g.points {
		if looked[p.First] && p.counts(p.First) {
			continue
		}
		looked[p.First] = true
		sum := map[string]PoolInfo{}
		for _, other := range g.points {
			if other == p || other.counts(p.First) {
				other.addPools(sum)
			}
		}
		g.s.Steps[g.at].atLeast(sum)
	}
	clear(g.points)
	g.points = g.points[:0]
}

// counts reports whether the instance was counting at a moment. At the second of its end it was not: the one that follows it may begin then.
func (p *wirePoint) counts(at int64) bool {
	return p.First <= at && (at < p.Last || at == p.First && p.Stopped == 0)
}

func (p *wirePoint) addPools(sum map[string]PoolInfo) {
	for name, pool := range p.Pools {
		s := sum[name]
		sum[name] = PoolInfo{Name: name, Limit: s.Limit + pool.Limit, Running: s.Running + pool.Running, Waiting: s.Waiting + pool.Waiting}
	}
}

func (s *SeriesStep) atLeast(pools map[string]PoolInfo) {
	if s.Pools == nil {
		s.Pools = map[string]PoolInfo{}
	}
	for name, p := range pools {
		most := s.Pools[name]
		s.Pools[name] = PoolInfo{Name: name, Limit: max(most.Limit, p.Limit), Running: max(most.Running, p.Running), Waiting: max(most.Waiting, p.Waiting)}
	}
}

// lives are what points tell of their instances.
type lives map[string]*life

type life struct {
	host, version          string
	started, stopped, last int64
}

func (l lives) note(instance string, p *wirePoint) {
	i := l[instance]
	if i == nil {
		i = &life{}
		l[instance] = i
	}
	i.host, i.version = p.Host, p.Version
	i.started, i.stopped, i.last = max(i.started, p.Started), max(i.stopped, p.Stopped), max(i.last, p.Last)
}

// marks within a window. One that counts still, or did at the window's end, is not lost; nor is one that runs: its clock may be off.
func (l lives) marks(w window, running []Instance) (marks []SeriesMark) {
	heard := min(w.until.Unix(), w.now.Unix()) - int64(lostAfter/time.Second)
	for id, i := range l {
		for kind, at := range map[string]int64{"start": i.started, "stop": i.stopped, "lost": i.last} {
			known := i.stopped != 0 || i.last >= heard || slices.ContainsFunc(running, func(r Instance) bool { return r.ID == id })
			if kind == "lost" && known {
				continue
			}
			if at > 0 && at >= w.since.Unix() && at <= w.until.Unix() {
				marks = append(marks, SeriesMark{time.Unix(at, 0).UTC(), kind, id, i.host, i.version})
			}
		}
	}
	slices.SortFunc(marks, func(a, b SeriesMark) int {
		if c := a.Time.Compare(b.Time); c != 0 {
			return c
		}
		return strings.Compare(a.Instance+a.Kind, b.Instance+b.Kind)
	})
	return marks
}

// Names are the functions of which anything was counted, in their order.
func (s *FunctionSeries) Names() []string { return slices.Sorted(maps.Keys(s.Functions)) }
