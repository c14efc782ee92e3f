package sqlstore

import (
	"context"
	"fmt"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// Load implements [taskflow.Backend]. It holds the whole history in memory: Query does not.
func (s *Store) Load(ctx context.Context) ([]taskflow.Record, error) {
	return s.load(ctx, "load", historyTable, fullHistory)
}

// LoadPending implements [taskflow.Backend]. Rows that other instances hold are among them: Claim tells.
func (s *Store) LoadPending(ctx context.Context) ([]taskflow.Record, error) {
	return s.load(ctx, "load pending", pendingTable, fullPending)
}

func (s *Store) load(ctx context.Context, operation string, t *Table, sql string) (all []taskflow.Record, err error) {
	err = s.read(ctx, operation, func(o *session) error {
		return o.query(ctx, sql+" ORDER BY h.id", nil, func(row Row) error {
			r, id, damage, err := scanRecord(row, true)
			switch {
			case err != nil:
				return err
			case damage != nil:
				s.skipped(t.Name, id.String(), damage)
			default:
				all = append(all, r)
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// Get implements [taskflow.Querier].
func (s *Store) Get(ctx context.Context, id string) (taskflow.Record, error) {
	return s.get(ctx, "get", fullHistory, id)
}

// GetPending implements [taskflow.PendingQuerier].
func (s *Store) GetPending(ctx context.Context, id string) (taskflow.Record, error) {
	return s.get(ctx, "get pending", fullPending, id)
}

func (s *Store) get(ctx context.Context, operation, sql, id string) (found taskflow.Record, err error) {
	err = s.read(ctx, operation, func(o *session) error {
		key, err := parseID(id)
		if err != nil {
			return fmt.Errorf("%w: %w", taskflow.ErrNotFound, err)
		}
		rowErr := fmt.Errorf("%w: %s", taskflow.ErrNotFound, id)
		err = o.query(ctx, sql+" WHERE h.id = ?", []any{key}, func(row Row) error {
			r, _, damage, err := scanRecord(row, true)
			found, rowErr = r, nil
			if damage != nil {
				found, rowErr = taskflow.Record{}, fmt.Errorf("%w: %s: %w", ErrCorrupt, id, damage)
			}
			return err
		})
		if err != nil {
			return err
		}
		return rowErr
	})
	if err != nil {
		return taskflow.Record{}, err
	}
	return found, nil
}
