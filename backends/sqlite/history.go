package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"

	taskflow "github.com/taskflow-go/taskflow/core"
)

const (
	fromHistory = ` FROM history h LEFT JOIN name n ON n.name_id = h.name_id`
	joinDetail  = ` LEFT JOIN detail d ON d.id = h.id`
)

// Save implements [taskflow.Backend]. The records are stored all or none, but for those whose task somebody else holds or has finished.
func (b *Backend) Save(ctx context.Context, records []taskflow.Record) (int, error) {
	if len(records) == 0 {
		_, err := b.opened(ctx)
		return 0, b.wrap("save", err)
	}
	written := 0
	err := b.write(ctx, "save", func(c *conn) error {
		s := saver{c: c, ctx: context.WithoutCancel(ctx), totals: totals{}}
		pending, _, err := c.number(ctx, "SELECT EXISTS (SELECT 1 FROM pending)")
		if err != nil {
			return err
		}
		for rest := records; len(rest) > 0; {
			// asked for between the statements: watching the context during each would cost more than the statement
			if err := ctx.Err(); err != nil {
				return err
			}
			n := min(len(rest), together)
			stored, err := s.saveSome(rest[:n], pending == 1)
			if err != nil {
				return err
			}
			written, rest = written+stored, rest[n:]
		}
		return s.totals.store(s.ctx, c)
	})
	if err != nil {
		return 0, err
	}
	return written, nil
}

