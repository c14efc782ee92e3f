package taskflow

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// somePoint has something of everything.
func somePoint(t *testing.T) wirePoint {
	t.Helper()
	p := wirePoint{
		Format: seriesFormat, Host: "web-1", Version: "v1.2.3", First: 1763856010, Last: 1763856059, Started: 1763856010, Stopped: 1763856059,
		Pools: map[string]wirePool{"default": {Limit: 64, Running: 3, Waiting: 0}, "cpu": {Limit: 2, Running: 2, Waiting: 17}},
	}
	p.setFunctions(map[string]wireCounts{
		"send_email": {
			Added: 12, Success: 9, Failed: 1, Interrupted: 1, Cancelled: 1, Retried: 2, Wait: []int64{0, 11, 71, 3}, Run: []int64{131, 13, 151, 1},
			RanAt: 1763856058123, FailedAt: 1763856051001, Error: "550 no such user",
		},
		"resize":       {Added: 1, Run: []int64{200, 1}, RanAt: 1763856020000},
		OtherFunctions: {Added: 2},
	})
	return p
}

// What is stored must be read by later versions.
func TestSeriesPointIsStoredAsInTheGoldenFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join("testdata", "series", "point.json")
	p := somePoint(t)
	data, err := p.encode()
	if err != nil {
		t.Fatal(err)
	}
	if f := flag.Lookup("update"); f != nil && f.Value.String() == "true" {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, append(data, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(data) != strings.TrimSpace(string(golden)) {
		t.Errorf("a point is stored as\n%s\nwant\n%s", data, golden)
	}
	back, err := decodePoint(golden)
	if _, functions := back.byFunction(); functions != nil {
		t.Error(functions)
	}
	back.line = nil
	if err != nil || !reflect.DeepEqual(back, p) {
		t.Errorf("the golden file is read as\n%+v, %v, want\n%+v", back, err, p)
	}
	c := back.Total.counts()
	if c.Added != 15 || c.Ended() != 12 || c.Wait.Count != 14 || c.Run.Count != 15 || c.LastError != "550 no such user" || !c.LastRun.Equal(time.UnixMilli(1763856058123)) {
		t.Errorf("its total is %+v", c)
	}
}

func TestSeriesPointThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]error{"": nil, "null": nil, "{": nil, `{"format":0}`: ErrNewerFormat, `{"format":2}`: ErrNewerFormat, `{"format":1,"total":[]}`: nil} {
		if _, err := decodePoint([]byte(data)); err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%q is read with %v, want an error like %v", data, err, want)
		}
	}
}

// Who has more functions than a point names finds the rest together, and nothing is lost of the total.
func TestSeriesPointNamesTheBusiestFunctions(t *testing.T) {
	t.Parallel()
	all := map[string]wireCounts{}
	for i := range 300 {
		all[fmt.Sprintf("task%03d", i)] = wireCounts{Added: int64(i + 1), Run: []int64{int64(i), 1}}
	}
	all[OtherFunctions] = wireCounts{Added: 1000}
	var p wirePoint
	p.setFunctions(all)
	if len(p.functions) != maxSeriesFunctions+1 {
		t.Errorf("%d functions are named, want %d", len(p.functions), maxSeriesFunctions+1)
	}
	if p.Total.Added != 300*301/2+1000 {
		t.Errorf("the total is %d", p.Total.Added)
	}
	for name, want := range map[string]int64{"task299": 300, "task101": 102, "task000": 0, OtherFunctions: 1000 + 100*101/2} {
		if c, err := p.function(name); err != nil || c.Added != want {
			t.Errorf("%s has %d, %v; want %d", name, c.Added, err, want)
		}
	}
}

