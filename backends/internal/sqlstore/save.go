package sqlstore

import (
	"context"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// Save implements [taskflow.Backend]. The records are stored all or none, but for those that are left out.
func (s *Store) Save(ctx context.Context, records []taskflow.Record) (written int, err error) {
	list, err := encodeAll(records)
	if err != nil {
		return 0, s.wrap(ctx, "save", err)
	}
	if len(records) == 0 {
		return 0, s.read(ctx, "save", func(*session) error { return nil })
	}
	err = s.guess(ctx, "save", func(o *session, tx Tx, first bool) error {
		written = 0
		sum := totals{}
		for rest := list; len(rest) > 0; {
			n := distinct(rest)
			saved, err := o.save(ctx, tx, rest[:n], sum, first)
			if err != nil {
				return err
			}
			written += saved
			rest = rest[n:]
		}
		o.storeTotals(ctx, tx, sum)
		return nil
	})
	if err != nil {
		return 0, err
	}
	return written, nil
}

// distinct returns how many records at the beginning of the list go into one round: those before the first whose id was there
// already, at most listSize.
func distinct(list []*encoded) int {
	seen := make(map[ID]bool, min(len(list), listSize))
	for i, f := range list {
		if seen[f.id] || i == listSize {
			return i
		}
		seen[f.id] = true
	}
	return len(list)
}

// save stores records whose ids are distinct. At first it takes those that nobody has retried for new ones.
func (s *session) save(ctx context.Context, tx Tx, list []*encoded, sum totals, guess bool) (written int, err error) {
	left, err := s.removePending(ctx, tx, list)
	if err != nil {
		return 0, err
	}
	var known []ID
	for _, f := range list {
		if !guess || f.record.RetriedBy != "" {
			known = append(known, f.id)
		}
	}
	old := map[ID]stored{}
	if len(known) > 0 {
		if old, err = s.lockFinished(ctx, tx, where(s.dialect.In("id", known)), ""); err != nil {
			return 0, err
		}
	}
	var (
		replaced, ids       []ID
		rows, details, tags [][]any
	)
	for _, f := range list {
		before, again := old[f.id]
		if left[f.id] || again && f.record.Owner != "" && before.owner != "" && before.owner != f.record.Owner {
			continue
		}
		if again {
			replaced = append(replaced, f.id)
			sum.add(before.total, before.took, -1)
		}
		written++
		ids = append(ids, f.id)
		key, took := totalOf(f.record.Status, f.start, f.end)
		sum.add(key, took, 1)
		rows = append(rows, f.row)
		if d := f.detail(); d != nil {
			details = append(details, d)
		}
		tags = append(tags, f.tags()...)
	}
	if len(replaced) > 0 {
		s.remove(ctx, tx, replaced, historyTable)
	}
	if len(ids) > 0 && (len(replaced) > 0 || !guess) { // not guessing, also what is left of a record that somebody deleted by hand
		s.remove(ctx, tx, ids, detailTable, tagTable)
	}
	// A duplicate key means that we did not look, or that another instance has stored the record since: the transaction is repeated.
	s.insert(ctx, tx, historyTable, Conflict{}, rows...)
	s.insert(ctx, tx, detailTable, Conflict{}, details...)
	s.insert(ctx, tx, tagTable, Conflict{}, tags...)
	return written, nil
}

// removePending removes the pending rows of records whose owner may finish them, and returns those that another owner holds.
func (s *session) removePending(ctx context.Context, tx Tx, list []*encoded) (left map[ID]bool, err error) {
	byOwner := map[string][]ID{}
	for _, f := range list {
		byOwner[f.record.Owner] = append(byOwner[f.record.Owner], f.id)
	}
	left = map[ID]bool{}
	for owner, ids := range byOwner {
		among := s.dialect.In("id", ids)
		if owner == "" {
			everyones := where(among)
			s.later(ctx, tx, "DELETE FROM {pending}"+everyones.SQL, everyones.Args...)
			continue
		}
		theirs := where(among, Fragment{"(owner IS NULL OR owner = ?)", []any{owner}})
		removed, err := s.exec(ctx, tx, "DELETE FROM {pending}"+theirs.SQL, theirs.Args...)
		if err != nil {
			return nil, err
		}
		if removed == int64(len(ids)) {
			continue
		}
		others := where(among)
		err = s.queryTx(ctx, tx, "SELECT id FROM {pending}"+others.SQL, others.Args, func(row Row) error {
			var id ID
			err := row.Scan(&id)
			left[id] = true
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return left, nil
}

// stored is what has to be known of a finished record that is replaced or removed.
type stored struct {
	owner string
	total totalKey
	took  int64
}

// lockFinished locks finished records and returns what has to be known of them.
func (s *session) lockFinished(ctx context.Context, tx Tx, condition Fragment, limit string) (map[ID]stored, error) {
	found := map[ID]stored{}
	sql := "SELECT id, owner, status, start_time, end_time FROM {history}" + condition.SQL + " ORDER BY id" + limit + " FOR UPDATE"
	err := s.queryTx(ctx, tx, sql, condition.Args, func(row Row) error {
		var (
			id         ID
			owner      *string
			status     string
			start, end *int64
		)
		if err := row.Scan(&id, &owner, &status, &start, &end); err != nil {
			return err
		}
		v := stored{owner: text(owner)}
		v.total, v.took = totalOf(taskflow.Status(status), number(start), number(end))
		found[id] = v
		return nil
	})
	return found, err
}

func number(n *int64) any {
	if n == nil {
		return nil
	}
	return *n
}

// remove deletes the rows of ids from tables of finished records.
func (s *session) remove(ctx context.Context, tx Tx, ids []ID, from ...*Table) {
	among := where(s.dialect.In("id", ids))
	for _, t := range from {
		s.later(ctx, tx, "DELETE FROM {"+t.Name+"}"+among.SQL, among.Args...)
	}
}
