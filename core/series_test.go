package taskflow_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
	"pgregory.net/rapid"
)

// sixMethods is a backend that keeps no series.
type sixMethods struct{ taskflow.Backend }

// ago asks for the series of the last d.
func ago(t *testing.T, m *taskflow.Manager, d time.Duration) taskflow.Series {
	t.Helper()
	s, err := m.Series(t.Context(), taskflow.SeriesQuery{Since: time.Now().Add(-d)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// total adds up the steps.
func total(s taskflow.Series) (c taskflow.Counts) {
	for i := range s.Steps {
		c.Merge(&s.Steps[i].Counts)
	}
	return c
}

// known says of each step whether somebody counted: "##..#".
func known(s taskflow.Series) string {
	text := ""
	for _, step := range s.Steps {
		text += map[bool]string{true: "#", false: "."}[step.Known]
	}
	return text
}

func kinds(s taskflow.Series) (list []string) {
	for _, m := range s.Marks {
		list = append(list, m.Kind)
	}
	return list
}

// allFates adds a task of each fate: one succeeds after a retry, one fails, one is cancelled, one is refused.
func allFates(t *testing.T, m *taskflow.Manager) {
	t.Helper()
	tries := 0
	add(m, func() error {
		time.Sleep(time.Second)
		if tries++; tries == 1 {
			return errors.New("not yet")
		}
		return nil
	}, taskflow.Name("twice"), taskflow.Retry(1, taskflow.Constant(2*time.Second)))
	add(m, func() error { return errors.New("disk on fire\ndetails") }, taskflow.Name("fails"))
	h := add(m, func() {}, taskflow.Name("later"), taskflow.Delay(time.Hour))
	if _, err := m.Cancel(t.Context(), h.ID(), ""); err != nil {
		t.Fatal(err)
	}
	add(m, func() {}, taskflow.Name("refused"), taskflow.Pool("unknown"))
	synctest.Wait()
}

func TestSeriesCountWhatBecomesOfTasks(t *testing.T) {
	t.Parallel()
	for name, backend := range map[string]func() taskflow.Backend{
		"none": nil, "six methods": func() taskflow.Backend { return sixMethods{memory.New()} }, "memory": func() taskflow.Backend { return memory.New() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var opts []taskflow.ManagerOption
				if backend != nil {
					opts = append(opts, taskflow.WithBackend(backend()))
				}
				m := started(t, opts...)
				allFates(t, m)
				time.Sleep(10 * time.Minute)
				s := ago(t, m, 5*time.Minute)
				if c := total(s); c.Added+c.Ended() != 0 || known(s) != "#####" {
					t.Errorf("the last five minutes have %+v, known %s; want nothing, and to know that", c, known(s))
				}
				s = ago(t, m, time.Hour)
				c := total(s)
				if c.Added != 3 || c.Success != 1 || c.Failed != 1 || c.Cancelled != 2 || c.Retried != 1 || c.Interrupted != 0 {
					t.Errorf("counted were %+v", c)
				}
				if c.Run.Count != 3 || c.Wait.Count != 3 || c.Run.Quantile(1) < time.Second || c.Run.Quantile(1) > 1200*time.Millisecond || c.Wait.Quantile(1) > time.Millisecond {
					t.Errorf("run %v, wait %v: want attempts of a second, and no wait but the retry's", c.Run, c.Wait)
				}
				if c.LastError != "disk on fire" || c.LastFailed.IsZero() || !c.LastRun.After(c.LastFailed) {
					t.Errorf("last were %v, %v, %q", c.LastRun, c.LastFailed, c.LastError)
				}
				if s.Complete != (name == "memory") {
					t.Errorf("complete is %v", s.Complete)
				}
				one, err := m.Series(t.Context(), taskflow.SeriesQuery{Since: time.Now().Add(-time.Hour), Name: "twice"})
				if c := total(one); err != nil || c.Added != 1 || c.Retried != 1 || c.Success != 1 || c.Failed != 0 {
					t.Errorf("of one function %+v, %v", c, err)
				}
				f, err := m.FunctionSeries(t.Context(), taskflow.SeriesQuery{Since: time.Now().Add(-24 * time.Hour)})
				if err != nil || fmt.Sprint(f.Names()) != "[fails later refused twice]" || f.Functions["fails"].Failed != 1 || f.Functions["refused"].Cancelled != 1 {
					t.Errorf("functions %v, %v", f.Names(), err)
				}
				in := f.Functions["fails"]
				if f.Step != time.Hour || len(in.FailedIn) != f.Steps || in.FailedIn[f.Steps-1] != 1 || in.EndedIn[f.Steps-1] != 1 {
					t.Errorf("by hour %+v of %d steps of %v", in, f.Steps, f.Step)
				}
			})
		})
	}
}

