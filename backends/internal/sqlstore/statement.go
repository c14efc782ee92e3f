package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Attempts of a transaction that another one is in the way of, and the longest wait before the second.
const (
	maxAttempts = 12
	firstPause  = 2 * time.Millisecond
	lastPause   = 200 * time.Millisecond
)

// transaction calls f in a transaction, again when another one was in the way: f begins anew each time. The first time it may
// guess.
func (s *session) transaction(ctx context.Context, f func(o *session, tx Tx, first bool) error) error {
	pause := firstPause
	for attempt := 1; ; attempt++ {
		err := s.db.Transaction(ctx, func(tx Tx) error { return f(s, tx, attempt == 1) })
		if err == nil || attempt == maxAttempts || !s.inTheWay(err) {
			return err
		}
		timer := time.NewTimer(rand.N(pause))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("%w (%w)", ctx.Err(), err)
		}
		pause = min(2*pause, lastPause)
	}
}

func (s *session) inTheWay(err error) bool {
	if errors.Is(err, errAgain) {
		return true
	}
	k := s.dialect.Kind(err)
	return k == KindRetry || k == KindDuplicate
}

// query reads outside of a transaction.
func (s *session) query(ctx context.Context, sql string, args []any, each func(Row) error) error {
	return s.db.Query(ctx, s.dialect.Statement(sql), args, each)
}

// find reads along indexes.
func (s *session) find(ctx context.Context, f Fragment, each func(Row) error) error {
	return s.db.Search(ctx, s.dialect.Statement(f.SQL), f.Args, each)
}

// queryTx reads in a transaction.
func (s *session) queryTx(ctx context.Context, tx Tx, sql string, args []any, each func(Row) error) error {
	return tx.Query(ctx, s.dialect.Statement(sql), args, each)
}

func (s *session) exec(ctx context.Context, tx Tx, sql string, args ...any) (changed int64, err error) {
	return tx.Exec(ctx, s.dialect.Statement(sql), args...)
}

func (s *session) later(ctx context.Context, tx Tx, sql string, args ...any) {
	tx.Later(ctx, s.dialect.Statement(sql), args...)
}

// insert inserts rows of a table. After the next call, changed returns how many rows were changed.
func (s *session) insert(ctx context.Context, tx Tx, t *Table, c Conflict, rows ...[]any) (changed func() int64) {
	var counts []*int64
	if len(rows) > 0 {
		for _, f := range s.dialect.Insert(t, c, rows) {
			counts = append(counts, tx.Later(ctx, f.SQL, f.Args...))
		}
	}
	return func() (sum int64) {
		for _, n := range counts {
			sum += *n
		}
		return sum
	}
}

// notify wakes the listeners of all instances once the transaction is committed.
func (s *session) notify(ctx context.Context, tx Tx) {
	if sql := s.dialect.Notify(); sql != "" {
		tx.Later(ctx, sql)
	}
}

// listSize is how many ids one statement names at most.
const listSize = 1000

// chunks calls f with at most listSize of the list at a time.
func chunks[T any](list []T, f func(part []T) error) error {
	for len(list) > 0 {
		n := min(len(list), listSize)
		if err := f(list[:n]); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

// all joins conditions that must all hold.
func all(conditions ...Fragment) Fragment {
	var f Fragment
	for _, c := range conditions {
		if c.SQL == "" {
			continue
		}
		if f.SQL != "" {
			f.SQL += " AND "
		}
		f.SQL += c.SQL
		f.Args = append(f.Args, c.Args...)
	}
	return f
}

// where is all as the end of a statement.
func where(conditions ...Fragment) Fragment {
	f := all(conditions...)
	if f.SQL != "" {
		f.SQL = " WHERE " + f.SQL
	}
	return f
}