// Load implements [taskflow.Backend]. It holds the whole history in memory: Query does not.
func (b *Backend) Load(ctx context.Context) ([]taskflow.Record, error) {
	var all []taskflow.Record
	err := b.read(ctx, "load", func(c *conn) error {
		return c.query(ctx, "SELECT "+summaryColumns+detailColumns+fromHistory+joinDetail+" ORDER BY h.id", nil, func(row []driver.Value) error {
			if r, err := decode(row, true); err != nil {
				b.skipped("history", row[0], err)
			} else {
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
func (b *Backend) Get(ctx context.Context, id string) (taskflow.Record, error) {
	var found taskflow.Record
	key, err := encodeID(id)
	if err != nil {
		return found, b.wrap("get", fmt.Errorf("%w: %w", taskflow.ErrNotFound, err))
	}
	err = b.read(ctx, "get", func(c *conn) error {
		rowErr := fmt.Errorf("%w: %s", taskflow.ErrNotFound, id)
		err := c.query(ctx, "SELECT "+summaryColumns+detailColumns+fromHistory+joinDetail+" WHERE h.id = ?", []any{key}, func(row []driver.Value) error {
			if found, rowErr = decode(row, true); rowErr != nil {
				rowErr = fmt.Errorf("%w: %s: %w", ErrCorrupt, id, rowErr)
			}
			return nil
		})
		if err != nil {
			return err
		}
		return rowErr
	})
	return found, err
}

// saver stores the records of one transaction.
type saver struct {
	c      *conn
	ctx    context.Context
	totals totals
	args   []any
}

// saveSome stores up to as many records as together says, and returns how many of them it did.
func (s *saver) saveSome(records []taskflow.Record, pending bool) (stored int, err error) {
	if len(records) == together {
		if done, err := s.saveTogether(records, pending); err != nil || done {
			return len(records), err
		}
	}
	for i := range records {
		ok, err := s.save(&records[i], pending)
		if err != nil {
			return 0, err
		}
		if ok {
			stored++
		}
	}
	return stored, nil
}

// save stores a record and removes its pending row, unless the task is another owner's. pending: there are such rows at all.
func (s *saver) save(r *taskflow.Record, pending bool) (stored bool, err error) {
	id, err := checkRecord(r)
	if err != nil {
		return false, err
	}
	held := false // by the owner of the record, or by nobody
	if pending {
		if held, err = s.takePending(id, r.Owner); err != nil {
			return false, err
		}
		if !held && r.Owner != "" {
			left, _, err := s.c.number(s.ctx, "SELECT EXISTS (SELECT 1 FROM pending WHERE id = ?)", id)
			if err != nil || left == 1 {
				return false, err
			}
		}
	}
	inserted, err := s.insert(id, r)
	if err == nil && !inserted {
		if r.Owner != "" && !held {
			another, _, err := s.c.number(s.ctx, "SELECT EXISTS (SELECT 1 FROM history WHERE id = ? AND owner <> ?)", id, r.Owner)
			if err != nil || another == 1 {
				return false, err
			}
		}
		if err = s.remove(id); err == nil {
			_, err = s.insert(id, r)
		}
	}
	if err != nil {
		return false, err
	}
	s.totals.add(r, 1)
	return true, nil
}

// takePending removes the pending row of a task unless another than this owner holds it; no owner may take any.
func (s *saver) takePending(id []byte, owner string) (taken bool, err error) {
	var n int64
	if owner == "" {
		n, _, err = s.c.exec(s.ctx, "DELETE FROM pending WHERE id = ?", id)
	} else {
		n, _, err = s.c.exec(s.ctx, "DELETE FROM pending WHERE id = ? AND (owner IS NULL OR owner = ?)", id, owner)
	}
	return n == 1, err
}

// insert stores a record unless its id is there already.
func (s *saver) insert(id []byte, r *taskflow.Record) (inserted bool, err error) {
	s.args = s.args[:0]
	if err := s.appendRow(id, r); err != nil {
		return false, err
	}
	n, _, err := s.c.exec(s.ctx, "INSERT INTO history ("+historyColumns+") VALUES "+historyValues+" ON CONFLICT (id) DO NOTHING", s.args...)
	if err != nil || n == 0 {
		return false, err
	}
	if err := s.insertSearch(id, r); err != nil {
		return false, err
	}
	return true, s.insertDetail(id, r)
}

// appendRow appends the values of a record's row to the arguments, in the order of historyColumns.
func (s *saver) appendRow(id []byte, r *taskflow.Record) error {
	name, err := s.nameID(r.Name)
	if err != nil {
		return err
	}
	tags, err := encodeJSON(r.Tags, len(r.Tags))
	if err != nil {
		return err
	}
	s.args = append(s.args, id, name, string(r.Status), r.Source, r.Pool, int64(r.Priority), flags(r),
		instant(r.CreatedAt), instant(r.RunAt), instant(r.StartTime), instant(r.EndTime),
		int64(r.Attempts), int64(r.MaxRetries), optional(r.RetryOf), optional(r.RetriedBy), optional(r.Error), int64(r.LogCount), optional(r.Owner), tags,
		optional(r.Key), int64(r.Crashes))
	return nil
}

func hasDetail(r *taskflow.Record) bool {
	return r.Stack != "" || len(r.Logs) > 0 || r.Args != nil || !r.RecordExtra.IsZero()
}

func (s *saver) insertDetail(id []byte, r *taskflow.Record) error {
	if !hasDetail(r) {
		return nil
	}
	values, err := appendDetail(nil, id, r)
	if err != nil {
		return err
	}
	return s.c.run(s.ctx, "INSERT OR REPLACE INTO detail (id, stack, logs, args) VALUES (?, ?, ?, ?)", values...)
}

func appendDetail(values []any, id []byte, r *taskflow.Record) ([]any, error) {
	logs, err := encodeLogs(r)
	if err != nil {
		return nil, err
	}
	var args any
	if r.Args != nil {
		args = []byte(r.Args)
	}
	return append(values, id, optional(r.Stack), logs, args), nil
}

// insertSearch makes the error and the tags findable.
func (s *saver) insertSearch(id []byte, r *taskflow.Record) error {
	if r.Error == "" && len(r.Tags) == 0 {
		return nil
	}
	texts := []string{r.Error}
	for key, value := range r.Tags {
		for _, v := range []string{value, ""} {
			if err := s.c.run(s.ctx, "INSERT OR IGNORE INTO tag (key, value, id) VALUES (?, ?, ?)", key, v, id); err != nil {
				return err
			}
		}
		texts = append(texts, value)
	}
	_, searchID, err := s.c.exec(s.ctx, "INSERT INTO search_row (id) VALUES (?)", id)
	if err != nil {
		return err
	}
	if err := s.c.run(s.ctx, "UPDATE history SET search_id = ? WHERE id = ?", searchID, id); err != nil {
		return err
	}
	return s.c.run(s.ctx, "INSERT INTO search (rowid, body) VALUES (?, ?)", searchID, strings.Join(texts, "\n"))
}
