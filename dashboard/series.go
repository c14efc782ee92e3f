package dashboard

import (
	"errors"
	"net/http"
	"strings"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// series is the answer to GET /series: columns of equal length, an entry for each step. Null is a step in which nobody counted, which is not
// zero, and a percentile of nothing.
type series struct {
	Since       time.Time             `json:"since"`
	Until       time.Time             `json:"until"`
	Step        int                   `json:"step_seconds"`
	Times       []int64               `json:"times"` // beginnings of the steps, in seconds since 1970
	Added       []*int64              `json:"added"`
	Success     []*int64              `json:"success"`
	Failed      []*int64              `json:"failed"`
	Interrupted []*int64              `json:"interrupted"`
	Cancelled   []*int64              `json:"cancelled"`
	Retried     []*int64              `json:"retried"`
	Waiting     []*int64              `json:"waiting"` // of all pools
	Running     []*int64              `json:"running"`
	WaitP50     []*float64            `json:"wait_p50"` // seconds
	WaitP95     []*float64            `json:"wait_p95"`
	RunP50      []*float64            `json:"run_p50"`
	RunP95      []*float64            `json:"run_p95"`
	Pools       map[string]poolSeries `json:"pools"`
	Marks       []seriesMark          `json:"marks"`
	Complete    bool                  `json:"complete"`
}

// poolSeries are the most tasks of a pool that ran and waited in each step.
type poolSeries struct {
	Limit   int      `json:"limit"` // in the last step that is known
	Running []*int64 `json:"running"`
	Waiting []*int64 `json:"waiting"`
}

// seriesMark is the start or end of an instance.
type seriesMark struct {
	Time     time.Time `json:"time"`
	Kind     string    `json:"kind"`
	Instance string    `json:"instance_id"`
	Host     string    `json:"host"`
	Version  string    `json:"version"`
}

// series answers GET /series.
func (h *Handler) series(w http.ResponseWriter, r *http.Request) error {
	p, err := parseParams(r)
	if err != nil {
		return err
	}
	q, err := p.series(time.Now(), time.Hour)
	if err != nil {
		return err
	}
	if q.Instance, err = p.one("instance"); err != nil {
		return err
	}
	s, err := h.m.Series(r.Context(), q)
	if err != nil {
		return badWindow(err)
	}
	return h.answer(w, r, columns(&s, q.Name == ""))
}

// series reads the window, and which function is asked for. Without since it is the last usual.
func (p params) series(now time.Time, usual time.Duration) (q taskflow.SeriesQuery, err error) {
	if q.Since, err = p.moment("since", now); err != nil {
		return q, err
	}
	if q.Until, err = p.moment("until", now); err != nil {
		return q, err
	}
	if q.Since.IsZero() {
		until := q.Until
		if until.IsZero() || until.After(now) {
			until = now
		}
		q.Since = until.Add(-usual)
	}
	q.Name, err = p.one("func_name")
	return q, err
}

// badWindow says which input is wrong, if one is.
func badWindow(err error) error {
	if errors.Is(err, taskflow.ErrInvalidOption) {
		text := err.Error()
		return refuse(http.StatusBadRequest, "since, until: %s", text[strings.LastIndex(text, "the window"):])
	}
	return err
}

// columns turns steps into columns. Pools are not counted by function: with one, their columns are null.
func columns(s *taskflow.Series, pools bool) series {
	c := series{
		Since: s.Since, Until: s.Until, Step: int(s.Step / time.Second), Times: []int64{}, Pools: map[string]poolSeries{}, Marks: []seriesMark{},
		Complete: s.Complete,
	}
	for i := range s.Steps {
		step := &s.Steps[i]
		c.Times = append(c.Times, step.Start.Unix())
		count := func(n int64) *int64 { return maybe(step.Known, n) }
		c.Added, c.Success = append(c.Added, count(step.Added)), append(c.Success, count(step.Success))
		c.Failed, c.Interrupted = append(c.Failed, count(step.Failed)), append(c.Interrupted, count(step.Interrupted))
		c.Cancelled, c.Retried = append(c.Cancelled, count(step.Cancelled)), append(c.Retried, count(step.Retried))
		c.WaitP50, c.WaitP95 = append(c.WaitP50, quantile(&step.Wait, 0.5)), append(c.WaitP95, quantile(&step.Wait, 0.95))
		c.RunP50, c.RunP95 = append(c.RunP50, quantile(&step.Run, 0.5)), append(c.RunP95, quantile(&step.Run, 0.95))
		var running, waiting int64
		for name, p := range step.Pools {
			running, waiting = running+int64(p.Running), waiting+int64(p.Waiting)
			if pools {
				c.pool(name, p, i, len(s.Steps))
			}
		}
		c.Running = append(c.Running, maybe(step.Known && pools, running))
		c.Waiting = append(c.Waiting, maybe(step.Known && pools, waiting))
	}
	for _, m := range s.Marks {
		c.Marks = append(c.Marks, seriesMark{m.Time, m.Kind, m.Instance, m.Host, m.Version})
	}
	return c
}

func (c *series) pool(name string, p taskflow.PoolInfo, step, steps int) {
	of, known := c.Pools[name]
	if !known {
		of = poolSeries{Running: make([]*int64, steps), Waiting: make([]*int64, steps)}
	}
	of.Limit = p.Limit
	of.Running[step], of.Waiting[step] = new(int64(p.Running)), new(int64(p.Waiting))
	c.Pools[name] = of
}

func maybe(known bool, n int64) *int64 {
	if !known {
		return nil
	}
	return &n
}

// quantile is in seconds; nil: of nothing.
func quantile(h *taskflow.Histogram, q float64) *float64 {
	if h.Count == 0 {
		return nil
	}
	return new(h.Quantile(q).Seconds())
}

// functionStats is what was counted of a function.
type functionStats struct {
	Added        int64      `json:"added"`
	Success      int64      `json:"success"`
	Failed       int64      `json:"failed"`
	Interrupted  int64      `json:"interrupted"`
	Cancelled    int64      `json:"cancelled"`
	Retried      int64      `json:"retried"`
	WaitP50      *float64   `json:"wait_p50"`
	WaitP95      *float64   `json:"wait_p95"`
	RunP50       *float64   `json:"run_p50"`
	RunP95       *float64   `json:"run_p95"`
	LastRunAt    *time.Time `json:"last_run_at,omitempty"`
	LastFailedAt *time.Time `json:"last_failed_at,omitempty"`
	LastError    string     `json:"last_error,omitempty"`
}

func statsOf(c *taskflow.Counts) *functionStats {
	s := &functionStats{
		Added: c.Added, Success: c.Success, Failed: c.Failed, Interrupted: c.Interrupted, Cancelled: c.Cancelled, Retried: c.Retried,
		WaitP50: quantile(&c.Wait, 0.5), WaitP95: quantile(&c.Wait, 0.95), RunP50: quantile(&c.Run, 0.5), RunP95: quantile(&c.Run, 0.95),
		LastError: c.LastError,
	}
	if !c.LastRun.IsZero() {
		s.LastRunAt = &c.LastRun
	}
	if !c.LastFailed.IsZero() {
		s.LastFailedAt = &c.LastFailed
	}
	return s
}

// withStats adds what was counted to registered functions, and those that are known from the counters only: closures, and tasks of other
// programs that share the backend.
func (h *Handler) withStats(r *http.Request, p params, all []function) ([]function, error) {
	q, err := p.series(time.Now(), 24*time.Hour)
	if err != nil {
		return nil, err
	}
	q.Name = "" // all are listed
	counted, err := h.m.FunctionSeries(r.Context(), q)
	if err != nil {
		return nil, badWindow(err)
	}
	for i := range all {
		c := &taskflow.Counts{}
		if f := counted.Functions[all[i].Name]; f != nil {
			c = &f.Counts
		}
		all[i].Stats = statsOf(c)
		delete(counted.Functions, all[i].Name)
	}
	for _, name := range counted.Names() {
		all = append(all, function{
			Name: name, Aliases: []string{}, Tags: map[string]string{}, Stats: statsOf(&counted.Functions[name].Counts),
		})
	}
	return all, nil
}
