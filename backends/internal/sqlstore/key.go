package sqlstore

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// pruneEvery is how many reservations, or messages, of a handle there are between two deletions of old ones.
const pruneEvery = 100

// ReserveKey implements [taskflow.KeyStore].
func (s *Store) ReserveKey(ctx context.Context, r taskflow.Reservation) (holder string, err error) {
	task, err := checkReservation(r)
	if err != nil {
		return "", s.wrap(ctx, "reserve key", err)
	}
	prune := false
	err = s.write(ctx, "reserve key", func(o *session, tx Tx) error {
		prune = o.every(pruneEvery, "key")
		got, err := o.reserve(ctx, tx, r, task)
		holder = got.String()
		return err
	})
	if err != nil {
		return "", err
	}
	if prune {
		// a transaction of its own: what others reserve at the same moment must not wait for it, and the key is reserved
		if err := s.write(ctx, "prune keys", func(o *session, tx Tx) error { return o.pruneKeys(ctx, tx) }); err != nil {
			s.cfg.Log.Warn("taskflow: old idempotency keys could not be deleted", slog.Any("error", err))
		}
	}
	return holder, nil
}

func checkReservation(r taskflow.Reservation) (task ID, err error) {
	switch {
	case r.Key == "" || len(r.Key) > taskflow.MaxKeyBytes:
		return task, fmt.Errorf("%w: an idempotency key has from 1 to %d bytes, not %d", taskflow.ErrInvalidOption, taskflow.MaxKeyBytes, len(r.Key))
	case r.Retention < time.Millisecond:
		return task, fmt.Errorf("%w: a retention of %v: at least 1ms", taskflow.ErrInvalidOption, r.Retention)
	case r.Owner != "":
		if err := checkOwner(r.Owner); err != nil {
			return task, err
		}
	}
	if task, err = parseID(r.TaskID); err != nil {
		return task, fmt.Errorf("%w: %w", taskflow.ErrInvalidOption, err)
	}
	return task, nil
}

// reserve takes the key if it is free, and returns the task that has it.
func (s *session) reserve(ctx context.Context, tx Tx, r taskflow.Reservation, task ID) (holder ID, err error) {
	name := []byte(r.Key)
	const until = int64(0) // over, until it is set below
	s.insert(ctx, tx, keyTable, Conflict{Key: []string{"name"}}, []any{name, task, r.Owner, until})
	// The lock comes before the question: whoever stores a task with this key was waited for, and the row is seen.
	s.later(ctx, tx, "SELECT name FROM {key} WHERE name = ? FOR UPDATE", name)
	const sql = `SELECT k.task_id, k.expires_at > {now} AND (
		EXISTS (SELECT 1 FROM {pending} p WHERE p.id = k.task_id) OR EXISTS (SELECT 1 FROM {history} h WHERE h.id = k.task_id AND h.status = ?)
		OR EXISTS (SELECT 1 FROM {instance} i WHERE i.id = k.owner) AND NOT EXISTS (SELECT 1 FROM {history} h WHERE h.id = k.task_id))
		FROM {key} k WHERE k.name = ? FOR UPDATE`
	taken, found := false, false
	err = s.queryTx(ctx, tx, sql, []any{string(taskflow.StatusSuccess), name}, func(row Row) error {
		found = true
		return row.Scan(&holder, &taken)
	})
	switch {
	case err != nil:
		return holder, err
	case !found: // released since the first statement
		return holder, errAgain
	case taken && holder != task:
		return holder, nil
	}
	s.later(ctx, tx, "UPDATE {key} SET task_id = ?, owner = ?, expires_at = {now} + ? WHERE name = ?", task, r.Owner, r.Retention.Nanoseconds(), name)
	return task, nil
}

