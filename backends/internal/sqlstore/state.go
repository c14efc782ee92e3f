package sqlstore

import (
	"context"
	"fmt"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// PutState implements [taskflow.StateStore].
func (s *Store) PutState(ctx context.Context, name string, value []byte) error {
	if err := taskflow.CheckState(name, value); err != nil {
		return s.wrap(ctx, "put state", err)
	}
	return s.write(ctx, "put state", func(o *session, tx Tx) error {
		o.insert(ctx, tx, stateTable, Conflict{Key: []string{"name"}, Set: []string{"value"}}, []any{[]byte(name), filled(value)})
		return nil
	})
}

// filled is never nil, which would be NULL.
func filled(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// State implements [taskflow.StateStore].
func (s *Store) State(ctx context.Context, name string) (value []byte, err error) {
	err = s.read(ctx, "state", func(o *session) error {
		found := false
		err := o.query(ctx, "SELECT value FROM {state} WHERE name = ?", []any{[]byte(name)}, func(row Row) error {
			found = true
			return row.Scan(&value)
		})
		if err == nil && !found {
			err = fmt.Errorf("%w: no state %.100q", taskflow.ErrNotFound, name)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return filled(value), nil
}

// States implements [taskflow.StateStore].
func (s *Store) States(ctx context.Context, prefix string) (map[string][]byte, error) {
	found := map[string][]byte{}
	err := s.read(ctx, "states", func(o *session) error {
		condition := Fragment{SQL: "name >= ?", Args: []any{[]byte(prefix)}}
		if end := after([]byte(prefix)); end != nil {
			condition = all(condition, Fragment{SQL: "name < ?", Args: []any{end}})
		}
		return o.query(ctx, "SELECT name, value FROM {state} WHERE "+condition.SQL, condition.Args, func(row Row) error {
			var name, value []byte
			err := row.Scan(&name, &value)
			found[string(name)] = filled(value)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// after is the smallest name that comes after all with the prefix; nil: there is none.
func after(prefix []byte) []byte {
	end := append([]byte{}, prefix...)
	for len(end) > 0 {
		if last := len(end) - 1; end[last] < 0xff {
			end[last]++
			return end
		}
		end = end[:len(end)-1]
	}
	return nil
}

// DeleteState implements [taskflow.StateStore].
func (s *Store) DeleteState(ctx context.Context, name string) error {
	return s.write(ctx, "delete state", func(o *session, tx Tx) error {
		_, err := o.exec(ctx, tx, "DELETE FROM {state} WHERE name = ?", []byte(name))
		return err
	})
}
