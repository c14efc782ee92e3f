package dashboard

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// maxChain bounds how far retries are followed to and fro.
const maxChain = 20

// why answers GET /{id}/why: why the task is where it is.
func (h *Handler) why(w http.ResponseWriter, r *http.Request) error {
	e, err := h.m.Explain(r.Context(), r.PathValue("id"))
	if err != nil {
		return fmt.Errorf("explain the task: %w", err)
	}
	return h.answer(w, r, e)
}

// family is the answer to GET /{id}/family.
type family struct {
	Parent   *taskflow.Record  `json:"parent"`   // the task that added it; null: a request did, or it is gone
	RetryOf  []taskflow.Record `json:"retry_of"` // what it repeats, and what that repeated: the newest first
	Retries  []taskflow.Record `json:"retries"`  // what repeats it, and what repeats that: the oldest first
	Children []taskflow.Record `json:"children"` // the tasks that it added, in their order
}

// family answers GET /{id}/family. Relatives that were deleted are left out.
func (h *Handler) family(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	of, err := h.m.Get(ctx, r.PathValue("id"))
	if err != nil {
		return fmt.Errorf("get the task: %w", err)
	}
	answer := family{Children: []taskflow.Record{}}
	if answer.Parent, err = h.relative(ctx, of.ParentID); err != nil {
		return err
	}
	if answer.RetryOf, err = h.chain(ctx, &of, func(r *taskflow.Record) string { return r.RetryOf }); err != nil {
		return err
	}
	if answer.Retries, err = h.chain(ctx, &of, func(r *taskflow.Record) string { return r.RetriedBy }); err != nil {
		return err
	}
	for _, id := range of.Children[:min(len(of.Children), taskflow.MaxChildren)] {
		child, err := h.relative(ctx, id)
		if err != nil {
			return err
		}
		if child != nil {
			answer.Children = append(answer.Children, *child)
		}
	}
	return h.answer(w, r, answer)
}

// chain follows one link from record to record.
func (h *Handler) chain(ctx context.Context, from *taskflow.Record, next func(*taskflow.Record) string) ([]taskflow.Record, error) {
	all := []taskflow.Record{}
	for at := from; len(all) < maxChain; {
		r, err := h.relative(ctx, next(at))
		if err != nil {
			return nil, err
		}
		if r == nil {
			break
		}
		all = append(all, *r)
		at = r
	}
	return all, nil
}

// relative is the task of that id, as in a listing; nil when there is none.
func (h *Handler) relative(ctx context.Context, id string) (*taskflow.Record, error) {
	if id == "" {
		return nil, nil
	}
	r, err := h.m.Get(ctx, id)
	switch {
	case errors.Is(err, taskflow.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("get a relative of the task: %w", err)
	}
	return new(live(&r)), nil
}

// live is the record as listings of live tasks show it: without what is large, but with its progress.
func live(r *taskflow.Record) taskflow.Record {
	s := r.Summary()
	s.Progress = r.Progress
	return s
}
