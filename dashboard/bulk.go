package dashboard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// maxBulk is how many tasks one request may retry.
const maxBulk = 1000

// replayed is the answer to bulk-retry and retry-failed.
type replayed struct {
	Dispatched int            `json:"dispatched"`
	Skipped    int            `json:"skipped"`
	Results    []retried      `json:"results"`
	Reasons    map[string]int `json:"skipped_reasons"` // how many were skipped, by reason
	More       bool           `json:"more"`            // retry-failed: it stopped at its bounds; call it again with the cursor
	Cursor     string         `json:"cursor,omitempty"`
}

type retried struct {
	Original string `json:"original_task_id"`
	New      string `json:"new_task_id"`
}

func newReplayed() *replayed { return &replayed{Results: []retried{}, Reasons: map[string]int{}} }

func (b *replayed) skip(reason string, n int) {
	if n > 0 {
		b.Skipped += n
		b.Reasons[reason] += n
	}
}

// retry retries one task and counts it. An error means that going on makes no sense: the queue is full, for example.
func (b *replayed) retry(ctx context.Context, m *taskflow.Manager, id string) error {
	handle, err := m.Retry(ctx, id)
	switch {
	case err == nil:
		b.Dispatched++
		b.Results = append(b.Results, retried{id, handle.ID()})
	case errors.Is(err, taskflow.ErrNotFound):
		b.skip("not_found", 1)
	case errors.Is(err, taskflow.ErrNotRetryable):
		b.skip("not_retryable", 1)
	case errors.Is(err, taskflow.ErrNotRegistered):
		b.skip("not_registered", 1)
	case errors.Is(err, taskflow.ErrArguments):
		b.skip("bad_arguments", 1)
	default:
		return err
	}
	return nil
}

// stopped is the reason to skip the rest after a retry that failed.
func stopped(err error) string {
	switch {
	case errors.Is(err, taskflow.ErrQueueFull):
		return "queue_full"
	case errors.Is(err, taskflow.ErrStopped):
		return "stopped"
	}
	return "error"
}

// retryOnce is retry for a task that nobody has retried yet, and nobody else here is about to; another is skipped.
func (b *replayed) retryOnce(ctx context.Context, h *Handler, id string) error {
	if !h.retries.begin(id) {
		b.skip("already_retried", 1)
		return nil
	}
	defer h.retries.end(id)
	rec, err := h.m.Get(ctx, id)
	switch {
	case errors.Is(err, taskflow.ErrNotFound):
		b.skip("not_found", 1)
		return nil
	case err != nil:
		return err
	case rec.RetriedBy != "":
		b.skip("already_retried", 1)
		return nil
	}
	return b.retry(ctx, h.m, id)
}

// underWay are the tasks that something is being done to. The zero value has none. Safe for concurrent use.
type underWay struct {
	mu  sync.Mutex
	ids map[string]bool
}

// begin reports whether nothing is being done to that task; then end must be called.
func (u *underWay) begin(id string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ids[id] {
		return false
	}
	if u.ids == nil {
		u.ids = map[string]bool{}
	}
	u.ids[id] = true
	return true
}

func (u *underWay) end(id string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.ids, id)
}

// replayAlone waits until no other bulk-retry or retry-failed is at work: both read whether a task was retried before they retry it.
// done must be called at the end.
func (h *Handler) replayAlone(ctx context.Context) (done func(), err error) {
	select {
	case h.replay <- struct{}{}:
		return func() { <-h.replay }, nil
	case <-ctx.Done():
		return nil, refuse(http.StatusServiceUnavailable, "another bulk-retry or retry-failed is still at work; try again").after(5 * time.Second)
	}
}

