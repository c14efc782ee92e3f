package dashboard

import (
	"fmt"
	"net/http"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// acted is the answer to retry and cancel.
type acted struct {
	ID   string          `json:"task_id"`
	Task taskflow.Record `json:"task"`
}

// retry answers POST /{id}/retry: a new task with the same name, arguments, priority and tags. The old record stays.
func (h *Handler) retry(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	handle, err := h.m.Retry(r.Context(), id)
	if err != nil {
		return fmt.Errorf("retry the task: %w", err)
	}
	h.record(r, taskflow.AuditEntry{Action: "retry", TaskID: id, Detail: map[string]any{"new_task_id": handle.ID()}})
	return h.answer(w, r, acted{handle.ID(), handle.Record().Summary()})
}

// cancel answers POST /{id}/cancel. A running task is told through its context and may still be running in the answer.
func (h *Handler) cancel(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	rec, err := h.m.Cancel(r.Context(), id, "cancelled on the dashboard by "+actor(r))
	if err != nil {
		return fmt.Errorf("cancel the task: %w", err)
	}
	h.record(r, taskflow.AuditEntry{Action: "cancel", TaskID: id, Detail: map[string]any{}})
	return h.answer(w, r, acted{rec.ID, rec.Summary()})
}
