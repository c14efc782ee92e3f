package cli

import (
	"flag"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// filter are the flags that select tasks.
type filter struct {
	statuses     statuses
	name         string
	text         string
	tags         tags
	source       string
	since, until moment
}

func (f *filter) register(flags *flag.FlagSet) {
	flags.Var(&f.statuses, "status", "only tasks in this `STATUS`; several separated by commas")
	flags.StringVar(&f.name, "func", "", "only tasks with exactly this `NAME`")
	flags.StringVar(&f.text, "q", "", "only tasks with this `TEXT` in their name, error or a tag's value, or that their id begins with")
	flags.Var(&f.tags, "tag", "only tasks with this tag: `KEY=VALUE`, or KEY for any value; may be repeated")
	flags.StringVar(&f.source, "source", "", "only tasks added by `SOURCE`: manual, retry or scheduled")
	flags.Var(&f.since, "since", "only tasks added within this `AGE` (6h, 7d), or since a time (2026-01-31T12:00:00Z, 2026-01-31)")
	flags.Var(&f.until, "until", "only tasks added before this `AGE` or time")
}

// empty reports whether no flag was given.
func (f *filter) empty() bool {
	return len(f.statuses) == 0 && f.name == "" && f.text == "" && len(f.tags) == 0 && f.source == "" && !f.since.set && !f.until.set
}

// of is the filter for a backend.
func (f *filter) of(a *app) (taskflow.Filter, error) {
	now := a.now()
	found := taskflow.Filter{
		Statuses: f.statuses, Name: f.name, Text: f.text, Tags: f.tags, Source: f.source, Since: f.since.at(now), Until: f.until.at(now),
	}
	if !found.Since.IsZero() && !found.Until.IsZero() && !found.Since.Before(found.Until) {
		return found, usagef("--since (%s) is not before --until (%s): no task can be between them",
			found.Since.Format(timeLayout), found.Until.Format(timeLayout))
	}
	return found, nil
}
