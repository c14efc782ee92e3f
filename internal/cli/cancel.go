package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func cancelCommand() command {
	return command{
		name: "cancel", args: "URL ID…, or URL with --status and other filters", summary: "cancel tasks that wait or run",
		about: `
Cancels tasks. One that nobody holds is recorded as cancelled at once. One that an instance holds is cancelled by that instance: it
is told to, and has --wait to do so; a running function ends when it heeds its context.

With filters instead of ids it takes what waits or runs; without --yes it only counts. All are told first, and --wait is for all of them.`,
		make: func(flags *flag.FlagSet) action {
			o := &cancelOptions{}
			o.filter.register(flags)
			flags.BoolVar(&o.yes, "yes", false, "with filters: do it")
			flags.StringVar(&o.reason, "reason", "", "a `TEXT` for the record")
			flags.DurationVar(&o.wait, "wait", 5*time.Second, "how long an instance is waited for")
			flags.BoolVar(&o.json, "json", false, "a line of JSON for each task, as it is then")
			return o.run
		},
	}
}

type cancelOptions struct {
	filter    filter
	reason    string
	wait      time.Duration
	yes, json bool
}

func (o *cancelOptions) run(ctx context.Context, a *app, args []string) error {
	switch {
	case len(args) == 0:
		return usagef("a URL is needed, and ids or filters")
	case len(args) == 1 && o.filter.empty():
		return usagef("which tasks? Give ids, or --status pending (or running) or other filters")
	case len(args) > 1 && !o.filter.empty():
		return usagef("give ids or filters, not both")
	case o.wait < 0:
		return usagef("--wait=%v: it must not be negative", o.wait)
	case len(o.reason) > taskflow.MaxReasonBytes:
		return usagef("--reason has %d bytes, the limit is %d", len(o.reason), taskflow.MaxReasonBytes)
	}
	for _, status := range o.filter.statuses {
		if status.Final() {
			return usagef("--status=%s: only pending and running tasks can be cancelled", status)
		}
	}
	f, err := o.filter.of(a)
	if err != nil {
		return err
	}
	if len(f.Statuses) == 0 {
		f.Statuses = []taskflow.Status{taskflow.StatusPending, taskflow.StatusRunning}
	}
	return a.with(ctx, args[0], func(s storage) error {
		ids := args[1:]
		if len(ids) == 0 {
			var err error
			if ids, err = matchingIDs(ctx, s, f); err != nil {
				return err
			}
			if !o.yes {
				return o.preview(a, len(ids))
			}
		}
		// What a dead instance holds would wait for it forever if no other is running.
		if _, err := s.Expire(ctx); err != nil {
			return fmt.Errorf("look for dead instances: %w", err)
		}
		c := &canceller{a: a, s: s, o: o}
		var err error
		if len(args) == 1 {
			err = c.tellAll(ctx, ids)
		}
		if err == nil {
			err = c.all(ctx, ids)
		}
		if c.table != nil {
			err = errors.Join(err, c.table.flush())
		}
		if err == nil && c.failed {
			return errReported
		}
		return err
	})
}

// matchingIDs are the tasks that a filter selects. They are few beside a history: what waits and runs.
func matchingIDs(ctx context.Context, s storage, f selection) (ids []string, err error) {
	for r, err := range tasks(ctx, s, f, pageSize) {
		if err != nil {
			return nil, err
		}
		ids = append(ids, r.ID)
	}
	return ids, nil
}

func (o *cancelOptions) preview(a *app, n int) error {
	if o.json {
		return a.line(map[string]int{"would_cancel": n})
	}
	hint := ""
	if n > 0 {
		hint = " Nothing is done without --yes."
	}
	return a.printf("%s would be cancelled.%s\n", plural(int64(n), "task", "tasks"), hint)
}

type canceller struct {
	a      *app
	s      storage
	o      *cancelOptions
	table  *table
	failed bool

	told map[string]string // instances that were told already, by task
	ends time.Time         // of the wait for all of them
}

