package taskflow

import (
	"context"
	"maps"
)

// Info is what a running task may know about itself.
type Info struct {
	ID      string
	Name    string
	Attempt int               // from 1
	Tags    map[string]string // a copy
}

// FromContext tells which task ctx belongs to; false outside a task.
func FromContext(ctx context.Context) (Info, bool) {
	c := taskContextFrom(ctx)
	if c == nil {
		return Info{}, false
	}
	return Info{ID: c.job.id.String(), Name: c.job.name, Attempt: c.attempt, Tags: maps.Clone(c.job.policy.tags)}, true
}

// taskContext is the context of one attempt: the values of the request, the cancellation of the attempt, and the task.
type taskContext struct {
	context.Context
	job     *job
	request context.Context // what the task was added with
	attempt int
}

type taskKey struct{}

// Value implements context.Context.
func (c *taskContext) Value(key any) any {
	if _, ok := key.(taskKey); ok {
		return c
	}
	return c.Context.Value(key)
}

func taskContextFrom(ctx context.Context) *taskContext {
	c, _ := ctx.Value(taskKey{}).(*taskContext)
	return c
}

// detach keeps the values of a request's context and drops its cancellation, which comes before the task runs. A task that
// is added by a task gets the values that the adding one was added with, not those set inside it: otherwise each
// generation of a task that adds itself would hold all generations before. That task is the parent; nil: there is none.
func detach(ctx context.Context) (_ context.Context, parent *taskContext) {
	if ctx == nil {
		return context.Background(), nil
	}
	if c := taskContextFrom(ctx); c != nil {
		return c.request, c
	}
	if ctx.Done() == nil {
		if _, hasDeadline := ctx.Deadline(); !hasDeadline && ctx.Err() == nil {
			return ctx, nil
		}
	}
	return context.WithoutCancel(ctx), nil
}