func TestSeriesPointIsNeverTooLarge(t *testing.T) {
	t.Parallel()
	all := map[string]wireCounts{}
	full := make([]int64, 0, 2*meterBuckets)
	for i := range int64(meterBuckets) {
		full = append(full, i, 4_000_000_000)
	}
	for i := range maxSeriesFunctions {
		all[fmt.Sprintf("%s%03d", strings.Repeat("\u2028", 60), i)] = wireCounts{Added: 1 << 60, Wait: full, Run: full, Error: strings.Repeat("<", maxSeriesError)}
	}
	var p wirePoint
	p.setFunctions(all)
	data, err := p.encode()
	if err != nil || len(data) > MaxSeriesBytes || len(p.functions) == 0 {
		t.Errorf("a point has %d bytes and %d functions, %v", len(data), len(p.functions), err)
	}
}

func TestNamesWithoutEndShareOneMeter(t *testing.T) {
	t.Parallel()
	var m meters
	m.init([]string{"registered"})
	for i := range maxMeters {
		if m.of(fmt.Sprint("name", i)) == &m.others {
			t.Fatalf("name %d has no meter of its own", i)
		}
	}
	if m.of("one more") != &m.others || m.of(OtherFunctions) != &m.others {
		t.Error("one more has a meter of its own")
	}
	if m.of("registered") == &m.others || m.of("name7") == &m.others || m.of("name7") == m.of("name8") {
		t.Error("those that have one have lost it")
	}
}

func TestWindowsChooseTheirSteps(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 14, 15, 9, 26, 5, time.UTC)
	for _, c := range []struct {
		since, until, step time.Duration
		steps              int
	}{
		{time.Second, 0, time.Minute, 1},
		{time.Hour, 0, time.Minute, 61},
		{6 * time.Hour, 0, time.Minute, 361},
		{7 * time.Hour, 0, 2 * time.Minute, 211},
		{24 * time.Hour, 0, 5 * time.Minute, 289},
		{48 * time.Hour, 0, 10 * time.Minute, 289},
		{48*time.Hour + 1, 0, time.Hour, 49},
		{7 * 24 * time.Hour, 0, time.Hour, 169},
		{7 * 24 * time.Hour, 6 * 24 * time.Hour, time.Hour, 25}, // minutes are gone
		{30 * 24 * time.Hour, 0, 2 * time.Hour, 361},
		{90 * 24 * time.Hour, 0, 6 * time.Hour, 361},
		{900 * 24 * time.Hour, 0, 6 * time.Hour, 361},
	} {
		q := SeriesQuery{Since: now.Add(-c.since), Until: now.Add(-c.until)}
		w, err := q.window(now, chartScale())
		if err != nil || w.step != c.step || w.steps() != c.steps || w.steps() > MaxSeriesSteps {
			t.Errorf("from %v to %v ago: %d steps of %v, %v; want %d of %v", c.since, c.until, w.steps(), w.step, err, c.steps, c.step)
		}
		if w.since.Truncate(w.step) != w.since || w.until.Before(q.Until) || (w.index == 1) != (c.step >= time.Hour) {
			t.Errorf("from %v to %v ago: the window is %+v", c.since, c.until, w)
		}
	}
	for ago, want := range map[time.Duration]time.Duration{
		time.Hour: time.Minute, 2 * time.Hour: time.Minute, 3 * time.Hour: time.Hour, 7 * 24 * time.Hour: time.Hour, 30 * 24 * time.Hour: 2 * time.Hour,
	} {
		q := SeriesQuery{Since: now.Add(-ago)}
		if w, err := q.window(now, functionScale()); err != nil || w.step != want || w.steps() > MaxSeriesSteps {
			t.Errorf("functions of %v: %d steps of %v, %v; want %v", ago, w.steps(), w.step, err, want)
		}
	}
	for name, q := range map[string]SeriesQuery{
		"no beginning": {}, "it begins in the future": {Since: now.Add(time.Second)}, "it ends before it begins": {Since: now, Until: now.Add(-time.Hour)},
		"it is empty": {Since: now.Add(-time.Hour), Until: now.Add(-time.Hour)}, "it is too old": {Since: now.AddDate(-2, 0, 0), Until: now.AddDate(-1, 0, 0)},
	} {
		if _, err := q.window(now, chartScale()); !errors.Is(err, ErrInvalidOption) {
			t.Errorf("%s: %v, want ErrInvalidOption", name, err)
		}
	}
}

