package sqlstore

import (
	"context"
	"fmt"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// ownerColumn is where the owner is in a row of recordColumns.
var ownerColumn = len(recordColumns()) - 1

// pendingRow is the row of pendingTable. It takes the place of e.row.
func (e *encoded) pendingRow(owner, session any) []any {
	row := append(e.row[:len(historyTable.Columns)], marks(e.record.Tags), e.stack, e.logs, e.args, int64(taskflow.RecordFormat), session)
	row[ownerColumn] = owner
	return row
}

// replacePending replaces a row that is free or the owner's. The owner comes last, see [Conflict].
func replacePending() Conflict {
	c := Conflict{Key: []string{"id"}, If: "{old}.owner IS NULL OR {old}.owner = {new}.owner"}
	for _, column := range pendingTable.Columns {
		if column.Name != "id" && column.Name != "owner" {
			c.Set = append(c.Set, column.Name)
		}
	}
	c.Set = append(c.Set, "owner")
	return c
}

// PutPending implements [taskflow.Journal].
func (s *Store) PutPending(ctx context.Context, records []taskflow.Record) error {
	list, err := encodeAll(records)
	if err == nil {
		list, err = lastOfEach(list)
	}
	if err != nil {
		return s.wrap(ctx, "put pending", err)
	}
	if len(list) == 0 {
		return s.read(ctx, "put pending", func(*session) error { return nil })
	}
	return s.guess(ctx, "put pending", func(o *session, tx Tx, first bool) error { return o.putPending(ctx, tx, list, first) })
}

// lastOfEach leaves one record of each id, the last.
func lastOfEach(list []*encoded) ([]*encoded, error) {
	at := make(map[ID]int, len(list))
	kept := list[:0]
	for _, e := range list {
		before, twice := at[e.id]
		switch {
		case !twice:
			at[e.id] = len(kept)
			kept = append(kept, e)
		case kept[before].record.Owner == e.record.Owner:
			kept[before] = e
		default:
			return nil, fmt.Errorf("%w: record %s is put twice, for different owners", taskflow.ErrLeaseLost, e.record.ID)
		}
	}
	return kept, nil
}

// putPending stores rows of distinct ids. At first it takes a task that never ran for one that has no row.
func (s *session) putPending(ctx context.Context, tx Tx, list []*encoded, guess bool) error {
	if err := s.checkKeys(ctx, tx, list); err != nil {
		return err
	}
	var fresh, replacing [][]any
	byOwner := map[string][]ID{}
	for _, e := range list {
		owner := e.record.Owner
		row := e.pendingRow(optional(owner), nil)
		if guess && e.record.Attempts == 0 {
			fresh = append(fresh, row)
		} else {
			replacing = append(replacing, row)
		}
		byOwner[owner] = append(byOwner[owner], e.id)
		s.seen(owner)
	}
	s.insert(ctx, tx, pendingTable, Conflict{}, fresh...)
	replaced := s.insert(ctx, tx, pendingTable, replacePending(), replacing...)
	for owner, ids := range byOwner {
		if err := s.checkFinished(ctx, tx, owner, ids); err != nil {
			return err
		}
	}
	if len(replacing) > 0 && (!s.dialect.CountsReplaced() || replaced() != int64(len(replacing))) {
		for owner, ids := range byOwner {
			if err := s.checkHeld(ctx, tx, owner, ids); err != nil {
				return err
			}
		}
	}
	if len(byOwner[""]) > 0 {
		s.notify(ctx, tx)
	}
	return nil
}

// checkFinished fails when a task is finished. It is a statement of its own, after the rows were written: whoever finished the task
// meanwhile was waited for, and is seen.
func (s *session) checkFinished(ctx context.Context, tx Tx, owner string, ids []ID) error {
	return s.refuse(ctx, tx, "SELECT id FROM {history}", Fragment{}, owner, ids, "it is finished")
}

// checkHeld fails when a row has not become the owner's.
func (s *session) checkHeld(ctx context.Context, tx Tx, owner string, ids []ID) error {
	others := Fragment{SQL: "owner IS NOT NULL"}
	if owner != "" {
		others = Fragment{"(owner IS NULL OR owner <> ?)", []any{owner}}
	}
	return s.refuse(ctx, tx, "SELECT id FROM {pending}", others, owner, ids, "another instance holds it")
}

// refuse fails when the statement finds one of the ids.
func (s *session) refuse(ctx context.Context, tx Tx, sql string, condition Fragment, owner string, ids []ID, why string) error {
	return chunks(ids, func(part []ID) error {
		among := where(s.dialect.In("id", part), condition)
		return s.queryTx(ctx, tx, sql+among.SQL, among.Args, func(row Row) error {
			var id ID
			if err := row.Scan(&id); err != nil {
				return err
			}
			return fmt.Errorf("%w: record %s of %q: %s", taskflow.ErrLeaseLost, id, owner, why)
		})
	})
}

// SavePending implements [taskflow.Backend]. The rows that this opened handle stored before are replaced, unless somebody
// has claimed them since. A row whose owner is neither that of the record nor one that this handle has seen, in Join, Claim
// or PutPending, belongs to another instance: it stays as it is, and does not count as written; nor does a record of a
// finished task.
func (s *Store) SavePending(ctx context.Context, records []taskflow.Record) (written int, err error) {
	list, err := encodeAll(records)
	if err != nil {
		return 0, s.wrap(ctx, "save pending", err)
	}
	err = s.write(ctx, "save pending", func(o *session, tx Tx) error {
		written = 0
		o.later(ctx, tx, "DELETE FROM {pending} WHERE owner IS NULL AND session = ?", o.id)
		err := chunks(list, func(part []*encoded) error {
			n, err := o.savePending(ctx, tx, part)
			written += n
			return err
		})
		if err == nil && written > 0 {
			o.notify(ctx, tx)
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return written, nil
}

func (s *session) savePending(ctx context.Context, tx Tx, list []*encoded) (written int, err error) {
	ids := make([]ID, len(list))
	for i, u := range list {
		ids[i] = u.id
	}
	among := s.dialect.In("id", ids)
	byID := where(among)
	holders := map[ID]string{}
	err = s.queryTx(ctx, tx, "SELECT id, owner FROM {pending}"+byID.SQL+" ORDER BY id FOR UPDATE", byID.Args, func(row Row) error {
		var id ID
		var owner *string
		err := row.Scan(&id, &owner)
		holders[id] = text(owner)
		return err
	})
	if err != nil {
		return 0, err
	}
	done := map[ID]bool{}
	err = s.queryTx(ctx, tx, "SELECT id FROM {history}"+byID.SQL, byID.Args, func(row Row) error {
		var id ID
		err := row.Scan(&id)
		done[id] = true
		return err
	})
	if err != nil {
		return 0, err
	}
	rows := map[ID][]any{}
	for _, u := range list {
		holder := holders[u.id]
		if done[u.id] || holder != "" && holder != u.record.Owner && !s.ours(holder) {
			continue
		}
		rows[u.id] = u.pendingRow(nil, s.id)
		written++
	}
	var (
		remove []ID
		insert [][]any
	)
	for _, u := range list { // in the order of the list, and each id once
		if row, ok := rows[u.id]; ok {
			remove, insert = append(remove, u.id), append(insert, row)
			delete(rows, u.id)
		}
	}
	if len(remove) > 0 {
		gone := where(s.dialect.In("id", remove))
		s.later(ctx, tx, "DELETE FROM {pending}"+gone.SQL, gone.Args...)
		s.insert(ctx, tx, pendingTable, Conflict{}, insert...)
	}
	return written, nil
}

// ClearPending implements [taskflow.Backend].
func (s *Store) ClearPending(ctx context.Context) error {
	return s.write(ctx, "clear pending", func(o *session, tx Tx) error {
		_, err := o.exec(ctx, tx, "DELETE FROM {pending}")
		return err
	})
}
