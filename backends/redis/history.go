package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// What one step of Save stores at most: the server does nothing else meanwhile, some milliseconds.
const (
	maxSaved      = 500
	maxSavedBytes = 8 << 20
)

// Save implements [taskflow.Backend]. Up to 500 records are stored in one step, all or none; more, or large ones, in several.
func (b *Backend) Save(ctx context.Context, records []taskflow.Record) (written int, err error) {
	err = b.use(ctx, "save", func(c *connection) error {
		rows, err := encodeFinished(records)
		for err == nil && len(rows) > 0 {
			n := batch(records, rows)
			var stored int
			stored, err = c.save(ctx, records[:n], rows[:n])
			written += stored
			records, rows = records[n:], rows[n:]
		}
		return err
	})
	return written, err
}

// encodeFinished encodes all before the first is stored: a record that cannot be stored is an error of the whole call.
func encodeFinished(records []taskflow.Record) ([]encoded, error) {
	rows := make([]encoded, len(records))
	var e encoder
	var err error
	for i := range records {
		if rows[i], err = e.finished(&records[i]); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// batch returns how many of the records are to be stored together: no id twice, so that the later one replaces the earlier one.
func batch(records []taskflow.Record, rows []encoded) int {
	seen := make(map[string]bool, min(len(rows), maxSaved))
	size := 0
	for i := range rows {
		size += len(rows[i].row) + len(rows[i].detail)
		if i > 0 && (i == maxSaved || size > maxSavedBytes || seen[records[i].ID]) {
			return i
		}
		seen[records[i].ID] = true
	}
	return len(rows)
}

// save stores some records in one step, without those that another instance holds.
func (c *connection) save(ctx context.Context, records []taskflow.Record, rows []encoded) (int, error) {
	for len(rows) > 0 {
		reply, err := c.run(ctx, scriptSave, saveArgs(records, rows)...)
		if err != nil {
			return 0, err
		}
		refused := list(reply)
		if len(refused) == 0 {
			return len(rows), nil
		}
		// seldom: a lease was lost meanwhile
		records, rows = without(records, refused), without(rows, refused)
	}
	return 0, nil
}

// without returns the list without the elements at some ordinals, which count from 1.
func without[T any](all []T, ordinals []any) []T {
	left := make(map[int64]bool, len(ordinals))
	for _, o := range ordinals {
		left[number(o)] = true
	}
	var kept []T
	for i := range all {
		if !left[int64(i+1)] {
			kept = append(kept, all[i])
		}
	}
	return kept
}

// saveArgs are the arguments of save.lua.
func saveArgs(records []taskflow.Record, rows []encoded) []any {
	n := len(records)
	args := make([]any, 0, 2*n+64)
	args = append(args, n)
	owners, indexes, totals, details := groups{}, groups{}, map[string]int64{}, []any{}
	for i := range records {
		r := &records[i]
		args = append(args, r.ID, rows[i].row)
		if r.Owner != "" {
			owners.add(group{ownerOf, "", r.Owner}, i)
		}
		if rows[i].detail != nil {
			details = append(details, r.ID, rows[i].detail)
		}
		indexes.record(r, i)
		totals["status:"+string(r.Status)]++
		if bucket, micros, ok := measured(r); ok {
			totals[bucketField(bucket)]++
			totals["micros"] += micros
		}
	}
	args = owners.append(args, n)
	args = append(append(args, len(details)/2), details...)
	args = indexes.append(args, n)
	args = append(args, len(totals))
	for field, delta := range totals {
		args = append(args, field, delta)
	}
	return args
}

// Load implements [taskflow.Backend]. It holds the whole history in memory: Query does not.
func (b *Backend) Load(ctx context.Context) (all []taskflow.Record, err error) {
	err = b.use(ctx, "load", func(c *connection) error {
		w := walk{store: historyStore(), keys: []string{historyStore().ids}, full: true, low: "-", high: "+"}
		for w.high != "" {
			// few at a time: each may have 1 MB of arguments
			if err := b.step(ctx, c, &w, 200, 200, func(r *taskflow.Record) { all = append(all, *r) }); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// Get implements [taskflow.Querier].
func (b *Backend) Get(ctx context.Context, id string) (taskflow.Record, error) {
	return b.get(ctx, "get", historyStore(), id)
}

// GetPending implements [taskflow.PendingQuerier].
func (b *Backend) GetPending(ctx context.Context, id string) (taskflow.Record, error) {
	return b.get(ctx, "get pending", pendingStore(), id)
}

func (b *Backend) get(ctx context.Context, operation string, s store, id string) (found taskflow.Record, err error) {
	err = b.use(ctx, operation, func(c *connection) error {
		reply, err := c.run(ctx, scriptGet, s.rows, s.details, id)
		if err != nil {
			return err
		}
		both := list(reply)
		if len(both) < 2 || both[0] == nil {
			return fmt.Errorf("%w: %.100q", taskflow.ErrNotFound, id)
		}
		found, err = s.decode(id, text(both[0]), text(both[1]), true)
		if err != nil && !errors.Is(err, taskflow.ErrNewerFormat) {
			err = fmt.Errorf("%w: %s: %w", ErrCorrupt, id, err)
		}
		return err
	})
	if err != nil {
		return taskflow.Record{}, err
	}
	return found, nil
}

// maxDeleted is how many records one step of DeleteBefore deletes.
const maxDeleted = 500

// DeleteBefore implements [taskflow.Deleter]. It deletes in steps of 500: what a call that fails has deleted stays deleted, and is counted.
func (b *Backend) DeleteBefore(ctx context.Context, t time.Time) (deleted int, err error) {
	err = b.use(ctx, "delete", func(c *connection) error {
		lowest, highest := taskflow.IDBounds(t)
		// ids have a coarser clock than records: those of the same tick are looked at
		extra := []any{}
		w := walk{store: historyStore(), keys: []string{historyStore().ids}, low: "[" + lowest, high: "[" + highest}
		for w.high != "" {
			err := b.step(ctx, c, &w, maxDeleted, maxDeleted, func(r *taskflow.Record) {
				if r.CreatedAt.Before(t) {
					extra = append(extra, r.ID)
				}
			})
			if err != nil {
				return err
			}
		}
		for {
			some := extra[:min(len(extra), maxDeleted)]
			extra = extra[len(some):]
			found, gone, err := c.delete(ctx, "("+lowest, maxDeleted, some)
			if err != nil {
				return err
			}
			if deleted += gone; found < maxDeleted && len(extra) == 0 {
				return nil
			}
		}
	})
	return deleted, err
}

// Delete implements [taskflow.RecordDeleter]. It deletes in steps of 500: what a call that fails has deleted stays deleted, and is counted.
func (b *Backend) Delete(ctx context.Context, ids []string) (deleted int, err error) {
	err = b.use(ctx, "delete", func(c *connection) error {
		known := slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(ids))), func(id string) bool { return !taskflow.ValidID(id) })
		for chunk := range slices.Chunk(known, maxDeleted) {
			some := make([]any, len(chunk))
			for i, id := range chunk {
				some[i] = id
			}
			_, gone, err := c.delete(ctx, "-", 0, some) // nothing but these
			if err != nil {
				return err
			}
			deleted += gone
		}
		return nil
	})
	return deleted, err
}

// delete deletes the records of some ids, and at most so many of those below an end; it returns how many it found there, and how many are gone in all.
func (c *connection) delete(ctx context.Context, end string, most int, ids []any) (found, gone int, err error) {
	reply, err := c.run(ctx, scriptDelete, append([]any{end, most}, ids...)...)
	if err != nil {
		return 0, 0, err
	}
	counts := list(reply)
	if len(counts) != 2 {
		return 0, 0, fmt.Errorf("the server answered %v", reply)
	}
	return int(number(counts[0])), int(number(counts[1])), nil
}
