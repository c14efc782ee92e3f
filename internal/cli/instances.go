package cli

import (
	"context"
	"flag"
	"fmt"
	"strconv"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func instancesCommand() command {
	return command{
		name: "instances", args: "URL", summary: "the running instances that share the backend",
		about: `
Lists the instances that have joined the backend, with how many tasks each ran and had waiting at its last heartbeat. SEEN is
the age of that heartbeat by the clock of this machine. One whose lease is over is overdue: what it holds is free as soon as another
instance notices.`,
		make: func(flags *flag.FlagSet) action {
			o := &instancesOptions{}
			flags.BoolVar(&o.json, "json", false, "a line of JSON for each, as GET /instances")
			return o.run
		},
	}
}

type instancesOptions struct{ json bool }

func (o *instancesOptions) run(ctx context.Context, a *app, args []string) error {
	if len(args) != 1 {
		return usagef("one URL is needed, %d arguments were given", len(args))
	}
	return a.with(ctx, args[0], func(s storage) error {
		all, err := s.Instances(ctx)
		if err != nil {
			return fmt.Errorf("list the instances: %w", err)
		}
		if len(all) == 0 && !o.json {
			a.say("No instance is running.")
			return nil
		}
		if !o.json {
			return printInstances(a, all)
		}
		for _, i := range all {
			if err := a.line(i); err != nil {
				return err
			}
		}
		return nil
	})
}

func printInstances(a *app, all []taskflow.Instance) error {
	now := a.now()
	t := a.newTable("INSTANCE", "HOST", "PID", "PROGRAM", "VERSION", "STARTED", "SEEN", "RUNNING", "WAITING", "NOTE")
	for _, i := range all {
		note := "-"
		switch {
		case i.ExpiresAt.Before(now):
			note = "overdue"
		case !i.DegradedSince.IsZero():
			note = "cannot write since " + shownTime(i.DegradedSince)
		}
		t.row(i.ID, orDash(i.Host), strconv.Itoa(i.PID), orDash(i.Program), orDash(i.Version), shownTime(i.StartedAt),
			shownAge(now.Sub(i.SeenAt)), strconv.Itoa(i.Running), strconv.Itoa(i.Waiting), note)
	}
	return t.flush()
}

// shownAge is how long ago something was; clocks may differ.
func shownAge(d time.Duration) string {
	if d < time.Second {
		return "now"
	}
	return d.Round(time.Second).String() + " ago"
}
