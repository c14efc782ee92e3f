package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// Join implements [taskflow.InstanceStore].
func (s *Store) Join(ctx context.Context, i taskflow.Instance, ttl time.Duration) error {
	info, err := encodeInstance(i, ttl)
	if err != nil {
		return s.wrap(ctx, "join", err)
	}
	return s.write(ctx, "join", func(o *session, tx Tx) error {
		o.seen(i.ID)
		o.insert(ctx, tx, instanceTable, Conflict{Key: []string{"id"}, Set: []string{"info"}}, []any{i.ID, int64(0), int64(0), info})
		return o.lease(ctx, tx, i.ID, info, ttl)
	})
}

// Renew implements [taskflow.InstanceStore].
func (s *Store) Renew(ctx context.Context, i taskflow.Instance, ttl time.Duration) error {
	info, err := encodeInstance(i, ttl)
	if err != nil {
		return s.wrap(ctx, "renew", err)
	}
	return s.write(ctx, "renew", func(o *session, tx Tx) error { return o.lease(ctx, tx, i.ID, info, ttl) })
}

func encodeInstance(i taskflow.Instance, ttl time.Duration) ([]byte, error) {
	if err := checkOwner(i.ID); err != nil {
		return nil, err
	}
	if ttl < time.Millisecond {
		return nil, fmt.Errorf("%w: a lease of %v: at least 1ms", taskflow.ErrInvalidOption, ttl)
	}
	return json.Marshal(i)
}

// lease writes what an instance says of itself and lets its lease end ttl from now. The row is locked first, so that the time
// is that of the moment, not of when we began to wait.
func (s *session) lease(ctx context.Context, tx Tx, id string, info []byte, ttl time.Duration) error {
	joined := false
	err := s.queryTx(ctx, tx, "SELECT id FROM {instance} WHERE id = ? FOR UPDATE", []any{id}, func(row Row) error {
		joined = true
		var same string
		return row.Scan(&same)
	})
	if err != nil {
		return err
	}
	if !joined {
		return fmt.Errorf("%w: instance %q is not among the instances", taskflow.ErrLeaseLost, id)
	}
	// the clock is asked once: the lease is exactly as long as it is to be
	s.later(ctx, tx, "UPDATE {instance} SET seen_at = {now}, info = ? WHERE id = ?", info, id)
	s.later(ctx, tx, "UPDATE {instance} SET expires_at = seen_at + ? WHERE id = ?", ttl.Nanoseconds(), id)
	return nil
}

// Leave implements [taskflow.InstanceStore].
func (s *Store) Leave(ctx context.Context, id string) error {
	return s.write(ctx, "leave", func(o *session, tx Tx) error {
		if checkOwner(id) != nil {
			return nil // nobody has such an id
		}
		gone, err := o.exec(ctx, tx, "DELETE FROM {instance} WHERE id = ?", id)
		if err != nil || gone == 0 {
			return err
		}
		freed, err := o.exec(ctx, tx, "UPDATE {pending} SET owner = NULL WHERE owner = ?", id)
		if err == nil && freed > 0 {
			o.notify(ctx, tx)
		}
		return err
	})
}

// Expire implements [taskflow.InstanceStore].
func (s *Store) Expire(ctx context.Context) ([]string, error) {
	var gone []string
	err := s.write(ctx, "expire", func(o *session, tx Tx) (err error) {
		gone, err = o.strings(ctx, tx, "SELECT id FROM {instance} WHERE expires_at <= {now} ORDER BY id FOR UPDATE")
		if err != nil {
			return err
		}
		if len(gone) > 0 {
			among := where(o.dialect.In("id", gone))
			o.later(ctx, tx, "DELETE FROM {instance}"+among.SQL, among.Args...)
		}
		return o.freeOrphans(ctx, tx)
	})
	if err != nil {
		return nil, err
	}
	return gone, nil
}

// freeOrphans frees the rows whose owner is not among the instances. It reads a row or two for each owner, not all rows.
func (s *session) freeOrphans(ctx context.Context, tx Tx) error {
	const sql = "SELECT o.owner FROM {owners} o WHERE NOT EXISTS (SELECT 1 FROM {instance} i WHERE i.id = o.owner)"
	orphaned, err := s.strings(ctx, tx, sql)
	if err != nil || len(orphaned) == 0 {
		return err
	}
	// asked once more: it may have joined since
	condition := where(s.dialect.In("owner", orphaned), Fragment{SQL: "NOT EXISTS (SELECT 1 FROM {instance} i WHERE i.id = {pending}.owner)"})
	freed, err := s.exec(ctx, tx, "UPDATE {pending} SET owner = NULL"+condition.SQL, condition.Args...)
	if err == nil && freed > 0 {
		s.notify(ctx, tx)
	}
	return err
}

// strings returns the one column of the answer.
func (s *session) strings(ctx context.Context, tx Tx, sql string, args ...any) (list []string, err error) {
	err = s.queryTx(ctx, tx, sql, args, func(row Row) error {
		var v string
		err := row.Scan(&v)
		list = append(list, v)
		return err
	})
	return list, err
}

// Instances implements [taskflow.InstanceStore].
func (s *Store) Instances(ctx context.Context) ([]taskflow.Instance, error) {
	var all []taskflow.Instance
	err := s.read(ctx, "instances", func(o *session) error {
		return o.query(ctx, "SELECT id, seen_at, expires_at, info FROM {instance} ORDER BY id", nil, func(row Row) error {
			var (
				id            string
				seen, expires int64
				info          []byte
				i             taskflow.Instance
			)
			if err := row.Scan(&id, &seen, &expires, &info); err != nil {
				return err
			}
			if err := json.Unmarshal(info, &i); err != nil { // it is alive all the same
				s.skipped(instanceTable.Name, id, err)
				i = taskflow.Instance{}
			}
			i.ID, i.SeenAt, i.ExpiresAt = id, timeOf(&seen), timeOf(&expires)
			i.StartedAt, i.DegradedSince = i.StartedAt.UTC(), i.DegradedSince.UTC()
			all = append(all, i)
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}
