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
		err := s.write(ctx, "delete", func(o *session, tx Tx) error {
			old, err := o.lockFinished(ctx, tx, Fragment{" WHERE id < ?", []any{limit}}, fmt.Sprintf(" LIMIT %d", deleteChunk))
			if err != nil {
				return err
			}
			sum := totals{}
			for _, r := range old {
				sum.add(r.total, r.took, -1)
			}
			if n = len(old); n > 0 {
				o.remove(ctx, tx, slices.Collect(maps.Keys(old)), historyTable, detailTable, tagTable)
				o.storeTotals(ctx, tx, sum)
			}
			return nil
		})
		if err != nil {
			return deleted, err
		}
		if deleted += n; n < deleteChunk {
			return deleted, nil
		}
	}
}
