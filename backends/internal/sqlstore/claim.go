package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"strings"

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

// claim goes on until the limit is reached or nothing is left: rows that cannot be read do not count. Who claims very many comes again and
// again: it begins behind the last row of the Claim before, because the index has still all that were free there, and a walk over those takes
// longer each time. When it comes to the end it looks at the beginning, too.
func (s *session) claim(ctx context.Context, tx Tx, owner string, names []string, limit int) ([]taskflow.Record, error) {
	var (
		claimed []taskflow.Record
		ids     []ID
	)
	named := s.dialect.In("h.name", names)
	begin := s.takeMark()
	after, upto := begin, highestID
	for len(claimed) < limit {
		most := min(limit-len(claimed), listSize)
		free := Fragment{"h.owner IS NULL AND h.id > ? AND h.id <= ? AND h.format <= ?", []any{after, upto, int64(taskflow.RecordFormat)}}
		condition := where(free, named)
		sql := fmt.Sprintf("%s{by owner}%s ORDER BY {free order} LIMIT %d FOR UPDATE SKIP LOCKED", fullPending, condition.SQL, most)
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
		if read < most {
			if upto == begin || begin == lowestID {
				break
			}
			after, upto = lowestID, begin // what is left is before where it began
		}
	}
	if len(claimed) == limit {
		s.leaveMark(after)
	}
	if upto != highestID {
		slices.SortFunc(claimed, func(a, b taskflow.Record) int { return strings.Compare(a.ID, b.ID) })
	}
	return claimed, chunks(ids, func(part []ID) error {
		among := where(s.dialect.In("id", part))
		s.later(ctx, tx, "UPDATE {pending} SET owner = ?, session = NULL"+among.SQL, append([]any{owner}, among.Args...)...)
		return nil
	})
}

// takeMark returns where a Claim begins, and lets the next one begin at the beginning.
func (s *session) takeMark() ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	mark := s.mark
	s.mark = lowestID
	return mark
}

// leaveMark says where the next Claim is to begin.
func (s *session) leaveMark(id ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mark = id
}
