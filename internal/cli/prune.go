package cli

import (
	"context"
	"flag"
	"fmt"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func pruneCommand() command {
	return command{
		name: "prune", args: "URL", summary: "delete old history",
		about: `
Deletes finished tasks that were added longer ago than --older, whatever their status. Without --yes it only counts. Tasks
that wait or run are never deleted.`,
		make: func(flags *flag.FlagSet) action {
			o := &pruneOptions{}
			flags.Var(&o.older, "older", "the `AGE` from which on tasks are deleted: 720h, 30d, 4w")
			flags.BoolVar(&o.yes, "yes", false, "do it")
			flags.BoolVar(&o.json, "json", false, "one line of JSON")
			return o.run
		},
	}
}

type pruneOptions struct {
	older     span
	yes, json bool
}

// countLimit bounds what a preview counts.
const countLimit = 10_000_000

func (o *pruneOptions) run(ctx context.Context, a *app, args []string) error {
	switch {
	case len(args) != 1:
		return usagef("one URL is needed, %d arguments were given", len(args))
	case o.older == 0:
		return usagef("--older is missing: give the age from which on tasks are deleted, like --older 720h")
	}
	before := a.now().Add(-time.Duration(o.older)).UTC()
	if before.Before(time.Unix(0, 0)) {
		return usagef("--older=%v: nothing can be that old", time.Duration(o.older))
	}
	return a.with(ctx, args[0], func(s storage) error {
		if !o.yes {
			return o.preview(ctx, a, s, before)
		}
		n, err := s.DeleteBefore(ctx, before)
		if n > 0 || err == nil {
			a.audit(ctx, s, taskflow.AuditEntry{Action: "delete_history", Detail: map[string]any{"before": before, "deleted": n}})
			if printErr := o.print(a, n, before); printErr != nil {
				return printErr
			}
		}
		if err != nil {
			return fmt.Errorf("delete: %w", err)
		}
		return nil
	})
}

func (o *pruneOptions) preview(ctx context.Context, a *app, s storage, before time.Time) error {
	n, exact, err := s.Count(ctx, taskflow.Filter{Until: before}, countLimit)
	if err != nil {
		return fmt.Errorf("count: %w", err)
	}
	if o.json {
		return a.line(map[string]any{"would_delete": n, "exact": exact, "before": before})
	}
	atLeast, hint := "", ""
	if !exact {
		atLeast = "At least "
	}
	if n > 0 || !exact {
		hint = " Nothing is done without --yes."
	}
	return a.printf("%s%s added before %s would be deleted.%s\n", atLeast, plural(int64(n), "finished task", "finished tasks"), shownTime(before), hint)
}

func (o *pruneOptions) print(a *app, n int, before time.Time) error {
	if o.json {
		return a.line(map[string]any{"deleted": n, "before": before})
	}
	return a.printf("%s added before %s deleted.\n", plural(int64(n), "finished task", "finished tasks"), shownTime(before))
}
