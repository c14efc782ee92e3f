package dashboard

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

const (
	scannedFailures = 10_000 // failed tasks that one answer looks at, the newest
	trendSteps      = 24
	failureWindow   = 24 * time.Hour
	groupTasks      = 5
	groupingsAtOnce = 4 // answers that are being made: each may hold as many groups as it has looked at failures
)

// failures is the answer to GET /failures.
type failures struct {
	Groups   []failureKind `json:"groups"`
	Scanned  int           `json:"scanned"`
	Complete bool          `json:"complete"` // false: there are older ones that were not looked at
	Since    time.Time     `json:"since"`
}

// failureKind is a group of failures of one function with the same kind of error.
type failureKind struct {
	ID          string          `json:"failure_group"`
	Name        string          `json:"func_name"`
	Status      taskflow.Status `json:"status"` // failed or interrupted
	Error       string          `json:"error"`  // first line of the one that ended last
	Count       int             `json:"count"`
	Outstanding int             `json:"outstanding"`                // that nobody has retried yet
	OpenSince   time.Time       `json:"outstanding_since,omitzero"` // the end of the first of those
	FirstSeen   time.Time       `json:"first_seen"`
	LastSeen    time.Time       `json:"last_seen"`
	TaskIDs     []string        `json:"task_ids"` // those that ended last, the last first
	Trend       []int           `json:"trend"`    // failures in each of the 24 parts of the window

	ends []time.Time // of TaskIDs
	open failureEnd  // of those that nobody has retried, the one that ended last
}

// failureEnd is the end of one failure.
type failureEnd struct {
	id    string
	at    time.Time
	error string // first line
}

// failures answers GET /failures: what has failed, by kind, those with most failures first.
func (h *Handler) failures(w http.ResponseWriter, r *http.Request) error {
	p, err := parseParams(r)
	if err != nil {
		return err
	}
	limit, err := p.limit(maxLimit)
	if err != nil {
		return err
	}
	now := time.Now()
	s, err := p.selection(now)
	if err != nil {
		return err
	}
	if s.Since.IsZero() {
		s.Since = now.Add(-failureWindow)
	}
	since, err := p.one("since")
	if err != nil {
		return err
	}
	found, err := h.failuresOf(r.Context(), &s, strings.Join([]string{since, s.Name, s.Text}, "\x00"), now)
	if err != nil {
		return err
	}
	answer := *found // which others have, too
	answer.Groups = answer.Groups[:min(len(answer.Groups), limit)]
	return h.answer(w, r, answer)
}

// failuresOf groups the newest failures of a selection. key says which selection it is: a few seconds later the answer is the same.
func (h *Handler) failuresOf(ctx context.Context, s *selection, key string, now time.Time) (*failures, error) {
	s.only(taskflow.StatusFailed, taskflow.StatusInterrupted)
	return h.failureMemo.get(ctx, key, func(ctx context.Context) (*failures, error) {
		select {
		case h.groupings <- struct{}{}:
			defer func() { <-h.groupings }()
		case <-ctx.Done():
			return nil, refuse(http.StatusServiceUnavailable, "others are looking through many failures; try again").after(5 * time.Second)
		}
		f := &failures{Groups: []failureKind{}, Since: s.Since.UTC().Truncate(time.Second)}
		groups := map[string]*failureKind{}
		var err error
		f.Complete, err = h.walk(ctx, s, "", lookPages, func(r *taskflow.Record) (bool, error) {
			if f.Scanned == scannedFailures {
				return false, nil
			}
			f.Scanned++
			id := failureGroup(r)
			g := groups[id]
			if g == nil {
				g = &failureKind{ID: id, Name: r.Name, Status: r.Status, TaskIDs: []string{}, Trend: make([]int, trendSteps)}
				groups[id] = g
			}
			g.add(r, s.Since, now)
			return true, nil
		})
		if err != nil {
			return nil, fmt.Errorf("look for failures: %w", err)
		}
		for _, g := range groups {
			f.Groups = append(f.Groups, *g)
		}
		slices.SortFunc(f.Groups, func(a, b failureKind) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), b.LastSeen.Compare(a.LastSeen), strings.Compare(a.ID, b.ID))
		})
		f.Groups = slices.Clone(f.Groups[:min(len(f.Groups), maxLimit)]) // nobody is shown more, and it is kept for a while
		return f, nil
	})
}

// add counts a failure; they come in the order of their ids, which need not be that of their ends.
func (g *failureKind) add(r *taskflow.Record, since, until time.Time) {
	end := failureEnd{r.ID, r.EndTime.UTC(), firstLine(r.Error)}
	if r.EndTime.IsZero() {
		end.at = r.CreatedAt.UTC()
	}
	if end.error == "" {
		end.error = string(r.Status)
	}
	g.Count++
	if g.FirstSeen.IsZero() || end.at.Before(g.FirstSeen) {
		g.FirstSeen = end.at
	}
	if end.at.After(g.LastSeen) {
		g.LastSeen, g.Error = end.at, end.error
	}
	if r.RetriedBy == "" {
		g.Outstanding++
		if g.OpenSince.IsZero() || end.at.Before(g.OpenSince) {
			g.OpenSince = end.at
		}
		if end.at.After(g.open.at) {
			g.open = end
		}
	}
	g.name(end)
	if window := until.Sub(since); window > 0 {
		step := int(float64(end.at.Sub(since)) / float64(window) * trendSteps)
		g.Trend[min(max(step, 0), trendSteps-1)]++
	}
}

// name keeps the ids of those that ended last.
func (g *failureKind) name(end failureEnd) {
	at := len(g.ends)
	for at > 0 && g.ends[at-1].Before(end.at) {
		at--
	}
	if at < groupTasks {
		g.ends = slices.Insert(g.ends, at, end.at)
		g.TaskIDs = slices.Insert(g.TaskIDs, at, end.id)
		g.ends, g.TaskIDs = g.ends[:min(len(g.ends), groupTasks)], g.TaskIDs[:min(len(g.TaskIDs), groupTasks)]
	}
}
