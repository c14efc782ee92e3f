package dashboard_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
)

type schedule struct {
	Name, Spec, Description, Timezone string
	Func                              string `json:"func_name"`
	NextRun                           string `json:"next_run"`
	Recent                            []struct {
		TaskID string `json:"task_id"`
		Slot   string
		Manual bool
		Status string
	}
	LastRun  *struct{} `json:"last_run"`
	Paused   bool
	PausedBy string `json:"paused_by"`
	PausedAt string `json:"paused_at"`
	Overlap  string
	Jitter   float64 `json:"jitter_seconds"`

	SkippedFor string `json:"last_skipped_reason"`
}

func withSchedules(t *testing.T, opts ...dashboard.Option) *site {
	t.Helper()
	return openWith(t, []taskflow.ManagerOption{
		taskflow.WithTasks(ok, fail, hold), taskflow.WithBackend(memory.New()),
		taskflow.WithSchedule("weekly", taskflow.Cron("0 3 * * MON"), ok.With("report"), taskflow.TimeZone("Europe/Berlin"), taskflow.Jitter(90*time.Second)),
		taskflow.WithSchedule("yearly", taskflow.Cron("@yearly"), hold.With("")),
	}, opts...)
}

func (s *site) schedules() []schedule {
	s.t.Helper()
	return decode[[]schedule](s.t, s.get("/schedules", http.StatusOK))
}

func TestSchedulesAreListed(t *testing.T) {
	t.Parallel()
	all := withSchedules(t).schedules()
	if len(all) != 2 {
		t.Fatalf("%d schedules, want 2", len(all))
	}
	got := all[0]
	if next, err := time.Parse(time.RFC3339, got.NextRun); err != nil || next.Before(time.Now()) || !strings.HasSuffix(got.NextRun, "Z") {
		t.Errorf("the next run is at %q", got.NextRun)
	}
	if got.Name != "weekly" || got.Spec != "0 3 * * MON" || got.Description != "at 03:00 on Monday (Europe/Berlin)" || got.Timezone != "Europe/Berlin" ||
		got.Func != "ok" || got.Overlap != "skip" || got.Jitter != 90 || got.Paused || got.LastRun != nil || got.Recent == nil {
		t.Errorf("got %+v", got)
	}
}

func TestAScheduleIsRunByHand(t *testing.T) {
	t.Parallel()
	s := withSchedules(t)
	added := decode[struct {
		ID   string `json:"task_id"`
		Task task
	}](t, s.post("/schedules/yearly/run", http.StatusOK))
	if added.Task.ID != added.ID || added.Task.Source != "scheduled" || added.Task.Tags["schedule"] != "yearly" {
		t.Errorf("got %+v", added)
	}
	if text := detail(t, s.post("/schedules/yearly/run", http.StatusConflict)); !strings.Contains(text, added.ID) || !strings.Contains(text, "yearly") {
		t.Errorf("the problem %q does not name what is in the way", text)
	}
	got := s.schedules()[1]
	if len(got.Recent) != 1 || got.Recent[0].TaskID != added.ID || !got.Recent[0].Manual || got.LastRun == nil {
		t.Errorf("got %+v", got)
	}
	if e := s.trail()[0]; e.Action != "schedule_run" || e.TaskID != added.ID || e.Detail["schedule"] != "yearly" {
		t.Errorf("the audit trail says %+v", e)
	}
}

func TestAScheduleIsPausedAndResumed(t *testing.T) {
	t.Parallel()
	s := withSchedules(t, dashboard.User("ada", cheapHash(t, "secret")))
	session := cookie(s.login("ada", "secret"))
	got := decode[schedule](t, s.post("/schedules/weekly/pause", http.StatusOK, session))
	if !got.Paused || got.PausedBy != "ada" || got.PausedAt == "" || got.NextRun != "" {
		t.Errorf("paused: %+v", got)
	}
	got = decode[schedule](t, s.post("/schedules/weekly/resume", http.StatusOK, session))
	if got.Paused || got.PausedBy != "" || got.PausedAt != "" || got.NextRun == "" {
		t.Errorf("resumed: %+v", got)
	}
	trail := decode[[]auditEntry](t, s.get("/audit", http.StatusOK, session))
	if trail[0].Action != "schedule_resume" || trail[1].Action != "schedule_pause" || trail[1].Actor != "ada" || trail[1].Detail["schedule"] != "weekly" {
		t.Errorf("the audit trail says %+v", trail)
	}
}

func TestSchedulesThatThereAreNot(t *testing.T) {
	t.Parallel()
	s := withSchedules(t)
	for _, what := range []string{"run", "pause", "resume"} {
		if text := detail(t, s.post("/schedules/daily/"+what, http.StatusNotFound)); !strings.Contains(text, "daily") {
			t.Errorf("%s: %q does not name the schedule", what, text)
		}
		s.post("/schedules//"+what, http.StatusNotFound)
		s.get("/schedules/weekly/"+what, http.StatusMethodNotAllowed)
	}
	s.post("/schedules/weekly", http.StatusNotFound)
	s.post("/schedules/weekly/delete", http.StatusNotFound)
	s.post("/schedules/weekly/run", http.StatusForbidden, header("Origin", "https://elsewhere.example"), header("Sec-Fetch-Site", "cross-site"))
	if n := len(s.trail()); n != 0 {
		t.Errorf("%d entries in the audit trail", n)
	}
}

func TestProblemsNameAScheduleThatLeavesRunsOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := openWith(t, []taskflow.ManagerOption{
			taskflow.WithTasks(ok, hold), taskflow.WithBackend(memory.New()),
			taskflow.WithSchedule("often", taskflow.Every(time.Minute), hold.With("")),
			taskflow.WithSchedule("short", taskflow.Every(time.Minute), ok.With("a")),
		})
		time.Sleep(4 * time.Minute)
		got := decode[problemAnswer](t, s.get("/problems", http.StatusOK))
		if len(got.Problems) != 1 || got.Problems[0].Kind != "schedule" || !strings.Contains(got.Problems[0].Title, "often") || got.Problems[0].TaskID == "" {
			t.Errorf("got %+v, want the one schedule whose run does not end", got)
		}
	})
}

func TestASlotGivenUpAtAStopIsToldOfAsThat(t *testing.T) {
	t.Parallel()
	for stored, want := range map[string]struct{ reason, text string }{
		`"reason":"stopped"`: {"stopped", "its instance was stopped"},
		`"count":1`:          {"overlap", "had not ended"}, // as older versions have stored it
	} {
		b := memory.New()
		value := `{"count":1,"slot":"` + time.Now().UTC().Format(time.RFC3339) + `",` + stored + `}`
		if err := b.PutState(t.Context(), "schedule/rarely/skipped", []byte(value)); err != nil {
			t.Fatal(err)
		}
		s := openWith(t, []taskflow.ManagerOption{taskflow.WithBackend(b), taskflow.WithSchedule("rarely", taskflow.Cron("@yearly"), ok.With(""))})
		if got := s.schedules()[0].SkippedFor; got != want.reason {
			t.Errorf("%s: the reason is %q, want %q", stored, got, want.reason)
		}
		got := decode[problemAnswer](t, s.get("/problems", http.StatusOK)).Problems
		if len(got) != 1 || got[0].Kind != "schedule" || !strings.Contains(got[0].Detail, want.text) {
			t.Errorf("%s: the problems are %+v, want one that says %q", stored, got, want.text)
		}
	}
}
