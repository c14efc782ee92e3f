package redis

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// bounds is how much one Query or Count does at most. A filter by one thing finds all it wants in an index and needs no limit; of a combination
// each part may match half of the history, and nothing both; a text has no index.
type bounds struct {
	rows int           // examined
	time time.Duration // after which no other step is begun, once some rows have been examined
}

// condition is what the row of a record must contain: one of some texts.
type condition struct {
	fold  bool // letter case is ignored; the texts are in lower case
	texts []string
}

// walk goes through the ids of a store, newest first, step by step.
type walk struct {
	store      store
	keys       []string // the indexes that together have the ids
	conditions []condition
	full       bool
	low, high  string // where it goes on, in the form of ZRANGEBYLEX; high is empty at the end
	last       string // the last id that was looked at
}

// step looks at up to n ids and calls f for the records of up to need of them, which are those that pass the conditions.
func (b *Backend) step(ctx context.Context, c *connection, w *walk, n, need int, f func(*taskflow.Record)) error {
	details := ""
	if w.full {
		details = w.store.details
	}
	args := []any{w.store.rows, details, w.low, w.high, n, need, len(w.keys)}
	for _, key := range w.keys {
		args = append(args, key)
	}
	for _, cond := range w.conditions {
		args = append(args, cond.fold, len(cond.texts))
		for _, t := range cond.texts {
			args = append(args, t)
		}
	}
	reply, err := c.run(ctx, scriptWalk, args...)
	if err != nil {
		return err
	}
	rows := list(reply)
	if len(rows) < 2 {
		return fmt.Errorf("the server answered %v", reply)
	}
	if last := text(rows[0]); last != "" {
		w.last = last
	}
	w.high = ""
	if number(rows[1]) == 1 {
		w.high = "(" + w.last
	}
	for rows = rows[2:]; len(rows) >= 3; rows = rows[3:] {
		id := text(rows[0])
		r, err := w.store.decode(id, text(rows[1]), text(rows[2]), w.full)
		if err != nil {
			b.skipped(w.store.rows, id, err)
			continue
		}
		f(&r)
	}
	return nil
}

// term is one thing that a filter asks for.
type term struct {
	keys      []string  // the indexes that together have what matches; none: there is no index
	condition condition // what the row of a record that matches contains; without texts: nothing is known
	// rest: all matches but what is in the indexes of except.
	rest   bool
	except []string
}

// terms turns a filter, but for its times, into terms.
func terms(f *taskflow.Filter) []term {
	var all []term
	if len(f.Statuses) > 0 {
		all = append(all, statusTerm(f.Statuses))
	}
	if f.Name != "" {
		all = append(all, indexed(group{byName, "", f.Name}, `"func_name":`+jsonText(f.Name)))
	}
	if f.Source != "" {
		t := indexed(group{bySource, "", f.Source}, `"source":`+jsonText(f.Source))
		if f.Source == usualSource {
			t.keys = nil
		}
		all = append(all, t)
	}
	for key, value := range f.Tags {
		if value == "" {
			all = append(all, indexed(group{byTag, "", key}, jsonText(key)+":"))
		} else {
			all = append(all, indexed(group{byValue, key, value}, jsonText(key)+":"+jsonText(value)))
		}
	}
	if f.Text != "" {
		inside := jsonText(lower(f.Text))
		all = append(all, term{condition: condition{fold: true, texts: []string{inside[1 : len(inside)-1]}}})
	}
	return all
}

func statusTerm(statuses []taskflow.Status) (t term) {
	for _, s := range slices.Compact(slices.Sorted(slices.Values(statuses))) {
		t.keys = append(t.keys, group{byStatus, "", string(s)}.name())
		t.condition.texts = append(t.condition.texts, `"status":`+jsonText(string(s)))
	}
	if slices.Contains(statuses, "") { // which is not stored
		t.condition.texts = nil
	}
	if slices.Contains(statuses, usualStatus) {
		t.keys, t.rest = nil, true
		for _, s := range taskflow.Statuses() {
			if !slices.Contains(statuses, s) {
				t.except = append(t.except, group{byStatus, "", string(s)}.name())
			}
		}
	}
	return t
}

func indexed(g group, row string) term {
	return term{keys: []string{g.name()}, condition: condition{texts: []string{row}}}
}

func jsonText(s string) string { return string(appendString(nil, s)) }

// lower maps the ASCII capitals only, as the contract has it.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// plan is the walk that answers a query: along the smallest of the indexes that have all that matches. It looks at what is not checked by
// the index in the rows, and what that cannot tell is left to Filter.Match.
func (c *connection) plan(ctx context.Context, s store, q *taskflow.Query) (walk, error) {
	w := walk{store: s, keys: []string{s.ids}, full: q.Full}
	w.low, w.high = between(&q.Filter, q.Before)
	all := terms(&q.Filter)
	lead := -1
	if s.rows == "history" { // pending rows have no other indexes: there are few of them
		var err error
		if lead, err = c.lead(ctx, &w, all); err != nil {
			return w, err
		}
	}
	for i, t := range all {
		if i == lead {
			w.keys = t.keys
		} else if len(t.condition.texts) > 0 {
			w.conditions = append(w.conditions, t.condition)
		}
	}
	return w, nil
}

// lead chooses the term whose indexes have the fewest ids; -1 stands for the index of all.
func (c *connection) lead(ctx context.Context, w *walk, all []term) (int, error) {
	var keys []string
	lead, choices := -1, 0
	for i, t := range all {
		if keys = append(keys, t.keys...); len(t.keys) > 0 {
			lead = i
			choices++
		}
	}
	if choices < 2 {
		return lead, nil
	}
	sizes, err := c.sizes(ctx, w.low, w.high, keys)
	if err != nil {
		return 0, err
	}
	least := int64(math.MaxInt64)
	for i, t := range all {
		size := sum(sizes[:len(t.keys)])
		sizes = sizes[len(t.keys):]
		if len(t.keys) > 0 && size < least {
			lead, least = i, size
		}
	}
	return lead, nil
}

func sum(sizes []int64) (n int64) {
	for _, size := range sizes {
		n += size
	}
	return n
}

// sizes returns how many ids each index has between two bounds.
func (c *connection) sizes(ctx context.Context, low, high string, keys []string) ([]int64, error) {
	args := []any{low, high}
	for _, key := range keys {
		args = append(args, key)
	}
	reply, err := c.run(ctx, scriptSizes, args...)
	if err != nil {
		return nil, err
	}
	counts := list(reply)
	if len(counts) != len(keys) {
		return nil, fmt.Errorf("the server answered %v", reply)
	}
	sizes := make([]int64, len(counts))
	for i := range counts {
		sizes[i] = number(counts[i])
	}
	return sizes, nil
}

// between turns times and the cursor into a range of ids. An id's clock is coarser than a record's: the range may have a few more.
func between(f *taskflow.Filter, before string) (low, high string) {
	low, high = "-", "+"
	if !f.Since.IsZero() {
		lowest, _ := taskflow.IDBounds(f.Since)
		low = "[" + lowest
	}
	highest := ""
	if !f.Until.IsZero() {
		_, highest = taskflow.IDBounds(f.Until)
		high = "[" + highest
	}
	if before != "" && (highest == "" || before <= highest) {
		high = "(" + before
	}
	return low, high
}