// A clock that is put back a little must not begin anew what was counted.
func TestAClockThatIsPutBack(t *testing.T) {
	t.Parallel()
	s := stretch{resolution: time.Minute}
	now := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	s.reset(now)
	for d, over := range map[time.Duration]bool{
		0: false, 33 * time.Second: false, 34 * time.Second: true, -27 * time.Second: false, -50 * time.Minute: false, -61 * time.Minute: true,
	} {
		if got := s.over(now.Add(d)); got != over {
			t.Errorf("%v later the minute is over: %v, want %v", d, got, over)
		}
	}
}

func TestSeriesInMemoryAreBounded(t *testing.T) {
	t.Parallel()
	var s seriesMemory
	start := time.Date(2026, 3, 14, 0, 0, 0, 0, time.UTC)
	hour := SeriesPoint{Resolution: time.Hour, Start: start, Instance: "me", Data: make([]byte, 1000)}
	if err := s.PutSeries(t.Context(), []SeriesPoint{hour}); err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		p := SeriesPoint{Resolution: time.Minute, Start: start.Add(time.Duration(i) * time.Minute), Instance: "me", Data: make([]byte, MaxSeriesBytes/2)}
		for range 2 {
			if err := s.PutSeries(t.Context(), []SeriesPoint{p}); err != nil {
				t.Fatal(err)
			}
		}
	}
	minutes, err := s.Series(t.Context(), time.Minute, start, start.AddDate(0, 0, 1))
	if err != nil || len(minutes) != 31 || !minutes[30].Start.Equal(start.Add(99*time.Minute)) {
		t.Errorf("%d minutes are kept, %v; want the latest 31", len(minutes), err)
	}
	if hours, err := s.Series(t.Context(), time.Hour, start, start.AddDate(0, 0, 1)); err != nil || len(hours) != 1 {
		t.Errorf("%d hours are kept, %v; want 1", len(hours), err)
	}
	if err := s.PruneSeries(t.Context(), time.Minute, start.AddDate(0, 0, 1)); err != nil || s.bytes != 1000 {
		t.Errorf("after pruning %d bytes are counted, %v; want those of the hour", s.bytes, err)
	}
}

// Whatever a backend returns, what is made of it makes sense.
func FuzzSeriesPoint(f *testing.F) {
	f.Add([]byte(`{"format":1,"total":{"added":1,"run":[1,2,3]}}` + "\n" + `{"a":{"wait":[0,-1,9223372036854775807,1]}}`))
	f.Add([]byte(`{"format":1,"first":-1,"last":9223372036854775807,"pools":{"p":{"limit":-1}}}` + "\n" + `{"a":null,"b":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := decodePoint(data)
		if err != nil {
			return
		}
		total := p.Total.counts()
		check := func(c *Counts) {
			for _, h := range []Histogram{c.Wait, c.Run} {
				if h.Count < 0 || h.Quantile(0.5) < 0 || h.Quantile(0.5) > h.Quantile(1) {
					t.Errorf("a histogram is %+v", h)
				}
			}
			if c.Ended() < 0 && c.Success|c.Failed|c.Interrupted|c.Cancelled >= 0 && c.Success < 1<<60 {
				t.Errorf("counts are %+v", c)
			}
			if _, err := json.Marshal(c.LastRun); err != nil {
				t.Error(err)
			}
		}
		check(&total)
		functions, err := p.byFunction()
		if err != nil {
			return
		}
		for _, w := range functions {
			c := w.counts()
			check(&c)
		}
	})
}
