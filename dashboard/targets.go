package dashboard

import (
	"context"
	"errors"
	"fmt"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// action is something that can be done to many tasks.
type action struct {
	name     string
	statuses []taskflow.Status // that a filter is narrowed to
	width    int               // how many tasks are acted on at once; 0 is 1
	// unfit says why nothing can be done to a task as it is now; empty: it can be tried.
	unfit func(r *taskflow.Record) string
	// one acts on one task; many, where it is set, on a chunk. A reason says why it was skipped: it may have changed since it was looked at.
	one  func(ctx context.Context, h *Handler, id, actor string) (newID, reason string, err error)
	many func(ctx context.Context, h *Handler, ids []string) (done int, skipped map[string]int, err error)
}

// action returns the action of that name; ok is false when there is none.
func (h *Handler) action(name string) (a action, ok bool) {
	switch a.name = name; name {
	case "retry":
		known := map[string]bool{}
		for _, t := range h.m.Tasks() {
			for _, n := range append(t.Aliases, t.Name) {
				known[n] = true
			}
		}
		a.statuses = []taskflow.Status{taskflow.StatusFailed, taskflow.StatusInterrupted, taskflow.StatusCancelled}
		a.unfit = func(r *taskflow.Record) string {
			switch {
			case !r.Status.Retryable():
				return "not_retryable"
			case r.RetriedBy != "":
				return "already_retried"
			case r.Closure || !known[r.Name]:
				return "not_registered"
			}
			return ""
		}
		a.one, a.width = retryNow, 16 // they share commits
	case "cancel":
		a.statuses = []taskflow.Status{taskflow.StatusPending, taskflow.StatusRunning}
		a.unfit = func(r *taskflow.Record) string {
			if r.Status.Final() {
				return "not_cancellable"
			}
			return ""
		}
		a.one, a.width = cancelNow, 32 // each of another instance takes up to 2 s
	case "delete":
		a.statuses = finalStatuses()
		a.unfit = func(r *taskflow.Record) string {
			if !r.Status.Final() {
				return "not_finished"
			}
			return ""
		}
		a.many = deleteNow
	default:
		return a, false
	}
	return a, true
}

func finalStatuses() []taskflow.Status {
	return []taskflow.Status{taskflow.StatusSuccess, taskflow.StatusFailed, taskflow.StatusInterrupted, taskflow.StatusCancelled}
}

// retryNow retries a task that nobody has retried yet.
func retryNow(ctx context.Context, h *Handler, id, _ string) (newID, reason string, err error) {
	var done replayed
	done.Reasons = map[string]int{}
	if err := done.retryOnce(ctx, h, id); err != nil {
		return "", "", err
	}
	for reason := range done.Reasons {
		return "", reason, nil
	}
	return done.Results[0].New, "", nil
}

func cancelNow(ctx context.Context, h *Handler, id, actor string) (newID, reason string, err error) {
	switch _, err = h.m.Cancel(ctx, id, "cancelled on the dashboard by "+actor); {
	case errors.Is(err, taskflow.ErrNotFound):
		return "", "not_found", nil
	case errors.Is(err, taskflow.ErrNotCancellable):
		return "", "not_cancellable", nil
	case errors.Is(err, taskflow.ErrHeldElsewhere):
		return "", "held_elsewhere", nil
	}
	return "", "", err
}

func deleteNow(ctx context.Context, h *Handler, ids []string) (done int, skipped map[string]int, err error) {
	d, err := h.m.DeleteRecords(ctx, ids)
	if err != nil {
		return d.Deleted, nil, fmt.Errorf("delete tasks: %w", err)
	}
	return d.Deleted, map[string]int{"not_finished": d.Unfinished, "not_found": len(ids) - d.Deleted - d.Unfinished}, nil
}

// targets are the tasks that something is to be done to: some ids, or what is selected.
type targets struct {
	ids []string
	sel *selection // nil: ids

	asked map[string]any // for the audit trail
}

// each calls visit with the tasks, those of a selection newest first and only with ids below before. A task that does not exist has no record. What
// cannot be read goes to again, which says by its own error whether that is the end.
func (t *targets) each(ctx context.Context, h *Handler, before string, visit func(id string, r *taskflow.Record) error, again func(error) error) error {
	if t.sel != nil {
		return t.eachSelected(ctx, h, before, visit, again)
	}
	for _, id := range t.ids {
		r, err := h.m.Get(ctx, id)
		switch {
		case err == nil:
			err = visit(id, &r)
		case errors.Is(err, taskflow.ErrNotFound):
			err = visit(id, nil)
		default:
			err = again(err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *targets) eachSelected(
	ctx context.Context, h *Handler, before string, visit func(id string, r *taskflow.Record) error, again func(error) error,
) error {
	for {
		var stopped error
		_, err := h.walk(ctx, t.sel, before, 0, func(r *taskflow.Record) (bool, error) {
			before = r.ID // a page that cannot be read is asked for again from here
			stopped = visit(r.ID, r)
			return true, stopped
		})
		if err == nil || stopped != nil {
			return err
		}
		if err := again(err); err != nil {
			return err
		}
	}
}
