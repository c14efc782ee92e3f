package cli

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func retryCommand() command {
	return command{
		name: "retry", args: "URL ID…, or URL with --status and other filters", summary: "run tasks again that failed, were interrupted or cancelled",
		about: `
Adds, for each task, a new one with the same name, arguments, tags, priority, pool and number of retries. It waits in the backend for an
instance that has registered the name: a running one takes it within seconds, otherwise the next that starts. This tool knows
no names: whether there is such an instance it cannot tell. The old record stays and names its repetition.

With filters instead of ids it takes what is failed, interrupted or cancelled and has not been retried before; without --yes it
only counts. Functions without a name have no arguments to run again with, and are skipped.`,
		make: func(flags *flag.FlagSet) action {
			o := &retryOptions{}
			o.filter.register(flags)
			flags.BoolVar(&o.yes, "yes", false, "with filters: do it")
			flags.BoolVar(&o.json, "json", false, "a line of JSON for each new task")
			return o.run
		},
	}
}

type retryOptions struct {
	filter    filter
	yes, json bool
}

func (o *retryOptions) run(ctx context.Context, a *app, args []string) error {
	switch {
	case len(args) == 0:
		return usagef("a URL is needed, and ids or filters")
	case len(args) == 1 && len(o.filter.statuses) == 0:
		return usagef("which tasks? Give ids, or --status failed (or interrupted, cancelled) with more filters")
	case len(args) > 1 && !o.filter.empty():
		return usagef("give ids or filters, not both")
	}
	for _, status := range o.filter.statuses {
		if !status.Retryable() {
			return usagef("--status=%s: only failed, interrupted and cancelled tasks can be retried", status)
		}
	}
	f, err := o.filter.of(a)
	if err != nil {
		return err
	}
	return a.with(ctx, args[0], func(s storage) error {
		r := &retrier{a: a, s: s, json: o.json}
		switch {
		case len(args) > 1:
			err = r.byID(ctx, args[1:])
		case o.yes:
			err = r.matching(ctx, f)
		default:
			return r.preview(ctx, f)
		}
		return r.finish(ctx, err)
	})
}

// retrier repeats tasks and remembers how it went.
type retrier struct {
	a       *app
	s       storage
	json    bool
	table   *table
	made    int64 // new tasks, stored or not
	retried int64
	failed  int64
	skipped skips
}

// skips are the tasks that match and are not retried, by reason.
type skips struct{ before, closures, noArgs int64 }

func (s *skips) String() string {
	var text strings.Builder
	for _, part := range []struct {
		n    int64
		what string
	}{{s.before, "retried before"}, {s.closures, "of functions without a name"}, {s.noArgs, "without stored arguments"}} {
		if part.n > 0 {
			fmt.Fprintf(&text, "; %s skipped: %s", thousands(part.n), part.what)
		}
	}
	return text.String()
}

// byID repeats each task, however often it was repeated before.
func (r *retrier) byID(ctx context.Context, ids []string) error {
	seen := map[string]bool{}
	for _, id := range ids {
		if seen[id] {
			continue
		}
		seen[id] = true
		old, place, err := find(ctx, r.s, id)
		switch {
		case err != nil && ctx.Err() != nil:
			return err
		case err != nil:
		case place != inHistory || !old.Status.Retryable():
			err = fmt.Errorf("it is %s: only failed, interrupted and cancelled tasks can be retried", old.Status)
		case old.Closure:
			err = fmt.Errorf("it was a function without a name (%s), which cannot be called again", printable(old.Name))
		case old.Args == nil:
			err = fmt.Errorf("its arguments were never stored")
		default:
			err = r.repeat(ctx, []taskflow.Record{old})
		}
		if err != nil {
			if ctx.Err() != nil {
				return err
			}
			r.failed++
			r.a.say("%s: %s", short(printable(id), 64), oneLine(err))
		}
	}
	return nil
}

// eligible reports whether a task that matches is retried, and counts it if not.
func (s *skips) eligible(r *taskflow.Record) bool {
	switch {
	case r.RetriedBy != "":
		s.before++
	case r.Closure:
		s.closures++
	default:
		return true
	}
	return false
}

func (r *retrier) preview(ctx context.Context, f selection) error {
	n := int64(0)
	for rec, err := range tasks(ctx, r.s, f, pageSize) {
		if err != nil {
			return err
		}
		if r.skipped.eligible(&rec) {
			n++
		}
	}
	if r.json {
		return r.a.line(map[string]int64{"would_retry": n, "already_retried": r.skipped.before, "not_registered": r.skipped.closures})
	}
	hint := ""
	if n > 0 {
		hint = " Nothing is done without --yes."
	}
	return r.a.printf("%s would be retried%s.%s\n", plural(n, "task", "tasks"), &r.skipped, hint)
}

// together is how many tasks are repeated in one step.
const together = 100

