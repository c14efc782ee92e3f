package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func showCommand() command {
	return command{
		name: "show", args: "URL ID", summary: "show everything about one task",
		about: `
Shows a task with its log and the stack of a panic. Its arguments may be personal data: they are shown with --args only.`,
		make: func(flags *flag.FlagSet) action {
			o := &showOptions{}
			flags.BoolVar(&o.args, "args", false, "with the arguments")
			flags.BoolVar(&o.json, "json", false, "one line of JSON")
			return o.run
		},
	}
}

type showOptions struct{ args, json bool }

func (o *showOptions) run(ctx context.Context, a *app, args []string) error {
	if len(args) != 2 {
		return usagef("a URL and the id of a task are needed, %d arguments were given", len(args))
	}
	return a.with(ctx, args[0], func(s storage) error {
		r, place, err := find(ctx, s, args[1])
		if err != nil {
			return fmt.Errorf("show %s: %w", short(printable(args[1]), 64), err)
		}
		r.AttemptLog = r.Attempted()
		if o.json {
			if !o.args {
				r.Args = nil
			}
			if !json.Valid(r.Result) {
				r.Result = nil // somebody else may have written it
			}
			return a.line(r)
		}
		return o.print(a, &r, place)
	})
}

func (o *showOptions) print(a *app, r *taskflow.Record, place where) error {
	t := a.newTable()
	for _, row := range facts(r) {
		if row[1] != "" {
			t.row(row[0], row[1])
		}
	}
	if place == inMemory {
		t.row("stored", "no: it is in the memory of its instance only, which does not tell the log")
	}
	if r.Args != nil && !o.args {
		t.row("arguments", plural(int64(len(r.Args)), "byte", "bytes")+", shown with --args")
	}
	if err := t.flush(); err != nil {
		return err
	}
	log := strings.Join(r.Logs, "\n")
	for _, part := range []struct {
		title, text string
		show        bool
	}{
		{"error", r.Error, r.Error != ""},
		{"result", string(r.Result), r.Result != nil},
		{fmt.Sprintf("attempts (%d)", r.Attempts), attempts(r), len(r.AttemptLog) > 1},
		{fmt.Sprintf("children (%d)", len(r.Children)), strings.Join(r.Children, "\n"), len(r.Children) > 0},
		{fmt.Sprintf("log (%s)", plural(int64(r.LogCount), "line", "lines")), log, len(r.Logs) > 0},
		{"stack", r.Stack, r.Stack != ""},
		{"arguments", string(r.Args), o.args && r.Args != nil},
	} {
		if !part.show {
			continue
		}
		if err := a.printf("\n%s:\n", part.title); err != nil {
			return err
		}
		for _, line := range printableLines(part.text) {
			if err := a.printf("  %s\n", line); err != nil {
				return err
			}
		}
	}
	return nil
}

// attempts are lines, one for each attempt that the record tells of: the first and the last, when there were many.
func attempts(r *taskflow.Record) string {
	var b strings.Builder
	for _, a := range r.AttemptLog {
		took := "not ended"
		if !a.EndedAt.IsZero() {
			took = "took " + shownDuration(a.EndedAt.Sub(a.StartedAt))
		}
		fmt.Fprintf(&b, "%d  %s  waited %s, %s: %s\n", a.Number, shownTime(a.StartedAt), shownDuration(time.Duration(a.Wait*float64(time.Second))), took,
			cmp.Or(a.Error, "no error"))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// progressOf is what the function said last of how far it is.
func progressOf(p *taskflow.ProgressReport) string {
	if p == nil {
		return ""
	}
	text := thousands(p.Done)
	if p.Total > 0 {
		text += " of " + thousands(p.Total)
	}
	return strings.TrimSuffix(strings.TrimSpace(text+" "+p.Unit)+": "+p.Message, ": ")
}

// facts are what fits on a line each; without a value it is left out.
func facts(r *taskflow.Record) [][2]string {
	at := func(s string) string { return strings.TrimPrefix(s, "-") }
	var tags []string
	for _, key := range slices.Sorted(maps.Keys(r.Tags)) {
		tags = append(tags, key+"="+r.Tags[key])
	}
	var traits []string
	for _, trait := range []struct {
		name string
		has  bool
	}{
		{"submitted", r.Durable}, {"requeued at a graceful stop", r.Requeue && !r.Durable}, {"a function without name", r.Closure},
	} {
		if trait.has {
			traits = append(traits, trait.name)
		}
	}
	owner := "held by"
	if r.Status.Final() {
		owner = "run by"
	}
	crashes := ""
	if r.Crashes > 0 {
		crashes = strconv.Itoa(r.Crashes) + " processes died while they ran it"
	}
	return [][2]string{
		{"id", r.ID},
		{"func", r.Name},
		{"status", string(r.Status)},
		{"added", at(shownTime(r.CreatedAt))},
		{"not before", at(shownTime(r.RunAt))},
		{"started", at(shownTime(r.StartTime))},
		{"ended", at(shownTime(r.EndTime))},
		{"duration", at(durationOf(r))},
		{"retries", fmt.Sprintf("%d of %d", r.RetriesUsed(), r.MaxRetries)},
		{"progress", progressOf(r.Progress)},
		{"crashes", crashes},
		{"source", r.Source},
		{"parent", r.ParentID},
		{"retry of", r.RetryOf},
		{"retried by", r.RetriedBy},
		{"pool", r.Pool},
		{"priority", strconv.Itoa(r.Priority)},
		{"tags", strings.Join(tags, ", ")},
		{"key", r.Key},
		{owner, r.Owner},
		{"kind", strings.Join(traits, ", ")},
	}
}