// What found no worker waits until one is free; a delay is no wait.
func TestSeriesMeasureWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := started(t, taskflow.WithConcurrency(2), taskflow.WithPool("idle", 5))
		for range 5 {
			add(m, func() { time.Sleep(time.Second) })
		}
		add(m, func() {}, taskflow.Delay(20*time.Second), taskflow.Pool("idle"))
		time.Sleep(30 * time.Second)
		s := ago(t, m, 2*time.Minute)
		c, pools := total(s), s.Steps[len(s.Steps)-1].Pools
		if pools["default"] != (taskflow.PoolInfo{Name: "default", Limit: 2, Running: 2, Waiting: 3}) ||
			pools["idle"] != (taskflow.PoolInfo{Name: "idle", Limit: 5, Running: 1}) {
			t.Errorf("pools are %+v", pools)
		}
		if short, mean, long := c.Wait.Quantile(0.5), c.Wait.Quantile(0.7), c.Wait.Quantile(1); c.Wait.Count != 6 || short > time.Millisecond ||
			mean < time.Second || mean > 1200*time.Millisecond || long < 2*time.Second || long > 2400*time.Millisecond {
			t.Errorf("of %d waits half are below %v, some below %v, all below %v; want three of nothing, two of 1 s, one of 2 s", c.Wait.Count, short, mean, long)
		}
	})
}

// Whatever the steps are, they have all that was counted within the window, and nothing else.
func TestSeriesStepsLoseNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := memory.New()
		m, err := taskflow.New(quiet, taskflow.WithBackend(b))
		if err != nil {
			t.Fatal(err)
		}
		now := time.Now()
		resolution := rapid.SampledFrom([]time.Duration{time.Minute, time.Hour}).Draw(t, "resolution")
		most := map[time.Duration]int{time.Minute: 47 * 60, time.Hour: 89 * 24}[resolution]
		added := map[int]int64{} // by age
		for range rapid.IntRange(0, 30).Draw(t, "points") {
			age, n := rapid.IntRange(0, most).Draw(t, "age"), rapid.Int64Range(1, 1000).Draw(t, "added")
			p := taskflow.SeriesPoint{
				Resolution: resolution, Start: now.Truncate(resolution).Add(-time.Duration(age) * resolution), Instance: fmt.Sprint("instance", age%3),
				Data: fmt.Appendf(nil, `{"format":1,"total":{"added":%d}}`+"\n"+`{"job":{"added":%d}}`, n, n),
			}
			if err := b.PutSeries(context.Background(), []taskflow.SeriesPoint{p}); err != nil {
				t.Fatal(err)
			}
			added[age] = n // the last stays
		}
		q := taskflow.SeriesQuery{Since: now.Add(-time.Duration(rapid.IntRange(1, most-50).Draw(t, "since")) * resolution)}
		if resolution == time.Hour {
			q.Since = q.Since.Add(-49 * time.Hour)
		}
		s, err := m.Series(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		var want int64
		for age, n := range added {
			if at := now.Truncate(resolution).Add(-time.Duration(age) * resolution); !at.Before(s.Since) && at.Before(s.Until) {
				want += n
			}
		}
		if got := total(s).Added; got != want || len(s.Steps) > taskflow.MaxSeriesSteps || s.Since.After(q.Since) || s.Until.Before(now) {
			t.Fatalf("since %v: %d of %d are in %d steps of %v from %v to %v", q.Since, got, want, len(s.Steps), s.Step, s.Since, s.Until)
		}
	})
}

