package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"

	"github.com/taskflow-go/taskflow/internal/transfer"
)

func migrateCommand() command {
	return command{
		name: "migrate", args: "FROM TO", summary: "copy everything from one backend to another",
		about: `
Copies the history, the unfinished tasks and the audit trail from one backend to another, of whatever kinds. FROM keeps what it
has. What TO has already is left as it is: run the command again after an interruption, or once more after the program that
uses FROM has stopped, and it goes on and doubles nothing. TO is created when it is a file that is missing.

While running instances hold unfinished tasks of FROM it refuses: those would run on both sides. --history copies what does not
matter then, so that the rest is short once they have stopped; --force copies all the same.

Not copied, because no backend tells them:
  ` + strings.Join(transfer.NotCopied(), "\n  "),
		make: func(flags *flag.FlagSet) action {
			o := &migrateOptions{}
			flags.BoolVar(&o.history, "history", false, "without the unfinished tasks: for a first run while the program goes on")
			flags.BoolVar(&o.force, "force", false, "even if running instances hold unfinished tasks of FROM")
			flags.BoolVar(&o.json, "json", false, "the summary as one line of JSON")
			return o.run
		},
	}
}

type migrateOptions struct{ history, force, json bool }

// shownFailures is how many failures the summary lists; JSON has all.
const shownFailures = 50

func (o *migrateOptions) run(ctx context.Context, a *app, args []string) error {
	if len(args) != 2 {
		return usagef("two URLs are needed, FROM and TO; %d arguments were given", len(args))
	}
	fromURL, err := a.parseURL(args[0])
	if err != nil {
		return fmt.Errorf("FROM: %w", err)
	}
	toURL, err := a.parseURL(args[1])
	if err != nil {
		return fmt.Errorf("TO: %w", err)
	}
	a.hide(fromURL, toURL)
	if fromURL.Same(toURL) {
		return usagef("FROM and TO are the same: %s", toURL)
	}
	from, err := a.openExisting(ctx, fromURL)
	if err != nil {
		return fmt.Errorf("FROM: %w", err)
	}
	to, err := a.openStorage(ctx, toURL, false)
	if err != nil {
		return closing(from, fmt.Errorf("TO: %w", err))
	}
	return closing(from, closing(to, o.copy(ctx, a, from, to)))
}

func (o *migrateOptions) copy(ctx context.Context, a *app, from, to storage) error {
	p := a.newProgress()
	result, err := transfer.Copy(ctx, from, to, transfer.Options{HistoryOnly: o.history, Force: o.force, Progress: p.show})
	p.end()
	if held, ok := errors.AsType[*transfer.HeldError](err); ok {
		return refusal(held)
	}
	if printErr := o.summary(a, &result, err); printErr != nil {
		return printErr
	}
	switch {
	case err != nil:
		a.say("It is not finished. Run the same command again: it goes on and doubles nothing.")
		return err
	case !result.Complete():
		return errReported
	}
	return nil
}

// refusal is what to do when running instances hold tasks.
func refusal(held *transfer.HeldError) error {
	var names []string
	for _, i := range held.Instances {
		names = append(names, fmt.Sprintf("%s (%s on %s, process %d)", i.ID, orDash(i.Program), orDash(i.Host), i.PID))
	}
	return fmt.Errorf("running instances hold %s of FROM: %s. Stop them first. --history copies all but "+
		"the unfinished tasks meanwhile; with --force those are copied too, and may run on both sides. Nothing was copied", plural(int64(held.Tasks), "unfinished task", "unfinished tasks"), strings.Join(names, ", "))
}

// migrated is the summary as JSON.
type migrated struct {
	History    transfer.Counts `json:"history"`
	Unfinished transfer.Counts `json:"unfinished"`
	Audit      transfer.Counts `json:"audit"`
	Failures   []failedEntry   `json:"failures"`
	Unread     int64           `json:"unread"`
	Finished   bool            `json:"finished"` // false: it ended early
	NotCopied  []string        `json:"not_copied"`
}

type failedEntry struct {
	ID    string `json:"id"`
	Error string `json:"error"`
}

func (o *migrateOptions) summary(a *app, r *transfer.Result, err error) error {
	if o.json {
		m := migrated{
			History: r.History, Unfinished: r.Unfinished, Audit: r.Audit, Failures: []failedEntry{}, Unread: r.Unread,
			Finished: err == nil, NotCopied: transfer.NotCopied(),
		}
		for _, f := range r.Failures {
			m.Failures = append(m.Failures, failedEntry{f.ID, a.redact(oneLine(f.Err))})
		}
		return a.line(m)
	}
	t := a.newTable("", "COPIED", "THERE ALREADY", "FAILED")
	for _, row := range []struct {
		name string
		n    transfer.Counts
	}{{"history", r.History}, {"unfinished", r.Unfinished}, {"audit trail", r.Audit}} {
		t.row(row.name, thousands(row.n.Copied), thousands(row.n.Skipped), thousands(row.n.Failed))
	}
	if err := t.flush(); err != nil {
		return err
	}
	return o.remarks(a, r, err == nil)
}

// remarks are what the numbers do not say.
func (o *migrateOptions) remarks(a *app, r *transfer.Result, finished bool) error {
	var b strings.Builder
	for i, f := range r.Failures {
		if i == shownFailures {
			fmt.Fprintf(&b, "and %s more; --json lists them all\n", thousands(int64(len(r.Failures)-i)))
			break
		}
		fmt.Fprintf(&b, "failed: %s: %s\n", printable(f.ID), a.redact(oneLine(f.Err)))
	}
	if r.Unread > 0 {
		fmt.Fprintf(&b, "not found: %s that FROM counts; deleted meanwhile, or unreadable, which the warnings above name then\n",
			plural(r.Unread, "finished task", "finished tasks"))
	}
	if !finished {
		return a.printf("%s", b.String())
	}
	if n := int64(len(r.Running)); n > 0 {
		fmt.Fprintf(&b, "%s on FROM: what is added or ends there from now on is not copied. Copy again once they have stopped\n",
			plural(n, "instance is running", "instances are running"))
	}
	if o.history {
		b.WriteString("the unfinished tasks were left out: copy again without --history\n")
	}
	if n := r.Unfinished.Copied + r.Unfinished.Skipped; n > 0 {
		fmt.Fprintf(&b, "TO has %s that FROM has still: start no program on FROM any more, it would run them too\n",
			plural(n, "unfinished task", "unfinished tasks"))
	}
	b.WriteString("not copied:\n")
	for _, line := range transfer.NotCopied() {
		fmt.Fprintf(&b, "  %s\n", line)
	}
	return a.printf("%s", b.String())
}
