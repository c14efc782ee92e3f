package taskflow_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
)

func TestAPauseHoldsOnAllInstancesAndOverRestarts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d diary
		c := newCluster(t)
		with := taskflow.WithSchedule("tick", taskflow.Every(time.Minute), d.noting(0), taskflow.CatchUp())
		here, _ := c.instance(with)
		there, _ := c.instance(with)
		time.Sleep(90 * time.Second)
		got, err := here.PauseSchedule(t.Context(), "tick", "ada")
		if err != nil || !got.Paused || got.PausedBy != "ada" || !got.PausedAt.Equal(time.Now()) || !got.NextRun.IsZero() {
			t.Fatalf("pause: %+v, %v", got, err)
		}
		if got := info(t, there); !got.Paused || got.PausedBy != "ada" {
			t.Errorf("the other instance says %+v", got)
		}
		time.Sleep(5 * time.Minute)
		d.want(t, minutes(1)...)
		for _, m := range []*taskflow.Manager{here, there} {
			if err := m.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		here, _ = c.instance(with)
		time.Sleep(2 * time.Minute)
		d.want(t, minutes(1)...)
		got, err = here.ResumeSchedule(t.Context(), "tick", "bob")
		if err != nil || got.Paused || !got.PausedAt.IsZero() || got.PausedBy != "" || !got.NextRun.Equal(dawn.Add(9*time.Minute)) {
			t.Fatalf("resume: %+v, %v", got, err)
		}
		time.Sleep(time.Minute)
		d.want(t, minutes(1, 9)...)
		if _, err := here.ResumeSchedule(t.Context(), "tick", "bob"); err != nil {
			t.Errorf("resume what is not paused: %v", err)
		}
	})
}

func TestAPauseWithoutABackend(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d diary
		m := started(t, taskflow.WithSchedule("tick", taskflow.Every(time.Minute), d.noting(0)))
		if _, err := m.PauseSchedule(t.Context(), "tick", "ada"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(150 * time.Second)
		if _, err := m.ResumeSchedule(t.Context(), "tick", "ada"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		d.want(t, minutes(3)...)
	})
}

func TestRunSchedule(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d diary
		c := newCluster(t)
		with := taskflow.WithSchedule("hourly", taskflow.Every(time.Hour), d.noting(90*time.Second))
		m, _ := c.instance(with)
		other, _ := c.instance(with)
		if _, err := m.PauseSchedule(t.Context(), "hourly", "ada"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		h, err := m.RunSchedule(t.Context(), "hourly")
		if err != nil {
			t.Fatal(err)
		}
		if r := h.Record(); r.Source != taskflow.SourceScheduled || r.Tags[taskflow.ScheduleTag] != "hourly" || !r.Durable {
			t.Errorf("it is %+v", r)
		}
		_, err = other.RunSchedule(t.Context(), "hourly")
		wantErr(t, err, taskflow.ErrScheduleBusy)
		if !strings.Contains(fmt.Sprint(err), h.ID()) {
			t.Errorf("%v does not name the run %s", err, h.ID())
		}
		time.Sleep(2 * time.Minute)
		got := info(t, other)
		if len(got.Recent) != 1 || !got.Recent[0].Manual || got.Recent[0].TaskID != h.ID() || got.Recent[0].Status != taskflow.StatusSuccess ||
			!got.Recent[0].Slot.Equal(dawn.Add(time.Minute)) {
			t.Errorf("the recent runs are %+v", got.Recent)
		}
		if _, err = other.RunSchedule(t.Context(), "hourly"); err != nil {
			t.Error(err)
		}
		_, err = m.RunSchedule(t.Context(), "daily")
		wantErr(t, err, taskflow.ErrScheduleNotFound)
		_, err = m.PauseSchedule(t.Context(), "daily", "ada")
		wantErr(t, err, taskflow.ErrScheduleNotFound)
		_, err = created(t, with).RunSchedule(t.Context(), "hourly")
		wantErr(t, err, taskflow.ErrStopped)
		_, err = created(t, with).PauseSchedule(t.Context(), "hourly", "ada")
		wantErr(t, err, taskflow.ErrStopped)
		d.want(t, minutes(1, 3)...)
	})
}

func TestRunsAreRememberedOverARestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		fails := taskflow.Define("fails", func(context.Context, int) error { return errors.New("no") })
		with := taskflow.WithSchedule("hourly", taskflow.Every(time.Hour), fails.With(1))
		m, _ := c.instance(with)
		time.Sleep(150 * time.Minute)
		before := info(t, m)
		if err := m.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		m, _ = c.instance(with)
		after := info(t, m)
		if len(after.Recent) != 2 || !slices.Equal(before.Recent, after.Recent) || after.Recent[1].Status != taskflow.StatusFailed {
			t.Errorf("before %+v\nafter  %+v", before.Recent, after.Recent)
		}
	})
}

// TestARunThatDiedWithItsInstanceIsInterrupted: it was in memory; the next slot is run.
func TestARunThatDiedWithItsInstanceIsInterrupted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d diary
		b := memory.New()
		if err := b.PutState(t.Context(), "schedule/hourly/run/00dc6acf-ac00-7000-8000-000000000001",
			[]byte(`{"task_id":"00dc6acf-ac00-7000-8000-000000000001","slot":"2000-01-01T00:00:00Z","status":"pending","instance":"dead"}`)); err != nil {
			t.Fatal(err)
		}
		m := started(t, taskflow.WithBackend(b), taskflow.WithSchedule("hourly", taskflow.Every(time.Hour), d.noting(0)))
		if got := info(t, m); len(got.Recent) != 1 || got.Recent[0].Status != taskflow.StatusInterrupted {
			t.Errorf("the recent runs are %+v", got.Recent)
		}
		time.Sleep(61 * time.Minute)
		d.want(t, time.Hour)
	})
}

func TestStatesThatCannotBeReadDoNoHarm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d diary
		b := memory.New()
		for name, value := range map[string]string{
			"schedule/hourly/run/x": "no json", "schedule/hourly/skipped": "[]", "schedule/hourly/later": "{}", "schedule/hourly": "x", "schedule/": "", "schedule//": "",
		} {
			if err := b.PutState(t.Context(), name, []byte(value)); err != nil {
				t.Fatal(err)
			}
		}
		m := started(t, taskflow.WithBackend(b), taskflow.WithSchedule("hourly", taskflow.Every(time.Hour), d.noting(0)))
		time.Sleep(61 * time.Minute)
		d.want(t, time.Hour)
		if got := info(t, m); len(got.Recent) != 1 || got.Skipped != 0 {
			t.Errorf("it is %+v", got)
		}
	})
}

func TestWithScheduleSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	call := taskflow.Define("job", func(context.Context, int) error { return nil }).With(1)
	huge := taskflow.Define("huge", func(context.Context, string) error { return nil }).With(strings.Repeat("x", taskflow.MaxArgsBytes))
	minute := taskflow.Every(time.Minute)
	for name, tt := range map[string]struct {
		opt  taskflow.ManagerOption
		want []string
		is   error
	}{
		"no name":         {taskflow.WithSchedule("", minute, call), []string{`WithSchedule("")`, "1 to 100"}, taskflow.ErrInvalidOption},
		"a slash":         {taskflow.WithSchedule("a/b", minute, call), []string{`WithSchedule("a/b")`, "letters"}, taskflow.ErrInvalidOption},
		"dots":            {taskflow.WithSchedule("..", minute, call), []string{`".."`}, taskflow.ErrInvalidOption},
		"long name":       {taskflow.WithSchedule(strings.Repeat("n", 101), minute, call), []string{"1 to 100"}, taskflow.ErrInvalidOption},
		"expression":      {taskflow.WithSchedule("x", taskflow.Cron("61 * * * *"), call), []string{`WithSchedule("x")`, "61 * * * *"}, taskflow.ErrInvalidOption},
		"zero when":       {taskflow.WithSchedule("x", taskflow.When{}, call), []string{"Every or Cron"}, taskflow.ErrInvalidOption},
		"short":           {taskflow.WithSchedule("x", taskflow.Every(1), call), []string{"1ns"}, taskflow.ErrInvalidOption},
		"zone":            {taskflow.WithSchedule("x", taskflow.Cron("@daily"), call, taskflow.TimeZone("Europe/Berlim")), []string{`"x"`, "Europe/Berlim", "tzdata"}, taskflow.ErrInvalidOption},
		"local zone":      {taskflow.WithSchedule("x", taskflow.Cron("@daily"), call, taskflow.TimeZone("Local")), []string{"Local"}, taskflow.ErrInvalidOption},
		"zone of Every":   {taskflow.WithSchedule("x", minute, call, taskflow.TimeZone("Europe/Berlin")), []string{"Europe/Berlin", "use Cron"}, taskflow.ErrInvalidOption},
		"jitter":          {taskflow.WithSchedule("x", minute, call, taskflow.Jitter(-1)), []string{"Jitter", "-1ns"}, taskflow.ErrInvalidOption},
		"overlap":         {taskflow.WithSchedule("x", minute, call, taskflow.Overlap("never")), []string{"Overlap", "never"}, taskflow.ErrInvalidOption},
		"nil option":      {taskflow.WithSchedule("x", minute, call, nil), []string{"an option is nil"}, taskflow.ErrInvalidOption},
		"a task's option": {taskflow.WithSchedule("x", minute, call, taskflow.Timeout(-1)), []string{`"x"`, "Timeout"}, taskflow.ErrInvalidOption},
		"joined options":  {taskflow.WithSchedule("x", minute, call, taskflow.Options(taskflow.Retry(-1, nil))), []string{`"x"`, "Retry"}, taskflow.ErrInvalidOption},
		"pool":            {taskflow.WithSchedule("x", minute, call, taskflow.Pool("gpu")), []string{`"x"`, `"gpu"`, "WithPool"}, taskflow.ErrInvalidOption},
		"zero call":       {taskflow.WithSchedule("x", minute, taskflow.Call{}), []string{"Task.With"}, taskflow.ErrInvalidOption},
		"arguments":       {taskflow.WithSchedule("x", minute, huge), []string{`"x"`, "huge"}, taskflow.ErrArguments},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := taskflow.New(tt.opt)
			wantErr(t, err, tt.is)
			for _, want := range tt.want {
				if !strings.Contains(fmt.Sprint(err), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
	t.Run("twice", func(t *testing.T) {
		t.Parallel()
		_, err := taskflow.New(taskflow.WithSchedule("x", minute, call), taskflow.WithSchedule("x", taskflow.Every(time.Hour), call))
		if wantErr(t, err, taskflow.ErrInvalidOption); !strings.Contains(fmt.Sprint(err), `WithSchedule("x"): given twice`) {
			t.Errorf("%v does not say what is there twice", err)
		}
	})
	t.Run("another task of the name", func(t *testing.T) {
		t.Parallel()
		other := taskflow.Define("job", func(context.Context, string) error { return nil })
		_, err := taskflow.New(taskflow.WithTasks(other), taskflow.WithSchedule("x", minute, call))
		if err == nil || !strings.Contains(err.Error(), `WithSchedule("x"): two tasks answer to the name "job"`) {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("two schedules of one task", func(t *testing.T) {
		t.Parallel()
		m := created(t, taskflow.WithSchedule("x", minute, call), taskflow.WithSchedule("y", minute, call))
		if n := len(m.Tasks()); n != 1 {
			t.Errorf("%d tasks are registered, want 1", n)
		}
		if all, err := m.Schedules(t.Context()); err != nil || len(all) != 2 || all[1].Name != "y" || all[1].NextRun.IsZero() {
			t.Errorf("before Start: %+v, %v", all, err)
		}
	})
}

func TestStartSaysWhatSchedulesCannotDoWithTheBackend(t *testing.T) {
	t.Parallel()
	call := taskflow.Define("job", func(context.Context, int) error { return nil }).With(1)
	for name, tt := range map[string]struct {
		backend taskflow.Backend
		want    []string
	}{
		"six methods": {newSix(), []string{"has no slots", "in spite of CatchUp"}},
		"all":         {memory.New(), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log lockedBuffer
			started(t, taskflow.WithLogger(slog.New(slog.NewTextHandler(&log, nil))), taskflow.WithBackend(tt.backend),
				taskflow.WithSchedule("x", taskflow.Every(time.Hour), call, taskflow.CatchUp()))
			for _, want := range tt.want {
				if !strings.Contains(log.String(), want) {
					t.Errorf("the log does not say %q: %s", want, log.String())
				}
			}
			if tt.want == nil && strings.Contains(log.String(), "level=WARN") {
				t.Errorf("the log warns: %s", log.String())
			}
		})
	}
}