func (r *retrier) matching(ctx context.Context, f selection) error {
	var batch []taskflow.Record
	flush := func() error {
		err := r.repeat(ctx, batch)
		batch = batch[:0]
		return err
	}
	// What is added on the way is newer than everything that is still to come.
	for rec, err := range tasks(ctx, r.s, f, pageSize) {
		if err != nil {
			return err
		}
		if !r.skipped.eligible(&rec) {
			continue
		}
		full, err := r.s.Get(ctx, rec.ID)
		switch {
		case err != nil:
			return fmt.Errorf("read %s: %w", rec.ID, err)
		case !r.skipped.eligible(&full): // by somebody else, since it was listed
		case full.Args == nil:
			r.skipped.noArgs++
		default:
			batch = append(batch, full)
		}
		if len(batch) == together {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// repeat adds a new task for each of the old ones, all or none, and links the old ones to them.
func (r *retrier) repeat(ctx context.Context, olds []taskflow.Record) error {
	if len(olds) == 0 {
		return nil
	}
	again := make([]taskflow.Record, len(olds))
	for i := range olds {
		again[i] = r.repetition(&olds[i])
	}
	if err := r.s.PutPending(ctx, again); err != nil {
		return fmt.Errorf("store the new tasks: %w", err)
	}
	r.retried += int64(len(again))
	// They are there: from here on an interruption must not hide it.
	ctx, cancel := lasting(ctx)
	defer cancel()
	for i := range olds {
		olds[i].RetriedBy = again[i].ID
	}
	linked, err := r.s.Save(ctx, olds)
	if err == nil && linked < len(olds) {
		err = fmt.Errorf("%d of %d records were refused", len(olds)-linked, len(olds))
	}
	for i := range olds {
		if err := r.done(&olds[i], &again[i]); err != nil {
			return err
		}
	}
	r.audit(ctx, olds)
	if err != nil {
		return fmt.Errorf("the new tasks are stored, but their old records do not name them: %w", err)
	}
	return nil
}

// repetition is a new task that does what the old one did. Nobody holds it, so that any instance that knows the name claims it.
func (r *retrier) repetition(old *taskflow.Record) taskflow.Record {
	// Ids keep the order: those of the same moment would not.
	at := r.a.now().Add(time.Duration(r.made) * time.Microsecond).UTC().Round(0)
	r.made++
	return taskflow.Record{
		ID: r.a.newID(at), CreatedAt: at, Name: old.Name, Status: taskflow.StatusPending, Source: taskflow.SourceRetry, RetryOf: old.ID,
		Pool: old.Pool, Priority: old.Priority, Tags: old.Tags, MaxRetries: old.MaxRetries, Args: old.Args,
		Requeue: true, Durable: true,
	}
}

// done prints one repetition.
func (r *retrier) done(old, again *taskflow.Record) error {
	if r.json {
		return r.a.line(map[string]string{"original_task_id": old.ID, "new_task_id": again.ID})
	}
	if r.table == nil {
		r.table = r.a.newTable("TASK", "FUNC", "RETRIED AS")
	}
	r.table.row(old.ID, short(printable(old.Name), 40), again.ID)
	return nil
}

func (r *retrier) audit(ctx context.Context, olds []taskflow.Record) {
	if len(olds) == 1 {
		r.a.audit(ctx, r.s, taskflow.AuditEntry{Action: "retry", TaskID: olds[0].ID, Detail: map[string]any{"new_task_id": olds[0].RetriedBy}})
		return
	}
	r.a.audit(ctx, r.s, taskflow.AuditEntry{Action: "bulk_retry", Detail: map[string]any{"dispatched": len(olds)}})
}

// finish prints what is left to say, whatever the end was.
func (r *retrier) finish(ctx context.Context, err error) error {
	if r.table != nil {
		if err := r.table.flush(); err != nil {
			return err
		}
	}
	if r.retried > 0 || err == nil && r.failed == 0 {
		r.a.say("%s retried%s.%s", plural(r.retried, "task", "tasks"), &r.skipped, r.whoRuns(ctx))
	}
	switch {
	case err != nil:
		return err
	case r.failed > 0:
		return errReported
	}
	return nil
}

// whoRuns says when the new tasks will run.
func (r *retrier) whoRuns(ctx context.Context) string {
	if r.retried == 0 {
		return ""
	}
	ctx, cancel := lasting(ctx)
	defer cancel()
	instances, err := r.s.Instances(ctx)
	switch {
	case err != nil:
		return " What is new waits for an instance that has registered its name."
	case len(instances) == 0:
		return " What is new waits for an instance that has registered its name; none is running now."
	}
	running := "1 is running"
	if n := len(instances); n > 1 {
		running = fmt.Sprint(n, " are running")
	}
	return " What is new waits for an instance that has registered its name; " + running + " now."
}
