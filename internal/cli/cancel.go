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
		name: "cancel", args: "URL ID…", summary: "cancel tasks that wait or run",
		about: `
Cancels tasks. One that nobody holds is recorded as cancelled at once. One that an instance holds is cancelled by that instance: it
is told to, and has --wait to do so; a running function ends when it heeds its context.`,
		make: func(flags *flag.FlagSet) action {
			o := &cancelOptions{}
			flags.StringVar(&o.reason, "reason", "", "a `TEXT` for the record")
			flags.DurationVar(&o.wait, "wait", 5*time.Second, "how long an instance is waited for")
			flags.BoolVar(&o.json, "json", false, "a line of JSON for each task, as it is then")
			return o.run
		},
	}
}

type cancelOptions struct {
	reason string
	wait   time.Duration
	json   bool
}

func (o *cancelOptions) run(ctx context.Context, a *app, args []string) error {
	switch {
	case len(args) < 2:
		return usagef("a URL and at least one id are needed, %d arguments were given", len(args))
	case o.wait < 0:
		return usagef("--wait=%v: it must not be negative", o.wait)
	case len(o.reason) > taskflow.MaxReasonBytes:
		return usagef("--reason has %d bytes, the limit is %d", len(o.reason), taskflow.MaxReasonBytes)
	}
	return a.with(ctx, args[0], func(s storage) error {
		// What a dead instance holds would wait for it forever if no other is running.
		if _, err := s.Expire(ctx); err != nil {
			return fmt.Errorf("look for dead instances: %w", err)
		}
		c := &canceller{a: a, s: s, o: o}
		err := c.all(ctx, args[1:])
		if c.table != nil {
			err = errors.Join(err, c.table.flush())
		}
		if err == nil && c.failed {
			return errReported
		}
		return err
	})
}

type canceller struct {
	a      *app
	s      storage
	o      *cancelOptions
	table  *table
	failed bool
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
	if err := c.s.Post(ctx, taskflow.CancelMessage(r.ID, c.o.reason)); err != nil {
		return r, "", fmt.Errorf("tell instance %s: %w", r.Owner, err)
	}
	holder := r.Owner
	ctx, cancel := context.WithTimeout(ctx, c.o.wait)
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
