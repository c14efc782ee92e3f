package dashboard_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// columns is an answer to GET /series, as far as the tests look at it.
type columns struct {
	Step      int `json:"step_seconds"`
	Times     []int64
	Added     []*int64
	Success   []*int64
	Failed    []*int64
	Retried   []*int64
	Running   []*int64
	Waiting   []*int64
	RunP50    []*float64 `json:"run_p50"`
	WaitP95   []*float64 `json:"wait_p95"`
	Pools     map[string]struct{ Limit int }
	Marks     []struct{ Kind string }
	Complete  bool
	Functions []struct {
		Name          string `json:"func_name"`
		Failed, Total []*int64
	}
}

func sum(column []*int64) (n int64) {
	for _, v := range column {
		if v != nil {
			n += *v
		}
	}
	return n
}

// counted is what a backend keeps of an instance that has gone.
func counted(t *testing.T, b taskflow.SeriesStore, resolution, ago time.Duration, data string) {
	t.Helper()
	p := taskflow.SeriesPoint{Resolution: resolution, Start: time.Now().Add(-ago).Truncate(resolution), Instance: "gone", Data: []byte(data)}
	if err := b.PutSeries(t.Context(), []taskflow.SeriesPoint{p}); err != nil {
		t.Fatal(err)
	}
}

func TestSeriesShowsWhatWasCounted(t *testing.T) {
	t.Parallel()
	b := memory.New()
	counted(t, b, time.Minute, 30*time.Minute, `{"format":1,"total":{"added":100,"success":40}}`+"\n"+`{"old":{"added":100,"success":40}}`)
	s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(ok, fail), taskflow.WithBackend(b)})
	s.runOK()
	s.runOK()
	s.runFail()
	got := decode[columns](t, s.get("/series?since=1h", http.StatusOK))
	if got.Step != 60 || len(got.Times) < 60 || len(got.Times) > 62 || len(got.Added) != len(got.Times) || len(got.WaitP95) != len(got.Times) {
		t.Errorf("%d steps of %d s, %d and %d entries", len(got.Times), got.Step, len(got.Added), len(got.WaitP95))
	}
	if sum(got.Added) != 103 || sum(got.Success) != 42 || sum(got.Failed) != 1 || !got.Complete || got.Pools["default"].Limit == 0 {
		t.Errorf("added %d, success %d, failed %d, pools %v, complete %v", sum(got.Added), sum(got.Success), sum(got.Failed), got.Pools, got.Complete)
	}
	if got.Added[0] != nil || got.RunP50[0] != nil || got.Running[0] != nil {
		t.Error("where nobody counted there is no null")
	}
	if last := len(got.Times) - 1; got.Added[last] == nil || sum(got.Running) < 1 || got.Marks[len(got.Marks)-1].Kind != "start" {
		t.Errorf("the last step has %v added, %v running, marks %v", got.Added[last], got.Running[last], got.Marks)
	}
	one := decode[columns](t, s.get("/series?since=1h&func_name=ok", http.StatusOK))
	if sum(one.Added) != 2 || sum(one.Failed) != 0 || sum(one.Running) != 0 || len(one.Pools) != 0 || one.Running[len(one.Running)-1] != nil {
		t.Errorf("of one function %+v", one)
	}
	gone := decode[columns](t, s.get("/series?since=1h&instance=gone", http.StatusOK))
	if sum(gone.Added) != 100 {
		t.Errorf("of one instance %d added, want 100", sum(gone.Added))
	}
}

func TestSeriesWindowsPickTheirSteps(t *testing.T) {
	t.Parallel()
	s := open(t)
	for query, want := range map[string]int{
		"": 60, "?since=1h": 60, "?since=24h": 300, "?since=7d": 3600, "?since=90d": 21600, "?since=50w": 21600,
		"?since=2h&until=1h": 60, "?until=3d": 3600, "?since=2000-01-01T00:00:00Z": 21600,
	} {
		got := decode[columns](t, s.get("/series"+query, http.StatusOK))
		if got.Step != want || len(got.Times) > 400 || len(got.Times) == 0 {
			t.Errorf("%q has %d steps of %d s, want of %d s", query, len(got.Times), got.Step, want)
		}
	}
}

func TestSeriesRefuseWhatMakesNoSense(t *testing.T) {
	t.Parallel()
	s := open(t)
	for query, names := range map[string]string{
		"since=yesterday": "since", "until=x": "until", "since=1h&until=2h": "since", "since=2150-01-01T00:00:00Z": "since",
		"since=2001-01-01T00:00:00Z&until=2002-01-01T00:00:00Z": "until", "since=1h&since=2h": "since",
		"func_name=" + strings.Repeat("x", 201): "func_name", "func_name=%ff": "func_name",
	} {
		for _, at := range []string{"/series", "/heatmap", "/functions"} {
			if at == "/functions" && strings.HasPrefix(query, "func_name") {
				continue
			}
			if text := detail(t, s.get(at+"?"+query, http.StatusBadRequest)); !strings.Contains(text, names) {
				t.Errorf("%s?%.60s: %q does not name %s", at, query, text, names)
			}
		}
	}
	for _, query := range []string{"instance=" + strings.Repeat("x", 201), "instance=a&instance=b"} {
		if text := detail(t, s.get("/series?"+query, http.StatusBadRequest)); !strings.Contains(text, "instance") {
			t.Errorf("?%.30s: %q", query, text)
		}
	}
}

