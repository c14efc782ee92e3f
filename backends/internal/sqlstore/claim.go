package sqlstore

import (
	"context"
	"fmt"
	"slices"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// Claim implements [taskflow.Claimer]. Rows that another instance is claiming at the same moment are passed over, not waited for.
func (s *Store) Claim(ctx context.Context, owner string, names []string, limit int) ([]taskflow.Record, error) {
	if err := checkOwner(owner); err != nil {
		return nil, s.wrap(ctx, "claim", err)
	}
	names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !isText(n) }) // no row has such a name
	var claimed []taskflow.Record
	err := s.write(ctx, "claim", func(o *session, tx Tx) (err error) {
		claimed = nil
		if len(names) == 0 || limit < 1 {
			return nil
		}
		o.seen(owner)
		claimed, err = o.claim(ctx, tx, owner, names, limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	return claimed, nil
}

// claim goes on until the limit is reached or nothing is left: rows that cannot be read do not count.
func (s *session) claim(ctx context.Context, tx Tx, owner string, names []string, limit int) ([]taskflow.Record, error) {
	var (
		claimed []taskflow.Record
		ids     []ID
	)
	named := s.dialect.In("h.name", names)
	after := lowestID
	for more := true; more && len(claimed) < limit; {
		most := min(limit-len(claimed), listSize)
		condition := where(Fragment{"h.owner IS NULL AND h.id > ? AND h.format <= ?", []any{after, int64(taskflow.RecordFormat)}}, named)
		sql := fmt.Sprintf("%s{by owner}%s ORDER BY h.owner, h.id LIMIT %d FOR UPDATE SKIP LOCKED", fullPending, condition.SQL, most)
		read := 0
		err := s.queryTx(ctx, tx, sql, condition.Args, func(row Row) error {
			r, id, damage, err := scanRecord(row, true)
			if err != nil {
				return err
			}
			read++
			after = id
			if damage != nil {
				s.store.skipped(pendingTable.Name, id.String(), damage)
				return nil
			}
			r.Owner = owner
			claimed, ids = append(claimed, r), append(ids, id)
			return nil
		})
		if err != nil {
			return nil, err
		}
		more = read == most
	}
	return claimed, chunks(ids, func(part []ID) error {
		among := where(s.dialect.In("id", part))
		s.later(ctx, tx, "UPDATE {pending} SET owner = ?, session = NULL"+among.SQL, append([]any{owner}, among.Args...)...)
		return nil
	})
}
