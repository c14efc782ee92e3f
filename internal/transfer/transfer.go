// Package transfer copies what one backend holds into another, whatever they are: the history, the unfinished tasks and the audit
// trail. It goes page by page, leaves alone what the target has already, and can therefore be repeated: after an interruption it
// continues, and nothing is doubled.
//
// What the contract of a backend cannot read is not copied, see [NotCopied].
package transfer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// Source is what is needed of the backend that is read.
type Source interface {
	taskflow.Querier
	taskflow.PendingQuerier
	taskflow.StatsReader
	taskflow.InstanceStore
	taskflow.AuditLog
}

// Target is what is needed of the backend that is written.
type Target interface {
	taskflow.Querier
	taskflow.PendingQuerier
	taskflow.Journal
	taskflow.AuditLog
	Save(ctx context.Context, records []taskflow.Record) (int, error)
}

// NotCopied says what stays behind and what follows from that, one line each.
func NotCopied() []string {
	return []string{
		"idempotency keys: a request that is repeated after the move adds its task once more",
		"schedule slots: a schedule whose moment comes during the move may fire on both",
		"secrets: users of the dashboard sign in again",
		"shared state: what was switched on the dashboard, like a schedule that is paused, is to be switched again",
		"counters of the charts: they begin anew",
		"tasks that live in the memory of an instance only: stop the program that uses the source first",
	}
}

// Options of Copy. The zero value is ready to use.
type Options struct {
	// Force copies although running instances hold unfinished tasks, which then may run on both sides.
	Force bool
	// HistoryOnly leaves the unfinished tasks to a later copy. Then it does not matter who holds them.
	HistoryOnly bool
	// Progress is called after each page with the number of entries that are dealt with and the number expected, which may grow.
	Progress func(done, total int64)
}

// Counts tell what became of the entries of one kind.
type Counts struct {
	Copied  int64 `json:"copied"`
	Skipped int64 `json:"skipped"` // the target has them already
	Failed  int64 `json:"failed"`
}

// Failure is an entry that could not be copied.
type Failure struct {
	ID  string
	Err error
}

// Result is what Copy did, also when it was interrupted.
type Result struct {
	History, Unfinished, Audit Counts
	Failures                   []Failure
	// Unread is how many finished records the source counts that its listing did not have: rows that it cannot read, or that were
	// deleted meanwhile. Only known at the end.
	Unread int64
	// Running are the live instances of the source: what they add from now on is not copied.
	Running []taskflow.Instance
}

// Complete reports whether everything that was to be copied is in the target.
func (r *Result) Complete() bool {
	return r.History.Failed == 0 && r.Unfinished.Failed == 0 && r.Audit.Failed == 0 && r.Unread == 0
}

// HeldError is that running instances hold unfinished tasks of the source. Nothing was copied.
type HeldError struct {
	Tasks     int
	Instances []taskflow.Instance // those that hold any
}

// Error implements error.
func (e *HeldError) Error() string {
	return fmt.Sprintf("%d unfinished tasks of the source are held by %d running instances", e.Tasks, len(e.Instances))
}

// errRefused ends a copy whose target takes nothing any more.
var errRefused = errors.New("the target refuses one entry after the other")

const (
	fullPage    = 100  // records with everything: they may have more than a megabyte each
	summaryPage = 1000 // what a backend has to offer at least
	// patience is how many entries may fail one after the other before the target itself is taken for the reason.
	patience = 10
)

// Copy copies from one backend into another. An error means that it ended early: the result tells how far it came, and calling
// it again continues. Single entries that cannot be copied are in Result.Failures and are no error.
func Copy(ctx context.Context, from Source, to Target, o Options) (Result, error) {
	c := &copier{from: from, to: to, progress: o.Progress, historyOnly: o.HistoryOnly}
	if c.progress == nil {
		c.progress = func(int64, int64) {}
	}
	err := c.run(ctx, o.Force)
	return c.result, err
}

type copier struct {
	from     Source
	to       Target
	progress func(done, total int64)
	result   Result

	historyOnly bool
	unfinished  map[string]bool            // ids that were unfinished in the source when the copy began, and are not copied yet
	there       map[string]taskflow.Record // the unfinished tasks of the target, as summaries
	misses      int                        // entries that failed one after the other
	total       int64
	counted     int64 // finished records that the source counts
}

