package dashboard_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
)

func TestListFiltersThatAreAppliedToPages(t *testing.T) {
	t.Parallel()
	b := memory.New()
	s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(ok, fail, hold), taskflow.WithBackend(b)})
	other := s.run(taskflow.WorkOf(ok.With("a")))
	urgent := s.run(taskflow.WorkOf(fail.With("a")), taskflow.Priority(5))
	live := s.m.Add(taskflow.WorkOf(hold.With("")))
	waitStatus(t, s, live.ID(), "running")
	retried := decode[acted](t, s.post("/"+urgent+"/retry", http.StatusOK)).ID
	waitFinal(t, s, retried)
	group := decode[struct {
		Groups []struct {
			ID string `json:"failure_group"`
		}
	}](t, s.get("/failures", http.StatusOK)).Groups[0].ID
	for _, tt := range []struct {
		query string
		want  []string
	}{
		{"priority=5", []string{retried, urgent}},
		{"priority=%2B5&source=manual", []string{urgent}},
		{"priority=-3", nil},
		{"source=manual,retry&priority=5", []string{retried, urgent}},
		{"source=retry&source=scheduled", []string{retried}},
		{"failure_group=" + group, []string{retried, urgent}},
		{"failure_group=" + group + "&status=success", nil},
		{"failure_group=0123456789abcdef", nil},
		{"instance=" + s.m.Instance(), []string{live.ID()}},
		{"instance=nobody", nil},
		{"sort=-created_at", []string{retried, live.ID(), urgent, other}},
	} {
		if got := ids(s.list("/?" + tt.query)); !slices.Equal(got, tt.want) && len(got)+len(tt.want) > 0 {
			t.Errorf("?%s gives %v, want %v", tt.query, got, tt.want)
		}
		if strings.HasPrefix(tt.query, "sort") {
			continue
		}
		type counted struct {
			Count int
			Exact bool
		}
		if got := decode[counted](t, s.get("/count?"+tt.query, http.StatusOK)); got.Count != len(tt.want) || !got.Exact {
			t.Errorf("/count?%s gives %+v, want %d", tt.query, got, len(tt.want))
		}
	}
	// page by page, everything is there once
	var all []string
	target := "/?priority=5&limit=1"
	for target != "" {
		w := s.get(target, http.StatusOK)
		all = append(all, ids(decode[[]task](t, w))...)
		next, _, _ := strings.Cut(strings.TrimPrefix(w.Header().Get("Link"), "<"), ">")
		if target = next; target != "" {
			target = "/" + target
		}
	}
	if !slices.Equal(all, []string{retried, urgent}) {
		t.Errorf("page by page: %v, want %v", all, []string{retried, urgent})
	}
}

func TestFiltersThatCannotBeUnderstood(t *testing.T) {
	t.Parallel()
	s := open(t)
	for query, names := range map[string]string{
		"priority=high": "priority", "priority=1&priority=2": "2 times", "priority=99999999999999999999": "priority",
		"failure_group=xyz": "failure_group", "failure_group=0123456789ABCDEF": "failure_group", "instance=%ff": "instance",
	} {
		for _, path := range []string{"/?", "/count?", "/export?format=csv&"} {
			if text := detail(t, s.get(path+query, http.StatusBadRequest)); !strings.Contains(text, names) {
				t.Errorf("%s%s: %q does not name %q", path, query, text, names)
			}
		}
	}
	for _, query := range []string{"sort=error", "sort=--duration", "sort=duration&cursor=" + taskflow.NewID(time.Now())} {
		if text := detail(t, s.get("/?"+query, http.StatusBadRequest)); !strings.Contains(text, "-created_at") {
			t.Errorf("%s: %q does not say which order is possible", query, text)
		}
	}
	for _, path := range []string{"/count?", "/export?format=csv&"} {
		if text := detail(t, s.get(path+"stauts=failed", http.StatusBadRequest)); !strings.Contains(text, "stauts") {
			t.Errorf("%s: %q does not name the parameter", path, text)
		}
	}
}

func TestListInAnotherOrder(t *testing.T) {
	t.Parallel()
	b, now := memory.New(), time.Now()
	var records []taskflow.Record
	for i, d := range []time.Duration{3 * time.Second, time.Second, 2 * time.Second} { // the newest first
		r := failedAt(now, time.Duration(i+1)*time.Minute, "fail", "x")
		r.EndTime = r.StartTime.Add(d)
		r.Logs = []string{"line"}
		records = append(records, r)
	}
	if _, err := b.Save(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(fail), taskflow.WithBackend(b)})
	for sort, want := range map[string][]int{
		"-created_at": {0, 1, 2}, "created_at": {2, 1, 0}, "duration": {1, 2, 0}, "-duration": {0, 2, 1}, "end_time": {2, 1, 0}, "-end_time": {0, 1, 2},
		"duration&limit=1": {1}, "duration&status=success": {},
	} {
		var order []string
		for _, i := range want {
			order = append(order, records[i].ID)
		}
		if got := ids(s.list("/?sort=" + sort)); !slices.Equal(got, order) && len(got)+len(order) > 0 {
			t.Errorf("sort=%s gives %v, want %v", sort, got, order)
		}
	}
	if got := s.list("/?sort=duration&include=logs"); len(got) != 3 || len(got[0].Logs) != 1 {
		t.Errorf("with logs: %+v", got)
	}
	var many []taskflow.Record
	for i := range 1000 {
		many = append(many, failedAt(now, time.Hour+time.Duration(i)*time.Second, "other", "x"))
	}
	if _, err := b.Save(t.Context(), many); err != nil {
		t.Fatal(err)
	}
	if text := detail(t, s.get("/?sort=duration", http.StatusBadRequest)); !strings.Contains(text, "1000") || !strings.Contains(text, "-created_at") {
		t.Errorf("%q says neither the limit nor what is possible", text)
	}
	if got := s.list("/?sort=duration&func_name=other&limit=1000"); len(got) != 1000 {
		t.Errorf("%d of exactly 1000 tasks are sorted", len(got))
	}
}