// What all instances have counted is added up; each can be asked for.
func TestSeriesOfSeveralInstances(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		a, _ := c.instance()
		time.Sleep(30 * time.Minute)
		b, _ := c.instance()
		for range 3 {
			add(a, func() { time.Sleep(time.Second) }, taskflow.Name("job"))
			add(b, func() { time.Sleep(time.Second) }, taskflow.Name("job"))
		}
		time.Sleep(20 * time.Second) // b has written by then
		s := ago(t, a, time.Hour)
		if got := total(s); got.Added != 6 || got.Success != 6 || got.Run.Count != 6 {
			t.Errorf("counted were %+v, want six", got)
		}
		if p := s.Steps[len(s.Steps)-1].Pools[taskflow.DefaultPool]; p.Running != 6 || p.Limit == 0 || p.Limit%2 != 0 {
			t.Errorf("the pool is %+v, want three running on each", p)
		}
		if fmt.Sprint(kinds(s)) != "[start start]" || s.Marks[1].Instance != b.Instance() || !s.Complete {
			t.Errorf("marks are %+v", s.Marks)
		}
		one, err := b.Series(t.Context(), taskflow.SeriesQuery{Since: time.Now().Add(-time.Hour), Instance: a.Instance()})
		if err != nil || total(one).Added != 3 || fmt.Sprint(kinds(one)) != "[start]" {
			t.Errorf("of one instance %+v, %v", total(one), err)
		}
	})
}

// A write whose answer is lost is made again, and changes nothing; what could not be written comes later.
func TestSeriesAreWrittenAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		a, way := c.instance()
		b, _ := c.instance()
		way.mute.Store(true)
		for range 10 {
			add(a, func() {}, taskflow.Name("job"))
			time.Sleep(30 * time.Second)
		}
		way.mute.Store(false)
		way.cut.Store(true)
		for range 10 {
			add(a, func() {}, taskflow.Name("job"))
			time.Sleep(30 * time.Second)
		}
		way.cut.Store(false)
		time.Sleep(time.Minute)
		if got := total(ago(t, b, time.Hour)); got.Added != 20 || got.Success != 20 {
			t.Errorf("another instance sees %d added, %d succeeded; want 20", got.Added, got.Success)
		}
		if s := ago(t, b, 24*7*time.Hour); total(s).Added != 20 {
			t.Errorf("by hour it sees %d", total(s).Added)
		}
	})
}

// Nobody counts between a stop and the next start: that is a gap, not zero.
func TestSeriesShowGapsAndMarks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		first, _ := c.instance()
		add(first, func() {})
		time.Sleep(90 * time.Second)
		if err := first.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Minute)
		killed, way := c.instance()
		time.Sleep(90 * time.Second)
		way.cut.Store(true) // it is not heard of any more
		time.Sleep(3 * time.Minute)
		last, _ := c.instance()
		time.Sleep(time.Minute)
		s, err := last.Series(t.Context(), taskflow.SeriesQuery{Since: time.Now().Add(-10 * time.Minute)})
		if err != nil {
			t.Fatal(err)
		}
		if known(s) != "##..##...#" {
			t.Errorf("known is %s", known(s))
		}
		if fmt.Sprint(kinds(s)) != "[start stop start lost start]" || s.Marks[3].Instance == last.Instance() {
			t.Errorf("marks are %v", s.Marks)
		}
		_ = killed
		way.cut.Store(false)
	})
}

// Minutes are kept for two days, hours for 90, whoever wrote them.
func TestSeriesArePruned(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		now := time.Now()
		const day = 24 * time.Hour
		for resolution, ages := range map[time.Duration][]time.Duration{
			time.Minute: {200 * day, 3 * day, 50 * time.Hour, 47 * time.Hour}, time.Hour: {200 * day, 91 * day, 89 * day, 3 * day},
		} {
			for _, age := range ages {
				p := taskflow.SeriesPoint{
					Resolution: resolution, Start: now.Add(-age), Instance: "gone", Data: fmt.Appendf(nil, `{"format":1,"total":{"added":%d}}`, age/time.Hour),
				}
				if err := c.backend.PutSeries(t.Context(), []taskflow.SeriesPoint{p}); err != nil {
					t.Fatal(err)
				}
			}
		}
		m, _ := c.instance()
		time.Sleep(10 * time.Minute)
		for resolution, want := range map[time.Duration]int{time.Minute: 1, time.Hour: 2} {
			points, err := c.backend.Series(t.Context(), resolution, time.Time{}, now)
			if err != nil || len(points) != want {
				t.Errorf("%d points of a %v are left, %v; want %d", len(points), resolution, err, want)
			}
		}
		if s := ago(t, m, 90*day-time.Hour); total(s).Added != 24*(89+3) || s.Step != 6*time.Hour || !s.Complete {
			t.Errorf("of 90 days %d are counted, by %v, complete %v", total(s).Added, s.Step, s.Complete)
		}
		if s := ago(t, m, 365*day); total(s).Added != 24*(89+3) || s.Complete {
			t.Errorf("of a year %d are counted, complete %v", total(s).Added, s.Complete)
		}
		if s := ago(t, m, 48*time.Hour); total(s).Added != 47 || s.Step != 10*time.Minute || !s.Complete {
			t.Errorf("of two days %d are counted, by %v, complete %v", total(s).Added, s.Step, s.Complete)
		}
	})
}