// tellAll tells the instances of all the tasks, so that one that does not obey does not hold up the others.
func (c *canceller) tellAll(ctx context.Context, ids []string) error {
	c.told = map[string]string{}
	for _, id := range ids {
		r, place, err := find(ctx, c.s, id)
		switch {
		case err != nil && ctx.Err() != nil:
			return err
		case err != nil || place == inHistory || r.Owner == "": // all of it is looked at again
			continue
		}
		if err := c.s.Post(ctx, taskflow.CancelMessage(id, c.o.reason)); err != nil {
			return fmt.Errorf("tell instance %s: %w", r.Owner, err)
		}
		c.told[id] = r.Owner
	}
	c.ends = time.Now().Add(c.o.wait)
	return nil
}

func (c *canceller) all(ctx context.Context, ids []string) error {
	for _, id := range ids {
		r, what, err := c.cancel(ctx, id)
		if ctx.Err() != nil && err != nil {
			return err
		}
		if err != nil {
			c.failed = true
			c.a.say("%s: %s", short(printable(id), 64), oneLine(err))
			continue
		}
		c.a.audit(ctx, c.s, taskflow.AuditEntry{Action: "cancel", TaskID: r.ID, Detail: map[string]any{"reason": c.o.reason}})
		if c.o.json {
			if err := c.a.line(r.Summary()); err != nil {
				return err
			}
			continue
		}
		if c.table == nil {
			c.table = c.a.newTable("TASK", "FUNC", "STATUS", "NOTE")
		}
		c.table.row(r.ID, short(printable(r.Name), 40), string(r.Status), what)
	}
	return nil
}

// errMoved: while a task was being cancelled, an instance claimed it or it ended.
var errMoved = errors.New("it changes hands all the time; try again")

// cancel returns the task as it is then, and what was done.
func (c *canceller) cancel(ctx context.Context, id string) (taskflow.Record, string, error) {
	const rounds = 3
	for range rounds {
		r, place, err := find(ctx, c.s, id)
		switch {
		case err != nil:
			return r, "", err
		case place == inHistory && c.told[id] != "":
			return r, "by instance " + c.told[id], nil
		case place == inHistory:
			return r, "", fmt.Errorf("it is %s already", r.Status)
		case r.Owner != "":
			return c.ask(ctx, r)
		}
		r, err = c.cancelFree(ctx, r)
		if !errors.Is(err, errMoved) {
			return r, "nobody held it", err
		}
	}
	return taskflow.Record{}, "", errMoved
}

// cancelFree takes a task that nobody holds, and records its end.
func (c *canceller) cancelFree(ctx context.Context, r taskflow.Record) (taskflow.Record, error) {
	now := c.a.now().UTC().Round(0)
	r.Owner = c.a.newID(now) // of this call: no instance has it
	switch err := c.s.PutPending(ctx, []taskflow.Record{r}); {
	case errors.Is(err, taskflow.ErrLeaseLost):
		return r, errMoved
	case err != nil:
		return r, err
	}
	r.Status, r.EndTime, r.RunAt, r.Error = taskflow.StatusCancelled, now, time.Time{}, "task cancelled"
	if c.o.reason != "" {
		r.Error += ": " + c.o.reason
	}
	ctx, cancel := lasting(ctx) // the row must not stay with an owner that is gone
	defer cancel()
	switch n, err := c.s.Save(ctx, []taskflow.Record{r}); {
	case err != nil:
		return r, err
	case n == 0:
		return r, errMoved
	}
	if r.Key != "" {
		if err := c.s.ReleaseKey(ctx, r.Key, r.ID); err != nil {
			c.a.say("%s: its idempotency key stays until its retention is over: %s", r.ID, oneLine(err))
		}
	}
	return r, nil
}

// ask tells the instance that holds a task to cancel it, and watches it for a moment.
func (c *canceller) ask(ctx context.Context, r taskflow.Record) (taskflow.Record, string, error) {
	if c.told[r.ID] == "" {
		if err := c.s.Post(ctx, taskflow.CancelMessage(r.ID, c.o.reason)); err != nil {
			return r, "", fmt.Errorf("tell instance %s: %w", r.Owner, err)
		}
	}
	holder, ends := r.Owner, c.ends
	if ends.IsZero() {
		ends = time.Now().Add(c.o.wait)
	}
	ctx, cancel := context.WithDeadline(ctx, ends)
	defer cancel()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for {
		now, place, err := find(ctx, c.s, r.ID)
		if err == nil {
			r = now
			if place == inHistory {
				return r, "by instance " + holder, nil
			}
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return r, "instance " + holder + " was told; it has not ended yet", nil
		}
	}
}
