package sqlite

import (
	"bytes"
	"context"
	"database/sql/driver"
	"slices"
	"strings"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// statement is a piece of SQL and what its question marks stand for.
type statement struct {
	sql  string
	args []any
}

// source yields ids in descending order out of one index: "FROM from WHERE where".
type source struct {
	id    string // the column that holds the id
	from  string
	join  string // makes the record available as h, where from does not
	where statement
}

// term is one thing that a filter asks for: where to find it by index, and how to check it on a record h. A term without sources can
// only be checked.
type term struct {
	sources []source // it is found in their union
	check   statement
	partial bool // the sources yield also what does not match: it must be checked even if they lead
	texts   bool // the check looks into texts
}

// search is a filter turned into terms. All must hold. One leads: its sources are walked by descending id, and the others
// are checked for each id.
type search struct {
	low, high []byte // low <= id < high; nil: no limit
	terms     []term
	nothing   bool // nothing can match
	bounds    bounds
}

func newSearch(ctx context.Context, c *conn, f taskflow.Filter, before string, most bounds) (*search, error) {
	if !isText(f.Text) {
		return &search{nothing: true}, nil // no record has such text
	}
	s := &search{bounds: most}
	if err := s.limit(f, before); err != nil {
		return nil, err
	}
	if len(f.Statuses) > 0 {
		s.terms = append(s.terms, statusTerm(f.Statuses))
	}
	if f.Source != "" {
		s.terms = append(s.terms, indexTerm("history_source", "h.source = ?", f.Source))
	}
	for key, value := range f.Tags {
		s.terms = append(s.terms, tagTerm(key, value))
	}
	if f.Name != "" {
		id, known, err := c.number(ctx, "SELECT name_id FROM name WHERE name = ?", f.Name)
		if err != nil || !known {
			return &search{nothing: true}, err
		}
		s.terms = append(s.terms, indexTerm("history_name", "h.name_id = ?", id))
	}
	if f.Text != "" {
		t, err := textTerm(ctx, c, lower(f.Text), most.textTime)
		if err != nil {
			return nil, err
		}
		s.terms = append(s.terms, t)
	}
	return s, nil
}

// limit turns times and the cursor into a range of ids.
func (s *search) limit(f taskflow.Filter, before string) error {
	narrow := func(id string, upper bool) error {
		key, err := encodeID(id)
		switch {
		case err != nil:
			return err
		case !upper:
			s.low = key
		case s.high == nil || bytes.Compare(key, s.high) < 0:
			s.high = key
		}
		return nil
	}
	if before != "" {
		if err := narrow(before, true); err != nil {
			return err
		}
	}
	if !f.Until.IsZero() {
		lowest, _ := taskflow.IDBounds(f.Until)
		if err := narrow(lowest, true); err != nil {
			return err
		}
	}
	if !f.Since.IsZero() {
		lowest, _ := taskflow.IDBounds(f.Since)
		return narrow(lowest, false)
	}
	return nil
}

func indexTerm(index, condition string, value any) term {
	where := statement{condition, []any{value}}
	return term{sources: []source{{id: "h.id", from: "history h INDEXED BY " + index, where: where}}, check: where}
}

// statusTerm has a source for each status, because their union is in the order of ids and "status IN" is not.
func statusTerm(statuses []taskflow.Status) term {
	var t term
	for _, s := range slices.Compact(slices.Sorted(slices.Values(statuses))) {
		t.sources = append(t.sources, indexTerm("history_status", "h.status = ?", string(s)).sources...)
		t.check.args = append(t.check.args, string(s))
	}
	t.check.sql = "h.status IN (" + strings.Join(slices.Repeat([]string{"?"}, len(t.check.args)), ", ") + ")"
	return t
}

func tagTerm(key, value string) term {
	args := []any{key, value}
	return term{
		sources: []source{{
			id: "t.id", from: "tag t", join: " CROSS JOIN history h ON h.id = t.id", where: statement{"t.key = ? AND t.value = ?", args},
		}},
		check: statement{"EXISTS (SELECT 1 FROM tag t WHERE t.key = ? AND t.value = ? AND t.id = h.id)", args},
	}
}

// lead chooses the term whose index reaches furthest back within the rows that may be examined. Floor is the last id to
// examine; nil when there is no need to stop: the index holds fewer rows, or every row of it is a hit.
func (s *search) lead(ctx context.Context, c *conn) (leader int, floor []byte, err error) {
	rows := s.bounds.rows
	if slices.ContainsFunc(s.terms, func(t term) bool { return t.texts }) {
		rows = s.bounds.texts
	}
	leader = -1
	for i, t := range s.terms {
		if len(t.sources) == 0 {
			continue
		}
		if len(s.terms) == 1 && !t.partial {
			return i, nil, nil
		}
		last, err := s.nth(ctx, c, t.sources, rows)
		if err != nil {
			return 0, nil, err
		}
		if last == nil {
			return i, nil, nil
		}
		if leader < 0 || bytes.Compare(last, floor) < 0 {
			leader, floor = i, last
		}
	}
	if leader < 0 && len(s.terms) > 0 {
		floor, err = s.nth(ctx, c, everything(), rows)
	}
	return leader, floor, err
}

// nth returns the n-th id of the sources, nil if they have fewer.
func (s *search) nth(ctx context.Context, c *conn, sources []source, n int) (id []byte, err error) {
	all := s.union(sources, nil, nil)
	err = c.query(ctx, all.sql+" LIMIT 1 OFFSET ?", append(all.args, int64(n-1)), func(row []driver.Value) error {
		r := rowReader{row: row}
		id = slices.Clone(r.blob())
		return r.err
	})
	return id, err
}

// ids is the statement that finds the newest matching ids, led by a term (-1: by the whole history) down to floor.
func (s *search) ids(leader int, floor []byte, limit int) statement {
	sources := everything()
	if leader >= 0 {
		sources = s.terms[leader].sources
	}
	var checks []statement
	for i, t := range s.terms {
		if i != leader || t.partial {
			checks = append(checks, t.check)
		}
	}
	all := s.union(sources, checks, floor)
	return statement{all.sql + " LIMIT ?", append(all.args, int64(limit))}
}

// union selects the ids of all sources that are within the limits, not below floor, and pass the checks, in descending order.
func (s *search) union(sources []source, checks []statement, floor []byte) statement {
	var all statement
	for i, src := range sources {
		if i > 0 {
			all.sql += " UNION "
		}
		all.sql += "SELECT " + src.id + " AS id FROM " + src.from
		if len(checks) > 0 {
			all.sql += src.join
		}
		conditions := []statement{src.where}
		if s.high != nil {
			conditions = append(conditions, statement{src.id + " < ?", []any{s.high}})
		}
		if low := maxBytes(s.low, floor); low != nil {
			conditions = append(conditions, statement{src.id + " >= ?", []any{low}})
		}
		for j, cond := range append(conditions, checks...) {
			if j == 0 {
				all.sql += " WHERE "
			} else {
				all.sql += " AND "
			}
			all.sql += cond.sql
			all.args = append(all.args, cond.args...)
		}
	}
	all.sql += " ORDER BY 1 DESC"
	return all
}

func everything() []source {
	return []source{{id: "h.id", from: "history h", where: statement{sql: "TRUE"}}}
}

// maxBytes returns the larger one; nil is the smallest.
func maxBytes(a, b []byte) []byte {
	if bytes.Compare(a, b) < 0 {
		return b
	}
	return a
}
