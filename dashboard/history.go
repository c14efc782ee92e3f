package dashboard

import (
	"fmt"
	"net/http"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// deletable is the answer to a deletion of history that is only tried.
type deletable struct {
	WouldDelete int               `json:"would_delete"`
	Exact       bool              `json:"exact"`
	Samples     []taskflow.Record `json:"samples"` // the newest
}

// deleteHistory answers DELETE /history?value=N&unit=min|hour|day: finished tasks added longer ago than that are deleted, wherever
// they are kept. With dry_run=true it only counts them.
func (h *Handler) deleteHistory(w http.ResponseWriter, r *http.Request) error {
	p, err := parseParams(r)
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
	before := time.Now().Add(-age(n, unit))
	dry, err := p.flag("dry_run")
	if err != nil {
		return err
	}
	if dry {
		s := selection{Filter: taskflow.Filter{Until: clampTime(before.UTC())}}
		s.only(finalStatuses()...)
		t, err := h.tally(r.Context(), &s, "", nil)
		if err != nil {
			return fmt.Errorf("count the history: %w", err)
		}
		return h.answer(w, r, deletable{t.matched, t.exact, t.samples})
	}
	memory, backend, err := h.m.DeleteHistory(r.Context(), before)
	if err != nil {
		return fmt.Errorf("delete history: %w", err)
	}
	// what is in memory is in the backend too, if there is one
	deleted := max(memory, backend)
	h.record(r, taskflow.AuditEntry{Action: "delete_history", Detail: map[string]any{"value": n, "unit": unitName, "deleted": deleted}})
	return h.answer(w, r, map[string]int{"deleted": deleted, "store": memory, "backend": backend})
}
