package sqlstore

import (
	"context"
	"fmt"
	"slices"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// ownerColumn is where the owner is in a row of recordColumns.
var ownerColumn = len(recordColumns()) - 1

// pendingRow is the row of pendingTable.
func (e *encoded) pendingRow(owner, session any) []any {
	row := append(slices.Clone(e.row), marks(e.record.Tags), e.stack, e.logs, e.args, int64(taskflow.RecordFormat), session)
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
	if err != nil {
		return s.wrap(ctx, "put pending", err)
	}
	if len(list) == 0 {
		return s.read(ctx, "put pending", func(*session) error { return nil })
	}
	rows, byOwner, err := pendingRows(list)
	if err != nil {
		return s.wrap(ctx, "put pending", err)
	}
	return s.write(ctx, "put pending", func(o *session, tx Tx) error {
		o.insert(ctx, tx, pendingTable, replacePending(), rows...)
		for owner, ids := range byOwner {
			if err := o.checkPut(ctx, tx, owner, ids); err != nil {
				return err
			}
			o.seen(owner)
		}
		if len(byOwner[""]) > 0 {
			o.notify(ctx, tx)
		}
		return nil
	})
}

// pendingRows returns one row for each id, that of its last record, and the ids by owner.
func pendingRows(list []*encoded) (rows [][]any, byOwner map[string][]ID, err error) {
	last := make(map[ID]int, len(list))
	byOwner = map[string][]ID{}
	rows = make([][]any, 0, len(list))
	for _, e := range list {
		owner := e.record.Owner
		row := e.pendingRow(optional(owner), nil)
		at, twice := last[e.id]
		switch {
		case !twice:
			last[e.id] = len(rows)
			rows = append(rows, row)
			byOwner[owner] = append(byOwner[owner], e.id)
		case rows[at][ownerColumn] == row[ownerColumn]:
			rows[at] = row
		default:
			return nil, nil, fmt.Errorf("%w: record %s is put twice, for different owners", taskflow.ErrLeaseLost, e.record.ID)
		}
	}
	return rows, byOwner, nil
}

// checkPut fails when a row has not become the owner's, or its task is finished. It is a statement of its own, after the rows were
// written: whoever finished the task meanwhile was waited for, and is seen.
func (s *session) checkPut(ctx context.Context, tx Tx, owner string, ids []ID) error {
	holds := Fragment{SQL: "owner IS NOT NULL"}
	if owner != "" {
		holds = Fragment{"(owner IS NULL OR owner <> ?)", []any{owner}}
	}
	return chunks(ids, func(part []ID) error {
		among := s.dialect.In("id", part)
		held, done := where(among, holds), where(among)
		sql := "SELECT id, 'another instance holds it' FROM {pending}" + held.SQL + " UNION ALL SELECT id, 'it is finished' FROM {history}" + done.SQL
		return s.queryTx(ctx, tx, sql, append(held.Args, done.Args...), func(row Row) error {
			var id ID
			var why string
			if err := row.Scan(&id, &why); err != nil {
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
