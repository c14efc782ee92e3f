package dashboard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

const maxSpread = 24 * time.Hour

// bulkRequest is the body of POST /bulk.
type bulkRequest struct {
	Action string      `json:"action"`
	IDs    texts       `json:"task_ids"`
	Filter *bulkFilter `json:"filter"`
	DryRun bool        `json:"dry_run"`
	Spread float64     `json:"spread_seconds"`
}

// bulkFilter has the filter parameters of the list; they mean the same.
type bulkFilter struct {
	Status       texts       `json:"status"`
	Name         string      `json:"func_name"`
	Text         string      `json:"q"`
	Tags         texts       `json:"tag"`
	Since        string      `json:"since"`
	Until        string      `json:"until"`
	Source       texts       `json:"source"`
	Instance     string      `json:"instance"`
	Priority     json.Number `json:"priority"`
	FailureGroup string      `json:"failure_group"`
}

// selection returns what is selected, and the filter for the audit trail.
func (f *bulkFilter) selection(now time.Time) (selection, url.Values, error) {
	p := url.Values{}
	for name, values := range map[string][]string{"status": f.Status, "tag": f.Tags, "source": f.Source} {
		if len(values) > 0 {
			p[name] = slices.Compact(slices.Sorted(slices.Values(values)))
		}
	}
	for name, value := range map[string]string{"func_name": f.Name, "q": f.Text, "since": f.Since, "until": f.Until,
		"instance": f.Instance, "priority": f.Priority.String(), "failure_group": f.FailureGroup} {
		if value != "" {
			p.Set(name, value)
		}
	}
	s, err := params(p).selection(now)
	if problem, ok := errors.AsType[*problem](err); ok {
		problem.Detail = "filter: " + problem.Detail
	}
	return s, p, err
}

// The bounds of what the audit trail says of an operation's tasks.
const (
	trailIDs    = 100
	trailValues = 10 // of a parameter
)

// inTrail is what the audit trail says of an operation's tasks: the filter's parameters as they were given, or the first ids.
func inTrail(filter url.Values, ids []string) map[string]any {
	if filter != nil {
		told := map[string]any{}
		for name, values := range filter {
			told[name] = values[:min(len(values), trailValues)]
		}
		return map[string]any{"by": "filter", "filter": told}
	}
	named := []string{}
	for _, id := range ids[:min(len(ids), trailIDs)] {
		named = append(named, clip(id, 64))
	}
	return map[string]any{"by": "ids", "task_ids": named}
}

// preview is the answer to a dry run.
type preview struct {
	Action  string            `json:"action"`
	Matched int               `json:"matched"`
	Exact   bool              `json:"exact"`
	Samples []taskflow.Record `json:"samples"` // of those that it would be done to
	Skipped int               `json:"skipped"`
	Reasons map[string]int    `json:"skipped_reasons"`
}

// bulk answers POST /bulk: it begins an operation on the tasks that are named or selected, or says what one would do.
func (h *Handler) bulk(w http.ResponseWriter, r *http.Request) error {
	var body bulkRequest
	if err := h.readKnown(w, r, &body); err != nil {
		return err
	}
	a, of, duplicates, err := h.bulkTargets(&body)
	if err != nil {
		return err
	}
	if a.name == "delete" && !h.m.Capable(taskflow.CapabilityDeleteRecords) {
		return fmt.Errorf("delete tasks: %w: the backend has no Delete", taskflow.ErrNotSupported)
	}
	now := time.Now()
	cutoff := taskflow.NewID(now.Add(time.Millisecond)) // the tasks that the operation adds come after it
	p, err := h.preview(r.Context(), &a, &of, cutoff)
	if err != nil {
		return fmt.Errorf("look for the tasks: %w", err)
	}
	if duplicates > 0 {
		p.Reasons["duplicate"], p.Skipped, p.Matched = duplicates, p.Skipped+duplicates, p.Matched+duplicates
	}
	if body.DryRun {
		return h.answer(w, r, p)
	}
	if body.Spread > 0 && !p.Exact {
		return refuse(http.StatusUnprocessableEntity,
			"spread_seconds: more than %d tasks are selected, which is more than can be spread evenly; narrow the filter", p.Matched-1)
	}
	o := &operation{h: h, spreadOver: p.Matched - p.Skipped, action: a, of: of, cutoff: cutoff, remote: remote(r), state: operationState{
		ID: taskflow.NewID(now), Action: a.name, State: stateRunning, Matched: p.Matched, Reasons: map[string]int{}, StartedAt: now,
		Actor: actor(r), NewTaskIDs: []string{}, Spread: body.Spread,
	}}
	if duplicates > 0 {
		o.state.Skipped, o.state.Reasons["duplicate"] = duplicates, duplicates
	}
	first := o.snapshot()
	if err := h.operations.start(o); err != nil {
		return err
	}
	h.respond(w, r, http.StatusAccepted, "application/json", map[string]operationState{"operation": first})
	return nil
}

// bulkTargets checks a request. Ids that are given again are left out and counted.
func (h *Handler) bulkTargets(body *bulkRequest) (a action, of targets, duplicates int, err error) {
	unprocessable := func(format string, args ...any) (action, targets, int, error) {
		return a, of, 0, refuse(http.StatusUnprocessableEntity, format, args...)
	}
	a, ok := h.action(body.Action)
	switch {
	case !ok:
		return unprocessable("action=%q is not possible; give retry, cancel or delete", clip(body.Action, 40))
	case (body.IDs == nil) == (body.Filter == nil):
		return unprocessable(`give either "task_ids": ["…"] or "filter": {…}; an empty filter selects all tasks`)
	case len(body.IDs) > maxBulk:
		return a, of, 0, refuse(http.StatusRequestEntityTooLarge, "task_ids has %d ids, the limit is %d; send several requests, or a filter", len(body.IDs), maxBulk)
	case !(body.Spread >= 0 && body.Spread <= maxSpread.Seconds()):
		return unprocessable("spread_seconds=%v is not possible; give 0 to %v", body.Spread, maxSpread.Seconds())
	case body.Spread > 0 && a.name != "retry":
		return unprocessable("spread_seconds is for retry only; %s is done at once", a.name)
	}
	if body.Filter != nil {
		sel, filter, err := body.Filter.selection(time.Now())
		if err != nil {
			return a, of, 0, err
		}
		sel.only(a.statuses...)
		of.sel, of.asked = &sel, inTrail(filter, nil)
		return a, of, 0, nil
	}
	seen := map[string]bool{}
	of.ids = slices.DeleteFunc(body.IDs, func(id string) bool {
		again := seen[id]
		seen[id] = true
		return again
	})
	of.asked = inTrail(nil, of.ids)
	return a, of, len(body.IDs) - len(of.ids), nil
}

// preview says what an action would do.
func (h *Handler) preview(ctx context.Context, a *action, of *targets, cutoff string) (*preview, error) {
	p := &preview{Action: a.name, Exact: true, Samples: []taskflow.Record{}, Reasons: map[string]int{}}
	look := func(r *taskflow.Record) {
		why := "not_found"
		if r != nil {
			why = a.unfit(r)
		}
		if p.Matched++; why != "" {
			p.Skipped++
			p.Reasons[why]++
		} else if len(p.Samples) < samples {
			p.Samples = append(p.Samples, r.Summary())
		}
	}
	if of.sel == nil {
		return p, of.each(ctx, h, "", func(_ string, r *taskflow.Record) error { look(r); return nil }, func(err error) error { return err })
	}
	t, err := h.tally(ctx, of.sel, cutoff, look)
	p.Exact = t.exact
	return p, err
}
