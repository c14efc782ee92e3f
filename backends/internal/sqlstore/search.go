package sqlstore

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// Bounds is how much one Query or Count does at most. A filter by one thing finds all it wants in an index and needs no limit; of
// a combination each part may match half of the history, and nothing both; a text may be anywhere.
type Bounds struct {
	Rows   int           // of the index that leads
	Window int           // rows between two looks at the clock
	Time   time.Duration // after which no further window is begun
}

// DefaultBounds keep a page far below 50 ms, and the load of a server that many ask at once low.
func DefaultBounds() Bounds { return Bounds{Rows: 20_000, Window: 1_000, Time: 30 * time.Millisecond} }

// term is one thing that a filter asks for: where to find it by index, and how to check it on a record h. A term without walks can
// only be checked.
type term struct {
	walks []Walk // it is found in their union
	check Fragment
}

// search is a filter turned into terms. All must hold. One leads: its walks are read by descending id, and the others are checked
// for each id.
type search struct {
	s         *session
	pending   bool // of unfinished records, which have no indexes for filters: every change of a task would have to pay for them
	low, high ID   // both are within
	terms     []term
	nothing   bool // nothing can match
	begun     time.Time
}

func (s *session) search(pending bool, f taskflow.Filter, before string) (*search, error) {
	q := &search{s: s, pending: pending, low: lowestID, high: highestID, begun: time.Now()}
	if !isFilter(f) {
		q.nothing = true
		return q, nil
	}
	if err := q.limit(f, before); err != nil || q.nothing {
		return q, err
	}
	if len(f.Statuses) > 0 {
		q.terms = append(q.terms, s.statusTerm(f.Statuses))
	}
	if f.Name != "" {
		q.terms = append(q.terms, s.columnTerm("name", f.Name))
	}
	if f.Source != "" {
		q.terms = append(q.terms, s.columnTerm("source", f.Source))
	}
	for key, value := range f.Tags {
		if pending {
			q.terms = append(q.terms, term{check: s.dialect.Contains("h.marks", mark(key, value))})
		} else {
			q.terms = append(q.terms, tagTerm(key, value))
		}
	}
	if f.Text != "" {
		q.terms = append(q.terms, s.textTerm(f.Text))
	}
	if pending {
		for i := range q.terms {
			q.terms[i].walks = nil
		}
	}
	return q, nil
}

func (q *search) table() *Table {
	if q.pending {
		return pendingTable
	}
	return historyTable
}

// everything is the table by id.
func (q *search) everything() []Walk { return []Walk{{Table: q.table().Name, Alias: "h"}} }

// isFilter reports whether a record can match: what is no text no server has stored.
func isFilter(f taskflow.Filter) bool {
	ok := isText(f.Name) && isText(f.Source) && isText(f.Text)
	for _, s := range f.Statuses {
		ok = ok && isText(string(s))
	}
	for key, value := range f.Tags {
		ok = ok && isText(key) && isText(value)
	}
	return ok
}

// limit turns times and the cursor into a range of ids.
func (q *search) limit(f taskflow.Filter, before string) error {
	below := func(id string) error {
		limit, err := parseID(id)
		if err != nil {
			return err
		}
		highest, ok := limit.before()
		if !ok {
			q.nothing = true
		} else if bytes.Compare(highest[:], q.high[:]) < 0 {
			q.high = highest
		}
		return nil
	}
	if before != "" {
		if err := below(before); err != nil {
			return fmt.Errorf("before: %w", err)
		}
	}
	if !f.Until.IsZero() {
		lowest, _ := taskflow.IDBounds(f.Until)
		if err := below(lowest); err != nil {
			return err
		}
	}
	if !f.Since.IsZero() {
		lowest, _ := taskflow.IDBounds(f.Since)
		id, err := parseID(lowest)
		if err != nil {
			return err
		}
		q.low = id
	}
	if bytes.Compare(q.low[:], q.high[:]) > 0 {
		q.nothing = true
	}
	return nil
}

func historyWalk(column string, value any) Walk {
	return Walk{Table: historyTable.Name, Alias: "h", Index: historyTable.Name + "_" + column, Columns: []string{column}, Values: []any{value}}
}

func (s *session) columnTerm(column, value string) term {
	return term{[]Walk{historyWalk(column, value)}, Fragment{s.dialect.Unindexed("h."+column) + " = ?", []any{value}}}
}

// statusTerm has a walk for each status, because their union is in the order of ids and "status IN" is not.
func (s *session) statusTerm(statuses []taskflow.Status) term {
	var t term
	var list []string
	for _, status := range slices.Compact(slices.Sorted(slices.Values(statuses))) {
		t.walks = append(t.walks, historyWalk("status", string(status)))
		list = append(list, string(status))
	}
	t.check = s.dialect.In(s.dialect.Unindexed("h.status"), list)
	return t
}

