package sqlstore

import (
	"context"
	"math"
	"time"
)

// TakeSlot implements [taskflow.SlotStore].
func (s *Store) TakeSlot(ctx context.Context, schedule string, slot time.Time) (taken bool, err error) {
	if err := checkName("schedule", schedule); err != nil {
		return false, s.wrap(ctx, "take slot", err)
	}
	err = s.write(ctx, "take slot", func(o *session, tx Tx) error {
		name, at := []byte(schedule), slot.UnixMicro()
		o.insert(ctx, tx, slotTable, Conflict{Key: []string{"schedule"}}, []any{name, int64(math.MinInt64)})
		n, err := o.exec(ctx, tx, "UPDATE {slot} SET slot = ? WHERE schedule = ? AND slot < ?", at, name, at)
		taken = n == 1
		return err
	})
	return taken && err == nil, err
}