// bulkRetry answers POST /bulk-retry. Every id is retried at most once, however often it is given, and not at all if it was retried
// before: a request that is sent again does nothing twice. POST /{id}/retry is for repeating a task once more.
func (h *Handler) bulkRetry(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		IDs texts `json:"task_ids"`
	}
	if err := h.readJSON(w, r, &body); err != nil {
		return err
	}
	switch {
	case body.IDs == nil:
		return refuse(http.StatusUnprocessableEntity, `task_ids is missing; send {"task_ids": ["…"]}`)
	case len(body.IDs) > maxBulk:
		return refuse(http.StatusRequestEntityTooLarge, "task_ids has %d ids, the limit is %d; send several requests", len(body.IDs), maxBulk)
	}
	release, err := h.replayAlone(r.Context())
	if err != nil {
		return err
	}
	defer release()
	done := newReplayed()
	seen := make(map[string]bool, len(body.IDs))
	for i, id := range body.IDs {
		if seen[id] {
			done.skip("duplicate", 1)
			continue
		}
		seen[id] = true
		if err := done.retryOnce(r.Context(), h, id); err != nil {
			if done.Dispatched == 0 {
				return fmt.Errorf("retry task %s: %w", clip(id, 64), err)
			}
			h.m.Logger().Warn("dashboard: bulk-retry stopped early", "task_id", id, "error", err)
			done.skip(stopped(err), len(body.IDs)-i)
			break
		}
	}
	named := body.IDs[:min(len(body.IDs), 20)]
	for i, id := range named {
		named[i] = clip(id, 64)
	}
	h.record(r, taskflow.AuditEntry{Action: "bulk_retry", Detail: map[string]any{
		"dispatched": done.Dispatched, "skipped": done.Skipped, "task_ids": named}})
	return h.answer(w, r, done)
}

// retryFailed answers POST /retry-failed: it retries the failed tasks added since a moment that nobody has retried yet, newest first.
func (h *Handler) retryFailed(w http.ResponseWriter, r *http.Request) error {
	p, err := parseParams(r)
	if err != nil {
		return err
	}
	f := taskflow.Filter{Statuses: []taskflow.Status{taskflow.StatusFailed}}
	since, err := p.one("since")
	switch {
	case err != nil:
		return err
	case since == "":
		return refuse(http.StatusBadRequest, "since is missing; give an age like 6h or 7d, or all")
	case since != "all":
		if f.Since, err = p.moment("since", time.Now()); err != nil {
			return refuse(http.StatusBadRequest, "since=%q is not possible; give an age like 6h or 7d, a time like 2026-01-31T12:00:00Z, or all", since)
		}
	}
	if f.Name, err = p.one("func_name"); err != nil {
		return err
	}
	cursor, err := p.cursor()
	if err != nil {
		return err
	}
	release, err := h.replayAlone(r.Context())
	if err != nil {
		return err
	}
	defer release()
	done := newReplayed()
	if err := h.replayFailed(r.Context(), f, cursor, done); err != nil {
		if done.Dispatched == 0 {
			return fmt.Errorf("retry failed tasks: %w", err)
		}
		h.m.Logger().Warn("dashboard: retry-failed stopped early", "error", err)
		done.More = true
	}
	if !done.More {
		done.Cursor = ""
	}
	h.record(r, taskflow.AuditEntry{Action: "retry_failed", Detail: map[string]any{
		"since": since, "func_name": f.Name, "dispatched": done.Dispatched, "skipped": done.Skipped, "more": done.More}})
	return h.answer(w, r, done)
}

// replayPages bounds the failed tasks that one retry-failed looks at, in pages of maxLimit.
const replayPages = 10

// replayFailed retries the matching tasks that no retry refers to yet, from cursor on.
func (h *Handler) replayFailed(ctx context.Context, f taskflow.Filter, cursor string, done *replayed) error {
	q := taskflow.Query{Filter: f, Before: cursor, Limit: maxLimit}
	for range replayPages {
		page, err := h.m.List(ctx, q)
		if err != nil {
			return err
		}
		for i := range page.Records {
			rec := &page.Records[i]
			if rec.RetriedBy != "" {
				done.skip("already_retried", 1)
			} else if done.Dispatched == maxBulk {
				done.More = true
				return nil
			} else if err := done.retryOnce(ctx, h, rec.ID); err != nil {
				return err
			}
			done.Cursor = rec.ID
		}
		if page.Next == "" {
			return nil
		}
		q.Before, done.Cursor = page.Next, page.Next
	}
	done.More = true
	return nil
}
