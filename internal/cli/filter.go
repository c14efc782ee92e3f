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
	priority     priority
	instance     string
}

// selection is what the flags select: what every backend can filter by, and what is then looked at record by record.
type selection struct {
	taskflow.Filter

	priority *int   // nil: any
	instance string // that holds the task, or ran it; empty: any
}

// simple reports whether the backend's filter is all there is.
func (s *selection) simple() bool { return s.priority == nil && s.instance == "" }

// selects reports whether a task that the backend's filter lets through is selected.
func (s *selection) selects(r *taskflow.Record) bool {
	return (s.priority == nil || *s.priority == r.Priority) && (s.instance == "" || s.instance == r.Owner)
}

func (f *filter) register(flags *flag.FlagSet) {
	flags.Var(&f.statuses, "status", "only tasks in this `STATUS`; several separated by commas")
	flags.StringVar(&f.name, "func", "", "only tasks with exactly this `NAME`")
	flags.StringVar(&f.text, "q", "", "only tasks with this `TEXT` in their name, error or a tag's value, or that their id begins with")
	flags.Var(&f.tags, "tag", "only tasks with this tag: `KEY=VALUE`, or KEY for any value; may be repeated")
	flags.StringVar(&f.source, "source", "", "only tasks added by `SOURCE`: manual, retry or scheduled")
	flags.Var(&f.since, "since", "only tasks added within this `AGE` (6h, 7d), or since a time (2026-01-31T12:00:00Z, 2026-01-31)")
	flags.Var(&f.until, "until", "only tasks added before this `AGE` or time")
	flags.Var(&f.priority, "priority", "only tasks with exactly this priority, a `NUMBER`")
	flags.StringVar(&f.instance, "instance", "", "only tasks that the instance of this `ID` holds, or ran")
}

// empty reports whether no flag was given.
func (f *filter) empty() bool {
	return len(f.statuses) == 0 && f.name == "" && f.text == "" && len(f.tags) == 0 && f.source == "" && !f.since.set && !f.until.set &&
		f.priority.n == nil && f.instance == ""
}

// of is what the flags select.
func (f *filter) of(a *app) (selection, error) {
	now := a.now()
	found := selection{priority: f.priority.n, instance: f.instance, Filter: taskflow.Filter{
		Statuses: f.statuses, Name: f.name, Text: f.text, Tags: f.tags, Source: f.source, Since: f.since.at(now), Until: f.until.at(now),
	}}
	if !found.Since.IsZero() && !found.Until.IsZero() && !found.Since.Before(found.Until) {
		return found, usagef("--since (%s) is not before --until (%s): no task can be between them",
			found.Since.Format(timeLayout), found.Until.Format(timeLayout))
	}
	return found, nil
}
