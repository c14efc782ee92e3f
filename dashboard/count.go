package dashboard

import (
	"fmt"
	"net/http"
	"time"
)

// counted is the answer to GET /count.
type counted struct {
	Count int  `json:"count"`
	Exact bool `json:"exact"` // false: there may be more
}

// count answers GET /count: how many tasks the filter parameters select, counting no further than countLimit.
func (h *Handler) count(w http.ResponseWriter, r *http.Request) error {
	p, err := parseParams(r)
	if err != nil {
		return err
	}
	s, err := p.selection(time.Now())
	if err != nil {
		return err
	}
	var c counted
	if s.simple() {
		c.Count, c.Exact, err = h.m.Count(r.Context(), s.Filter, countLimit)
	} else {
		var t tally
		t, err = h.tally(r.Context(), &s, "", nil)
		c = counted{t.matched, t.exact}
	}
	if err != nil {
		return fmt.Errorf("count tasks: %w", err)
	}
	return h.answer(w, r, c)
}
