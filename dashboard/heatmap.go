package dashboard

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"
)

// maxHeats is how many functions GET /heatmap shows.
const maxHeats = 50

// heatmap is the answer to GET /heatmap.
type heatmap struct {
	Step      int     `json:"step_seconds"`
	Times     []int64 `json:"times"` // beginnings of the steps, in seconds since 1970
	Functions []heat  `json:"functions"`
	Complete  bool    `json:"complete"`
}

// heat is what became of the tasks of a function, by step; null is a step in which nobody counted.
type heat struct {
	Name          string   `json:"func_name"`
	Failed        []*int64 `json:"failed"`
	Total         []*int64 `json:"total"` // reached a final status
	failed, total int64
}

// heatmap answers GET /heatmap with the functions that failed most.
func (h *Handler) heatmap(w http.ResponseWriter, r *http.Request) error {
	p, err := parseParams(r)
	if err != nil {
		return err
	}
	q, err := p.series(time.Now(), 7*24*time.Hour)
	if err != nil {
		return err
	}
	s, err := h.m.FunctionSeries(r.Context(), q)
	if err != nil {
		return badWindow(err)
	}
	m := heatmap{Step: int(s.Step / time.Second), Times: []int64{}, Functions: []heat{}, Complete: s.Complete}
	for i := range s.Steps {
		m.Times = append(m.Times, s.Since.Add(time.Duration(i)*s.Step).Unix())
	}
	for name, f := range s.Functions {
		if f.Ended() > 0 {
			m.Functions = append(m.Functions, heat{name, column(s.Known, f.FailedIn), column(s.Known, f.EndedIn), f.Failed, f.Ended()})
		}
	}
	slices.SortFunc(m.Functions, byFailures)
	m.Functions = m.Functions[:min(len(m.Functions), maxHeats)]
	return h.answer(w, r, m)
}

// column has null where nothing is known.
func column(known []bool, counts []int64) []*int64 {
	c := make([]*int64, len(counts))
	for i, n := range counts {
		c[i] = maybe(known[i], n)
	}
	return c
}

// byFailures orders functions: most failures first, then the busiest.
func byFailures(a, b heat) int {
	return cmp.Or(cmp.Compare(b.failed, a.failed), cmp.Compare(b.total, a.total), strings.Compare(a.Name, b.Name))
}