// A point that cannot be read hides no other.
func TestSeriesWithAPointOfANewerVersion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		m, _ := c.instance()
		add(m, func() {})
		for i, data := range []string{`{"format":2}`, "torn", "{\"format\":1}\n[]"} {
			p := taskflow.SeriesPoint{Resolution: time.Minute, Start: time.Now(), Instance: fmt.Sprint("other", i), Data: []byte(data)}
			if err := c.backend.PutSeries(t.Context(), []taskflow.SeriesPoint{p}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		if s := ago(t, m, time.Hour); total(s).Added != 1 || s.Complete {
			t.Errorf("counted were %d, complete %v; want one, and to be told that something is missing", total(s).Added, s.Complete)
		}
		f, err := m.FunctionSeries(t.Context(), taskflow.SeriesQuery{Since: time.Now().Add(-time.Hour)})
		if err != nil || len(f.Functions) != 1 || f.Complete {
			t.Errorf("functions are %v, %v, complete %v", f.Names(), err, f.Complete)
		}
	})
}

// The point of the last minute is written by Stop.
func TestStopWritesWhatWasCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		m, _ := c.instance()
		add(m, func(ctx context.Context) error { return untilCancelled(ctx) })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		wantErr(t, m.Stop(ctx), context.DeadlineExceeded)
		other, _ := c.instance()
		s := ago(t, other, time.Minute)
		if got := total(s); got.Added != 1 || got.Interrupted != 1 || got.Run.Count != 1 {
			t.Errorf("counted were %+v, want one that was interrupted", got)
		}
	})
}

func TestSeriesThatCannotBeAskedFor(t *testing.T) {
	t.Parallel()
	m := created(t)
	for _, q := range []taskflow.SeriesQuery{{}, {Since: time.Now().Add(time.Hour)}, {Since: time.Now(), Until: time.Now().Add(-time.Hour)}} {
		_, err := m.Series(t.Context(), q)
		wantErr(t, err, taskflow.ErrInvalidOption)
		_, err = m.FunctionSeries(t.Context(), q)
		wantErr(t, err, taskflow.ErrInvalidOption)
	}
}

// Counting takes no lock: nothing is lost, and nothing counted twice, while points are written and read.
func TestSeriesLoseNothing(t *testing.T) {
	t.Parallel()
	m := started(t, taskflow.WithBackend(memory.New()))
	const producers, each = 8, 300
	var adding, reading sync.WaitGroup
	ctx, done := context.WithCancel(t.Context())
	reading.Go(func() {
		for ctx.Err() == nil {
			if _, err := m.Series(t.Context(), taskflow.SeriesQuery{Since: time.Now().Add(-time.Hour)}); err != nil {
				t.Error(err)
				return
			}
		}
	})
	handles := make([][]taskflow.Handle, producers)
	for p := range producers {
		adding.Go(func() {
			for i := range each {
				handles[p] = append(handles[p], add(m, func() error {
					if i%3 == 0 {
						return errors.New("failed")
					}
					return nil
				}, taskflow.Name(fmt.Sprint("job", i%5))))
			}
		})
	}
	adding.Wait()
	for _, list := range handles {
		for _, h := range list {
			_ = h.Wait(t.Context()) // a third fail, as they should
		}
	}
	done()
	reading.Wait()
	c := total(ago(t, m, time.Hour))
	if c.Added != producers*each || c.Success != producers*each*2/3 || c.Failed != producers*each/3 || c.Run.Count != producers*each || c.Wait.Count != producers*each {
		t.Errorf("counted were %+v, want %d", c, producers*each)
	}
	f, err := m.FunctionSeries(t.Context(), taskflow.SeriesQuery{Since: time.Now().Add(-time.Hour)})
	if err != nil || len(f.Functions) != 5 || f.Functions["job3"].Added != producers*each/5 {
		t.Errorf("functions are %v, %v", f.Names(), err)
	}
}
