package sqlstore

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// deleteChunk is how many records one transaction deletes.
const deleteChunk = 500

// DeleteBefore implements [taskflow.Deleter]. It deletes the oldest first, in several transactions: when it fails or its
// context ends, it returns how many are gone.
func (s *Store) DeleteBefore(ctx context.Context, t time.Time) (deleted int, err error) {
	lowest, _ := taskflow.IDBounds(t)
	limit, err := parseID(lowest)
	if err != nil {
		return 0, s.wrap(ctx, "delete", err)
	}
	for {
		n := 0
		err := s.write(ctx, "delete", func(o *session, tx Tx) (err error) {
			n, err = o.deleteFinished(ctx, tx, Fragment{" WHERE id < ?", []any{limit}})
			return err
		})
		if err != nil {
			return deleted, err
		}
		if deleted += n; n < deleteChunk {
			return deleted, nil
		}
	}
}

// Delete implements [taskflow.RecordDeleter]. It deletes in transactions of up to 500 records: when it fails or its context ends, it returns how
// many are gone.
func (s *Store) Delete(ctx context.Context, ids []string) (deleted int, err error) {
	known := make([]ID, 0, len(ids))
	for _, text := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		if id, err := parseID(text); err == nil {
			known = append(known, id)
		}
	}
	for {
		chunk := known[:min(len(known), deleteChunk)]
		known = known[len(chunk):]
		n := 0
		err := s.write(ctx, "delete", func(o *session, tx Tx) (err error) {
			if n = 0; len(chunk) > 0 {
				n, err = o.deleteFinished(ctx, tx, where(o.dialect.In("id", chunk)))
			}
			return err
		})
		if err != nil {
			return deleted, err
		}
		if deleted += n; len(known) == 0 {
			return deleted, nil
		}
	}
}

// deleteFinished deletes finished records, up to a chunk of those that the condition selects, and takes them out of the totals.
func (s *session) deleteFinished(ctx context.Context, tx Tx, condition Fragment) (int, error) {
	old, err := s.lockFinished(ctx, tx, condition, fmt.Sprintf(" LIMIT %d", deleteChunk))
	if err != nil || len(old) == 0 {
		return 0, err
	}
	sum := totals{}
	for _, r := range old {
		sum.add(r.total, r.took, -1)
	}
	s.remove(ctx, tx, slices.Collect(maps.Keys(old)), historyTable, detailTable, tagTable)
	s.storeTotals(ctx, tx, sum)
	return len(old), nil
}
