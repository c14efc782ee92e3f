package dashboard

import (
	"fmt"
	"net/http"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// deleteHistory answers DELETE /history?value=N&unit=min|hour|day: finished tasks added longer ago than that are deleted, wherever
// they are kept.
func (h *Handler) deleteHistory(w http.ResponseWriter, r *http.Request) error {
	p, err := parseParams(r)
	if err == nil {
		err = p.only("value", "unit")
	}
	if err != nil {
		return err
	}
	unitName, err := p.one("unit")
	if err != nil {
		return err
	}
	unit, ok := map[string]time.Duration{"min": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}[unitName]
	if !ok {
		return refuse(http.StatusBadRequest, "unit=%q is not possible; give min, hour or day", unitName)
	}
	value, err := p.one("value")
	if err != nil {
		return err
	}
	n, ok := number(value)
	if !ok || n == 0 {
		return refuse(http.StatusUnprocessableEntity, "value=%q is not possible; give a whole number of at least 1", value)
	}
	memory, backend, err := h.m.DeleteHistory(r.Context(), time.Now().Add(-age(n, unit)))
	if err != nil {
		return fmt.Errorf("delete history: %w", err)
	}
	// what is in memory is in the backend too, if there is one
	deleted := max(memory, backend)
	h.record(r, taskflow.AuditEntry{Action: "delete_history", Detail: map[string]any{"value": n, "unit": unitName, "deleted": deleted}})
	return h.answer(w, r, map[string]int{"deleted": deleted, "store": memory, "backend": backend})
}
