package cli

import (
	"context"
	"flag"
	"strconv"
	"strings"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func listCommand() command {
	return command{
		name: "list", args: "URL", summary: "list tasks, newest first",
		about: `
Lists tasks, newest first: finished ones, those that wait or run, and what running instances have in memory (the
newest 100 of each). Every flag that is given must match. Times are UTC.`,
		make: func(flags *flag.FlagSet) action {
			o := &listOptions{}
			o.filter.register(flags)
			flags.IntVar(&o.limit, "limit", 50, "at most `N` tasks")
			flags.BoolVar(&o.all, "all", false, "all of them, however many there are")
			flags.BoolVar(&o.json, "json", false, "a line of JSON for each, without log, stack and arguments")
			return o.run
		},
	}
}

type listOptions struct {
	filter    filter
	limit     int
	all, json bool
}

func (o *listOptions) run(ctx context.Context, a *app, args []string) error {
	f, err := o.filter.of(a)
	switch {
	case err != nil:
		return err
	case len(args) != 1:
		return usagef("one URL is needed, %d arguments were given", len(args))
	case o.limit < 1:
		return usagef("--limit=%d: it must be at least 1; --all lists everything", o.limit)
	}
	return a.with(ctx, args[0], func(s storage) error { return o.list(ctx, a, s, f) })
}

func (o *listOptions) list(ctx context.Context, a *app, s storage, f selection) error {
	page := pageSize
	if !o.all && f.simple() {
		page = min(page, o.limit+1)
	}
	var t *table
	n, more := 0, false
	for r, err := range tasks(ctx, s, f, page) {
		if err != nil {
			return err
		}
		if n++; n > o.limit && !o.all {
			more = true
			break
		}
		if o.json {
			if err := a.line(r.Summary()); err != nil {
				return err
			}
			continue
		}
		if t == nil {
			t = a.newTable("ID", "STATUS", "FUNC", "ADDED", "DURATION", "RETRIES", "NOTE")
		}
		t.row(r.ID, string(r.Status), short(printable(r.Name), 40), shownTime(r.CreatedAt), durationOf(&r), strconv.Itoa(r.RetriesUsed()), noteOf(&r))
		if n%pageSize == 0 { // columns are aligned page by page: a table of everything would have to be in memory
			if err := t.flush(); err != nil {
				return err
			}
		}
	}
	if t != nil {
		if err := t.flush(); err != nil {
			return err
		}
	}
	switch {
	case more:
		a.say("There are more: --limit or --all shows them.")
	case n == 0 && !o.json:
		a.say("No task matches.")
	}
	return nil
}

func durationOf(r *taskflow.Record) string {
	if r.StartTime.IsZero() || r.EndTime.IsZero() {
		return "-"
	}
	return shownDuration(r.Duration())
}

// noteOf is what one wants to know first of a task in this status.
func noteOf(r *taskflow.Record) string {
	var notes []string
	if r.Error != "" {
		notes = append(notes, short(printable(r.Error), 60))
	}
	switch {
	case r.RetriedBy != "":
		notes = append(notes, "retried by "+r.RetriedBy)
	case r.Status == taskflow.StatusPending && !r.RunAt.IsZero():
		notes = append(notes, "not before "+shownTime(r.RunAt))
	}
	if !r.Status.Final() && r.Owner != "" {
		notes = append(notes, "held by "+r.Owner)
	}
	return orDash(strings.Join(notes, "; "))
}