// checkKeys fails when another task has been given the key of one that has no row yet. It locks the keys that are as they should be, so that
// nobody gives them away before the rows are there.
func (s *session) checkKeys(ctx context.Context, tx Tx, list []*encoded) error {
	var keyed []*encoded
	for _, e := range list {
		if e.record.Key != "" {
			keyed = append(keyed, e)
		}
	}
	return chunks(keyed, func(part []*encoded) error {
		names := make([][]byte, len(part))
		tasks := make(map[string][]ID, len(part))
		for i, e := range part {
			names[i] = []byte(e.record.Key)
			tasks[e.record.Key] = append(tasks[e.record.Key], e.id)
		}
		var lost []ID
		among := where(s.dialect.In("name", names))
		err := s.queryTx(ctx, tx, "SELECT name, task_id FROM {key}"+among.SQL+" ORDER BY name FOR UPDATE", among.Args, func(row Row) error {
			var name []byte
			var holder ID
			if err := row.Scan(&name, &holder); err != nil {
				return err
			}
			for _, id := range tasks[string(name)] {
				if id != holder {
					lost = append(lost, id)
				}
			}
			return nil
		})
		if err != nil || len(lost) == 0 {
			return err
		}
		stored := map[ID]bool{}
		rows := where(s.dialect.In("id", lost))
		err = s.queryTx(ctx, tx, "SELECT id FROM {pending}"+rows.SQL, rows.Args, func(row Row) error {
			var id ID
			err := row.Scan(&id)
			stored[id] = true
			return err
		})
		for _, id := range lost {
			if err == nil && !stored[id] {
				err = fmt.Errorf("%w: the key of %s has been given to another task", taskflow.ErrLeaseLost, id)
			}
		}
		return err
	})
}

// pruneKeys deletes some keys whose retention is over: as many as can have been added since it did so last, and more.
func (s *session) pruneKeys(ctx context.Context, tx Tx) error {
	var names [][]byte
	sql := fmt.Sprintf("SELECT name FROM {key} WHERE expires_at <= {now} ORDER BY expires_at LIMIT %d FOR UPDATE SKIP LOCKED", 10*pruneEvery)
	err := s.queryTx(ctx, tx, sql, nil, func(row Row) error {
		var name []byte
		err := row.Scan(&name)
		names = append(names, name)
		return err
	})
	if err != nil || len(names) == 0 {
		return err
	}
	among := where(s.dialect.In("name", names))
	s.later(ctx, tx, "DELETE FROM {key}"+among.SQL, among.Args...)
	return nil
}

// ReleaseKey implements [taskflow.KeyStore].
func (s *Store) ReleaseKey(ctx context.Context, key, taskID string) error {
	return s.write(ctx, "release key", func(o *session, tx Tx) error {
		task, err := parseID(taskID)
		if err != nil {
			return nil //nolint:nilerr // no task has such an id, and so no key
		}
		_, err = o.exec(ctx, tx, "DELETE FROM {key} WHERE name = ? AND task_id = ?", []byte(key), task)
		return err
	})
}

// ReleaseKeys implements [taskflow.KeyReleaser].
func (s *Store) ReleaseKeys(ctx context.Context, held []taskflow.Reservation) error {
	names := make([][]byte, 0, len(held))
	tasks := make(map[string][]ID, len(held))
	for _, r := range held {
		if task, err := parseID(r.TaskID); err == nil { // no other task has a key
			names, tasks[r.Key] = append(names, []byte(r.Key)), append(tasks[r.Key], task)
		}
	}
	return s.write(ctx, "release keys", func(o *session, tx Tx) error {
		return chunks(names, func(part [][]byte) error { return o.releaseKeys(ctx, tx, part, tasks) })
	})
}

// releaseKeys deletes those of some keys that are held by the tasks which are said to.
func (s *session) releaseKeys(ctx context.Context, tx Tx, names [][]byte, tasks map[string][]ID) error {
	var held [][]byte
	among := where(s.dialect.In("name", names))
	err := s.queryTx(ctx, tx, "SELECT name, task_id FROM {key}"+among.SQL+" ORDER BY name FOR UPDATE", among.Args, func(row Row) error {
		var name []byte
		var holder ID
		err := row.Scan(&name, &holder)
		if err == nil && slices.Contains(tasks[string(name)], holder) {
			held = append(held, name)
		}
		return err
	})
	if err != nil || len(held) == 0 {
		return err
	}
	gone := where(s.dialect.In("name", held))
	s.later(ctx, tx, "DELETE FROM {key}"+gone.SQL, gone.Args...)
	return nil
}
