package dashboard

import (
	"context"
	"fmt"
	"net/http"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// schedule is one of the manager's, as GET /schedules shows it. Durations are seconds.
type schedule struct {
	Name        string        `json:"name"`
	Spec        string        `json:"spec"`
	Description string        `json:"description"`
	TimeZone    string        `json:"timezone"`
	Func        string        `json:"func_name"`
	NextRun     time.Time     `json:"next_run,omitzero"`
	LastRun     *scheduleRun  `json:"last_run,omitempty"`
	Recent      []scheduleRun `json:"recent"` // newest first
	Paused      bool          `json:"paused"`
	PausedBy    string        `json:"paused_by,omitempty"`
	PausedAt    time.Time     `json:"paused_at,omitzero"`
	Overlap     string        `json:"overlap"`
	Jitter      float64       `json:"jitter_seconds"`
	CatchUp     bool          `json:"catch_up"`
	Durable     bool          `json:"durable"`
	Skipped     int64         `json:"skipped"`
	SkippedAt   time.Time     `json:"last_skipped_at,omitzero"`
	SkippedFor  string        `json:"last_skipped_reason,omitempty"`
}

type scheduleRun struct {
	TaskID string          `json:"task_id"`
	Slot   time.Time       `json:"slot"`
	Manual bool            `json:"manual"`
	Status taskflow.Status `json:"status"`
}

func asSchedule(i *taskflow.ScheduleInfo) schedule {
	s := schedule{
		Name: i.Name, Spec: i.Spec, Description: i.Description, TimeZone: i.TimeZone, Func: i.Task, NextRun: i.NextRun.UTC(),
		Recent: make([]scheduleRun, len(i.Recent)), Paused: i.Paused, PausedBy: i.PausedBy, PausedAt: i.PausedAt.UTC(),
		Overlap: string(i.Overlap), Jitter: i.Jitter.Seconds(), CatchUp: i.CatchUp, Durable: i.Durable, Skipped: i.Skipped, SkippedAt: i.SkippedAt.UTC(),
		SkippedFor: string(i.SkippedFor),
	}
	for n, r := range i.Recent {
		s.Recent[n] = scheduleRun{r.TaskID, r.Slot.UTC(), r.Manual, r.Status}
	}
	if len(s.Recent) > 0 {
		s.LastRun = &s.Recent[0]
	}
	return s
}

// schedules answers GET /schedules.
func (h *Handler) schedules(w http.ResponseWriter, r *http.Request) error {
	infos, err := h.m.Schedules(r.Context())
	if err != nil {
		return fmt.Errorf("read the schedules: %w", err)
	}
	all := make([]schedule, len(infos))
	for i := range infos {
		all[i] = asSchedule(&infos[i])
	}
	return h.answer(w, r, all)
}

// runSchedule answers POST /schedules/{name}/run: a run now, beside those of the slots.
func (h *Handler) runSchedule(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("id")
	handle, err := h.m.RunSchedule(r.Context(), name)
	if err != nil {
		return fmt.Errorf("run the schedule: %w", err)
	}
	h.record(r, taskflow.AuditEntry{Action: "schedule_run", TaskID: handle.ID(), Detail: map[string]any{"schedule": name}})
	return h.answer(w, r, acted{handle.ID(), handle.Record().Summary()})
}

// pauseSchedule answers POST /schedules/{name}/pause: slots pass unused, on all instances.
func (h *Handler) pauseSchedule(w http.ResponseWriter, r *http.Request) error {
	return h.changeSchedule(w, r, "schedule_pause", h.m.PauseSchedule)
}

// resumeSchedule answers POST /schedules/{name}/resume.
func (h *Handler) resumeSchedule(w http.ResponseWriter, r *http.Request) error {
	return h.changeSchedule(w, r, "schedule_resume", h.m.ResumeSchedule)
}

func (h *Handler) changeSchedule(w http.ResponseWriter, r *http.Request, action string,
	change func(ctx context.Context, name, actor string) (taskflow.ScheduleInfo, error)) error {
	name := r.PathValue("id")
	info, err := change(r.Context(), name, actor(r))
	if err != nil {
		return fmt.Errorf("change the schedule: %w", err)
	}
	h.record(r, taskflow.AuditEntry{Action: action, Detail: map[string]any{"schedule": name}})
	return h.answer(w, r, asSchedule(&info))
}
