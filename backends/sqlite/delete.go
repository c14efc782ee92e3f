package sqlite

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"slices"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// deleteChunk is how many records one transaction deletes: Save waits no longer than for that.
const deleteChunk = 500

// DeleteBefore implements [taskflow.Deleter]. It deletes the oldest first, in several transactions: when it fails or its
// context ends, it returns how many are gone. The room is used again for new records; the file does not shrink.
func (b *Backend) DeleteBefore(ctx context.Context, t time.Time) (int, error) {
	lowest, _ := taskflow.IDBounds(t)
	limit, err := encodeID(lowest)
	if err != nil {
		return 0, b.wrap("delete", err)
	}
	deleted := 0
	for {
		var ids [][]byte
		err := b.write(ctx, "delete", func(c *conn) error {
			err := c.query(ctx, "SELECT id FROM history WHERE id < ? ORDER BY id LIMIT ?", []any{limit, int64(deleteChunk)}, func(row []driver.Value) error {
				id, _ := row[0].([]byte)
				ids = append(ids, slices.Clone(id))
				return nil
			})
			if err != nil {
				return err
			}
			s := saver{c: c, ctx: context.WithoutCancel(ctx), totals: totals{}}
			for _, id := range ids {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := s.remove(id); err != nil {
					return err
				}
			}
			return s.totals.store(s.ctx, c)
		})
		if err != nil {
			return deleted, err
		}
		if deleted += len(ids); len(ids) < deleteChunk {
			return deleted, nil
		}
	}
}

// Delete implements [taskflow.RecordDeleter]. It deletes in transactions of up to 500 records: when it fails or its context ends, it returns how
// many are gone.
func (b *Backend) Delete(ctx context.Context, ids []string) (deleted int, err error) {
	for chunk := range slices.Chunk(distinct(ids), deleteChunk) {
		gone := 0
		err := b.write(ctx, "delete", func(c *conn) error {
			s := saver{c: c, ctx: context.WithoutCancel(ctx), totals: totals{}}
			gone = 0
			for _, id := range chunk {
				if err := ctx.Err(); err != nil {
					return err
				}
				there, _, err := c.number(s.ctx, "SELECT EXISTS (SELECT 1 FROM history WHERE id = ?)", id)
				if err != nil {
					return err
				}
				if there == 0 {
					continue
				}
				if err := s.remove(id); err != nil {
					return err
				}
				gone++
			}
			return s.totals.store(s.ctx, c)
		})
		if err != nil {
			return deleted, err
		}
		deleted += gone
	}
	if len(ids) == 0 {
		_, err = b.opened(ctx)
		err = b.wrap("delete", err)
	}
	return deleted, err
}

// distinct returns each id once, as it is stored, without what is none.
func distinct(ids []string) [][]byte {
	all := make([][]byte, 0, len(ids))
	for _, s := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		if id, err := encodeID(s); err == nil {
			all = append(all, id)
		}
	}
	return all
}

// remove deletes everything that is stored of a finished record.
func (s *saver) remove(id []byte) error {
	var (
		old            taskflow.Record
		name, searchID int64
		tags           string
	)
	err := s.c.query(s.ctx, "SELECT status, start_time, end_time, name_id, coalesce(search_id, 0), coalesce(tags, '') FROM history WHERE id = ?", []any{id},
		func(row []driver.Value) error {
			r := rowReader{row: row}
			old.Status, old.StartTime, old.EndTime = taskflow.Status(r.text()), r.instant(), r.instant()
			name, searchID, tags = r.number(), r.number(), r.text()
			return nil // a row that cannot be read is deleted as far as it can
		})
	if err != nil {
		return err
	}
	s.totals.add(&old, -1)
	if err := s.c.run(s.ctx, "DELETE FROM history WHERE id = ?", id); err != nil {
		return err
	}
	if err := s.c.run(s.ctx, "DELETE FROM detail WHERE id = ?", id); err != nil {
		return err
	}
	if err := s.removeSearch(id, searchID, tags); err != nil {
		return err
	}
	return s.removeName(name)
}

func (s *saver) removeSearch(id []byte, searchID int64, tags string) error {
	if searchID == 0 {
		return nil
	}
	var pairs map[string]string
	if json.Unmarshal([]byte(tags), &pairs) == nil { // rows of tags without a record are harmless
		for key, value := range pairs {
			if err := s.c.run(s.ctx, "DELETE FROM tag WHERE key = ? AND value IN (?, '') AND id = ?", key, value, id); err != nil {
				return err
			}
		}
	}
	if err := s.c.run(s.ctx, "DELETE FROM search_row WHERE search_id = ?", searchID); err != nil {
		return err
	}
	return s.c.run(s.ctx, "DELETE FROM search WHERE rowid = ?", searchID)
}

// removeName forgets a name with its last record: names of closures change with each version of a program.
func (s *saver) removeName(name int64) error {
	n, _, err := s.c.exec(s.ctx, "DELETE FROM name WHERE name_id = ? AND NOT EXISTS (SELECT 1 FROM history h WHERE h.name_id = name.name_id)", name)
	if n > 0 {
		clear(s.c.names)
	}
	return err
}
