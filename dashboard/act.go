package dashboard

import (
	"errors"
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
	rec, err := h.m.Cancel(id, "cancelled on the dashboard by "+actor(r))
	if errors.Is(err, taskflow.ErrNotFound) {
		err = h.whyNotHere(r, id, err)
	}
	if err != nil {
		return fmt.Errorf("cancel the task: %w", err)
	}
	h.record(r, taskflow.AuditEntry{Action: "cancel", TaskID: id, Detail: map[string]any{}})
	return h.answer(w, r, acted{rec.ID, rec.Summary()})
}

// whyNotHere tells a task that this process does not hold from one that does not exist.
func (h *Handler) whyNotHere(r *http.Request, id string, notFound error) error {
	rec, err := h.m.Get(r.Context(), id)
	switch {
	case err != nil:
		return notFound
	case rec.Status.Final():
		return fmt.Errorf("%w: it is %s", taskflow.ErrNotCancellable, rec.Status)
	default:
		return refuse(http.StatusConflict, "the task belongs to instance %s: cancel it on that instance's dashboard", clip(rec.Owner, 64))
	}
}