func tagTerm(key, value string) term {
	w := Walk{Table: tagTable.Name, Alias: "t", Index: "tag_key", Columns: []string{"tag_key"}, Values: []any{key}}
	if value == "" {
		return term{[]Walk{w}, Fragment{"(SELECT 1 FROM {tag} x WHERE x.id = h.id AND x.tag_key = ?) = 1", w.Values}}
	}
	w.Index, w.Columns, w.Values = "tag_value", append(w.Columns, "tag_value"), append(w.Values, value)
	return term{[]Walk{w}, Fragment{"(SELECT x.tag_value FROM {tag} x WHERE x.id = h.id AND x.tag_key = ?) = ?", w.Values}}
}

// textTerm looks for a text in names, errors, tag values and the beginning of the id, letter by letter.
func (s *session) textTerm(text string) term {
	part := lowerText(text)
	check := s.dialect.Contains("h.search", part)
	if low, high, ok := idPrefix(string(part)); ok {
		check = Fragment{"(" + check.SQL + " OR h.id BETWEEN ? AND ?)", append(check.Args, low, high)}
	}
	return term{check: check}
}

// simple reports whether an index holds exactly what is asked for.
func (q *search) simple() bool {
	return len(q.terms) == 0 || len(q.terms) == 1 && len(q.terms[0].walks) > 0
}

// split returns the walks of the term that leads, and the checks of all others.
func (q *search) split(leader int) (walks []Walk, checks []Fragment) {
	walks = q.everything()
	for i, t := range q.terms {
		if i == leader {
			walks = t.walks
		} else {
			checks = append(checks, t.check)
		}
	}
	return walks, checks
}

// leader chooses the term whose index reaches furthest back in a window: of the others more rows would have to be looked at. -1:
// the whole history is walked.
func (q *search) leader(ctx context.Context) (leader int, err error) {
	leader = -1
	var furthest ID
	for i, t := range q.terms {
		if len(t.walks) == 0 {
			continue
		}
		floor, whole, err := q.floor(ctx, t.walks)
		if err != nil {
			return 0, err
		}
		if whole {
			return i, nil
		}
		if leader < 0 || bytes.Compare(floor[:], furthest[:]) < 0 {
			leader, furthest = i, floor
		}
	}
	return leader, nil
}

// floor returns the last id of the next window; whole: there are no more rows than a window has.
func (q *search) floor(ctx context.Context, walks []Walk) (floor ID, whole bool, err error) {
	n := q.s.cfg.Bounds.Window
	whole = true
	f := q.ids(walks, nil, q.low, n, n-1)
	err = q.s.find(ctx, f, func(row Row) error {
		whole = false
		return row.Scan(&floor)
	})
	return floor, whole, err
}

// ids is the statement that finds ids not below low, in descending order: limit of them at most, without the first skip.
func (q *search) ids(walks []Walk, checks []Fragment, low ID, limit, skip int) Fragment {
	var parts []string
	var args []any
	for _, w := range walks {
		r := q.s.dialect.Walk(w, low, q.high)
		sql := "SELECT " + w.Alias + ".id FROM " + r.From
		if len(checks) > 0 && w.Alias != "h" {
			sql += " {join} {history} h ON h.id = " + w.Alias + ".id"
		}
		condition := where(append([]Fragment{r.Where}, checks...)...)
		parts = append(parts, fmt.Sprintf("%s%s ORDER BY %s LIMIT %d", sql, condition.SQL, r.Order, limit))
		args = append(args, condition.Args...)
	}
	if len(parts) == 1 && skip == 0 {
		return Fragment{parts[0], args}
	}
	return Fragment{
		fmt.Sprintf("SELECT u.id FROM ((%s)) u ORDER BY u.id DESC LIMIT %d OFFSET %d", strings.Join(parts, ") UNION ALL ("), limit-skip, skip), args,
	}
}

// windows calls visit with the lowest id of one window after the other, and q.high its highest, until visit returns false, the
// history ends, or the bounds are reached: then next is the id to go on from, or empty.
func (q *search) windows(ctx context.Context, walks []Walk, visit func(low ID) (more bool, err error)) (next string, err error) {
	bounds := q.s.cfg.Bounds
	for rows := 0; ; {
		floor, whole, err := q.floor(ctx, walks)
		if err != nil {
			return "", err
		}
		if whole {
			_, err := visit(q.low)
			return "", err
		}
		if more, err := visit(floor); err != nil || !more {
			return "", err
		}
		below, ok := floor.before()
		if !ok || bytes.Compare(below[:], q.low[:]) < 0 {
			return "", nil
		}
		q.high = below
		if rows += bounds.Window; rows >= bounds.Rows || time.Since(q.begun) >= bounds.Time {
			return floor.String(), nil
		}
	}
}