func TestFunctionsShowTheirStats(t *testing.T) {
	t.Parallel()
	b := memory.New()
	counted(t, b, time.Hour, 5*time.Hour, `{"format":1}`+"\n"+`{"fail":{"added":10,"failed":9,"run":[151,9],"failed_at":1700000000000,"error":"old"},"elsewhere":{"added":3}}`)
	s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(ok, fail), taskflow.WithBackend(b)})
	s.runFail()
	s.run(taskflow.WorkOf(func() {}), taskflow.Name("a closure"))
	type function struct {
		Name       string `json:"func_name"`
		Registered bool
		Stats      *struct {
			Added, Success, Failed int64
			RunP50                 *float64   `json:"run_p50"`
			LastError              string     `json:"last_error"`
			LastFailedAt           *time.Time `json:"last_failed_at"`
			LastRunAt              *time.Time `json:"last_run_at"`
		}
	}
	got := decode[[]function](t, s.get("/functions?since=24h", http.StatusOK))
	names := ""
	for _, f := range got {
		names += fmt.Sprint(f.Name, " ", f.Registered, " ", f.Stats.Added, " ", f.Stats.Failed, ", ")
	}
	if names != "ok true 0 0, fail true 11 10, a closure false 1 0, elsewhere false 3 0, " {
		t.Fatalf("got %s", names)
	}
	if f := got[1].Stats; f.LastError != "broken" || f.LastFailedAt == nil || f.LastRunAt == nil || f.RunP50 == nil || *f.RunP50 < 1 {
		t.Errorf("of fail %+v", f)
	}
	if f := got[0].Stats; f.RunP50 != nil || f.LastRunAt != nil {
		t.Errorf("of ok, which has not run, %+v", f)
	}
	for _, f := range decode[[]function](t, s.get("/functions", http.StatusOK)) {
		if f.Stats != nil || !f.Registered {
			t.Errorf("without a window: %+v", f)
		}
	}
}

func TestHeatmapShowsTheWorstFirst(t *testing.T) {
	t.Parallel()
	b := memory.New()
	functions := ""
	for i := range 60 {
		functions += fmt.Sprintf(`,"f%02d":{"success":5,"failed":%d}`, i, i)
	}
	counted(t, b, time.Hour, 30*time.Hour, `{"format":1}`+"\n{"+functions[1:]+`,"only added":{"added":7}}`)
	s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(ok, fail), taskflow.WithBackend(b)})
	s.runFail()
	got := decode[columns](t, s.get("/heatmap", http.StatusOK))
	if got.Step != 3600 || len(got.Times) != 169 && len(got.Times) != 168 || len(got.Functions) != 50 || !got.Complete {
		t.Fatalf("%d steps of %d s, %d functions, complete %v", len(got.Times), got.Step, len(got.Functions), got.Complete)
	}
	for i, f := range got.Functions[:49] {
		failed, total := sum(f.Failed), sum(f.Total)
		if f.Name != fmt.Sprintf("f%02d", 59-i) || failed != int64(59-i) || total != failed+5 || len(f.Failed) != len(got.Times) {
			t.Errorf("place %d has %s with %d failures of %d", i, f.Name, failed, total)
		}
	}
	one := decode[columns](t, s.get("/heatmap?since=1h&func_name=fail", http.StatusOK))
	if one.Step != 60 || len(one.Functions) != 1 || one.Functions[0].Name != "fail" {
		t.Errorf("of one function %+v", one)
	}
	none := openWith(t, nil)
	if got := decode[columns](t, none.get("/heatmap?since=24h", http.StatusOK)); len(got.Functions) != 0 || got.Complete {
		t.Errorf("of an empty manager %+v", got)
	}
}

// Before the first instance, and between two, nobody has counted: that is null, not zero.
func TestHeatmapHasNullWhereNobodyCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(30 * time.Minute) // not at the full hour
		b := memory.New()
		counted(t, b, time.Hour, 5*time.Hour, `{"format":1}`+"\n"+`{"fail":{"failed":3}}`)
		counted(t, b, time.Hour, 4*time.Hour, `{"format":1}`)  // nothing has happened
		counted(t, b, time.Hour, 2*time.Hour, `{"format":99}`) // of a version that is not known
		s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(fail), taskflow.WithBackend(b)})
		s.runFail()
		for _, query := range []string{"since=6h", "since=6h&func_name=fail"} {
			got := decode[columns](t, s.get("/heatmap?"+query, http.StatusOK))
			if len(got.Functions) != 1 {
				t.Fatalf("%s: %d functions, want one", query, len(got.Functions))
			}
			f := got.Functions[0]
			for what, column := range map[string][]*int64{"failed": f.Failed, "total": f.Total} {
				if text := spell(column); text != "? 3 0 ? ? ? 1" {
					t.Errorf("%s: %s is %s, want ? 3 0 ? ? ? 1", query, what, text)
				}
			}
		}
	})
}

// spell writes a column with ? for null.
func spell(column []*int64) string {
	var all []string
	for _, n := range column {
		if n == nil {
			all = append(all, "?")
		} else {
			all = append(all, fmt.Sprint(*n))
		}
	}
	return strings.Join(all, " ")
}

// A backend that fails is a 500 that gives nothing away.
func TestSeriesOfABackendThatFails(t *testing.T) {
	t.Parallel()
	s := openWith(t, []taskflow.ManagerOption{taskflow.WithBackend(noSeries{memory.New()})})
	for _, at := range []string{"/series", "/heatmap", "/functions?since=1h"} {
		if text := detail(t, s.get(at, http.StatusInternalServerError)); strings.Contains(text, "secret") {
			t.Errorf("%s says %q", at, text)
		}
	}
}

type noSeries struct{ *memory.Backend }

func (noSeries) Series(context.Context, time.Duration, time.Time, time.Time) ([]taskflow.SeriesPoint, error) {
	return nil, errors.New("connect to secret-host: refused")
}