func (c *copier) run(ctx context.Context, force bool) error {
	if err := c.prepare(ctx, force); err != nil {
		return err
	}
	type step struct {
		name string
		run  func(context.Context) error
	}
	steps := []step{{"history", c.history}}
	if !c.historyOnly { // after the history: a target that runs already starts them as they arrive
		steps = append(steps, step{"unfinished tasks", c.pending}, step{"tasks that ended meanwhile", c.endedMeanwhile})
	}
	for _, s := range append(steps, step{"audit trail", c.audit}) {
		if err := s.run(ctx); err != nil {
			return fmt.Errorf("copy the %s: %w", s.name, err)
		}
	}
	return nil
}

// prepare looks at both sides, and changes nothing but that dead instances of the source are forgotten, as by any start.
func (c *copier) prepare(ctx context.Context, force bool) error {
	if _, err := c.from.Expire(ctx); err != nil {
		return fmt.Errorf("look for dead instances of the source: %w", err)
	}
	instances, err := c.from.Instances(ctx)
	if err != nil {
		return fmt.Errorf("list the instances of the source: %w", err)
	}
	c.result.Running = instances
	held := map[string]int{}
	c.unfinished = map[string]bool{}
	err = eachPage(ctx, c.from.QueryPending, false, func(p taskflow.Page) error {
		for i := range p.Records {
			c.unfinished[p.Records[i].ID] = true
			if owner := p.Records[i].Owner; owner != "" {
				held[owner]++
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("list the unfinished tasks of the source: %w", err)
	}
	if err := heldBy(held, instances); err != nil && !force && !c.historyOnly {
		return err
	}
	c.there = map[string]taskflow.Record{}
	err = eachPage(ctx, c.to.QueryPending, false, func(p taskflow.Page) error {
		for i := range p.Records {
			c.there[p.Records[i].ID] = p.Records[i].Summary()
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("list the unfinished tasks of the target: %w", err)
	}
	stats, err := c.from.Stats(ctx)
	if err != nil {
		return fmt.Errorf("count the history of the source: %w", err)
	}
	c.counted = stats.Total()
	c.total = c.counted
	if !c.historyOnly {
		c.total += int64(len(c.unfinished))
	}
	c.progress(0, c.total)
	return nil
}

// heldBy returns a HeldError when live instances hold tasks.
func heldBy(held map[string]int, live []taskflow.Instance) error {
	e := &HeldError{}
	for _, i := range live {
		if n := held[i.ID]; n > 0 {
			e.Tasks += n
			e.Instances = append(e.Instances, i)
		}
	}
	if e.Tasks == 0 {
		return nil
	}
	return e
}

// eachPage calls f with every page of a listing.
func eachPage(ctx context.Context, query func(context.Context, taskflow.Query) (taskflow.Page, error), full bool, f func(taskflow.Page) error) error {
	q := taskflow.Query{Limit: summaryPage, Full: full}
	if full {
		q.Limit = fullPage
	}
	for {
		p, err := query(ctx, q)
		if err != nil {
			return err
		}
		if err := f(p); err != nil || p.Next == "" {
			return err
		}
		q.Before = p.Next
	}
}

// dealt counts entries and shows the progress.
func (c *copier) dealt() {
	r := &c.result
	done := int64(0)
	for _, n := range []Counts{r.History, r.Unfinished, r.Audit} {
		done += n.Copied + n.Skipped + n.Failed
	}
	c.total = max(c.total, done)
	c.progress(done, c.total)
}

// failed notes an entry that cannot be copied. An error means that going on makes no sense.
func (c *copier) failed(ctx context.Context, n *Counts, id string, err error) error {
	if ctx.Err() != nil {
		return err // it has not failed, it was not tried
	}
	n.Failed++
	c.result.Failures = append(c.result.Failures, Failure{id, err})
	if c.misses++; c.misses >= patience {
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	return nil
}

// copied notes that an entry is in the target.
func (c *copier) copied(n *Counts) {
	n.Copied++
	c.misses = 0
}

// fetch returns the records of a list of ids, in full, as far as get finds them.
func fetch(ctx context.Context, get func(context.Context, string) (taskflow.Record, error), ids []string) ([]taskflow.Record, error) {
	var found []taskflow.Record
	for _, id := range ids {
		r, err := get(ctx, id)
		switch {
		case err == nil:
			found = append(found, r)
		case !errors.Is(err, taskflow.ErrNotFound):
			return nil, err
		}
	}
	return slices.Clip(found), nil
}
