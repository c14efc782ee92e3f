package redis

import (
	"context"
	"fmt"
	"maps"
	"slices"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// maxPut is how many bytes one call of PutPending stores: a server closes the connection of who sends more than 1 GB at once.
const maxPut = 256 << 20

// PutPending implements [taskflow.Journal]. A call of more than 256 MB is refused with ErrInvalidRecord: records by themselves are not.
func (b *Backend) PutPending(ctx context.Context, records []taskflow.Record) error {
	return b.use(ctx, "put pending", func(c *connection) error {
		records = last(records)
		args, err := putArgs(records, b.cfg.put)
		if err != nil || len(records) == 0 {
			return err
		}
		for i := range records { // before they are stored: the answer may be lost
			if i == 0 || records[i].Owner != records[i-1].Owner {
				c.seen(records[i].Owner)
			}
		}
		reply, err := c.run(ctx, scriptPut, args...)
		if err != nil {
			return err
		}
		if i := number(reply); i > 0 {
			return fmt.Errorf("%w: record %s of %.100q", taskflow.ErrLeaseLost, records[i-1].ID, records[i-1].Owner)
		}
		return nil
	})
}

// last returns the records without those that a later one of the same id replaces.
func last(records []taskflow.Record) []taskflow.Record {
	at := make(map[string]int, len(records))
	for i := range records {
		at[records[i].ID] = i
	}
	if len(at) == len(records) {
		return records
	}
	var kept []taskflow.Record
	for i := range records {
		if at[records[i].ID] == i {
			kept = append(kept, records[i])
		}
	}
	return kept
}

// putArgs are the arguments of put.lua.
func putArgs(records []taskflow.Record, most int) ([]any, error) {
	n := len(records)
	args := make([]any, 0, 2*n+16)
	args = append(args, n)
	same, keys, details := groups{}, []any{}, []any{}
	var e encoder
	size := 0
	for i := range records {
		r := &records[i]
		row, err := e.pending(r, r.Owner, "")
		if err != nil {
			return nil, err
		}
		if size += len(row.row) + len(row.detail); size > most {
			return nil, fmt.Errorf("%w: %d records are more than %d MB together: store fewer at once", ErrInvalidRecord, n, most>>20)
		}
		args = append(args, r.ID, row.row)
		if row.detail != nil {
			details = append(details, r.ID, row.detail)
		}
		if r.Key != "" {
			keys = append(keys, i+1, r.Key)
		}
		if r.Owner != "" {
			same.add(group{ownerOf, "", r.Owner}, i)
		} else {
			same.add(group{nameOf, "", r.Name}, i)
		}
	}
	args = append(args, len(same))
	for g, members := range same {
		if g.kind == ownerOf {
			args = append(args, g.text, "", g.name(), packed(*members, n))
		} else {
			args = append(args, "", g.text, appendFrame(appendFrame(nil, ""), g.text), packed(*members, n))
		}
	}
	args = append(args, len(keys)/2)
	return append(append(args, keys...), details...), nil
}

// SavePending implements [taskflow.Backend]. The rows that this opened handle stored before are replaced, unless somebody has claimed them
// since. Rows that are held by those for whom this handle has joined, claimed or stored are this instance's. More than 500 records are
// stored in several steps.
func (b *Backend) SavePending(ctx context.Context, records []taskflow.Record) (written int, err error) {
	err = b.use(ctx, "save pending", func(c *connection) error {
		select {
		case c.saving <- struct{}{}:
			defer func() { <-c.saving }()
		case <-ctx.Done():
			return ctx.Err()
		}
		records = last(records)
		rows, err := c.encodeSnapshot(records)
		if err != nil {
			return err
		}
		earlier := c.earlier(records)
		for len(rows) > 0 || len(earlier) > 0 {
			n := batch(records, rows)
			drop := earlier[:min(len(earlier), maxSaved)]
			stored, err := c.saveSnapshot(ctx, records[:n], rows[:n], drop)
			if err != nil {
				return err
			}
			written += stored
			records, rows, earlier = records[n:], rows[n:], earlier[len(drop):]
		}
		return nil
	})
	return written, err
}

func (c *connection) encodeSnapshot(records []taskflow.Record) ([]encoded, error) {
	rows := make([]encoded, len(records))
	var e encoder
	var err error
	for i := range records {
		if rows[i], err = e.pending(&records[i], "", c.session); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// earlier takes the ids that earlier snapshots stored and these records do not replace.
func (c *connection) earlier(records []taskflow.Record) (ids []string) {
	now := make(map[string]bool, len(records))
	for i := range records {
		now[records[i].ID] = true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range c.snapshot {
		if !now[id] {
			ids = append(ids, id)
		}
	}
	return ids
}

// saveSnapshot stores some records in one step, and drops the rows of some earlier ids.
func (c *connection) saveSnapshot(ctx context.Context, records []taskflow.Record, rows []encoded, drop []string) (int, error) {
	args := []any{c.session}
	c.mu.Lock()
	ours := slices.Collect(maps.Keys(c.owners))
	// remembered before they are stored: the answer may be lost
	for i := range records {
		c.snapshot = append(c.snapshot, records[i].ID)
	}
	c.mu.Unlock()
	args = append(args, len(ours))
	for _, o := range ours {
		args = append(args, o)
	}
	args = append(args, len(drop))
	for _, id := range drop {
		args = append(args, id)
	}
	args = append(args, len(records))
	details := []any{}
	for i := range records {
		args = append(args, records[i].ID, records[i].Name, rows[i].row)
		if rows[i].detail != nil {
			details = append(details, records[i].ID, rows[i].detail)
		}
	}
	reply, err := c.run(ctx, scriptSnapshot, append(args, details...)...)
	if err != nil {
		return 0, err
	}
	c.forget(drop)
	return len(records) - len(list(reply)), nil
}

// forget drops ids from what the last snapshot stored.
func (c *connection) forget(ids []string) {
	gone := make(map[string]bool, len(ids))
	for _, id := range ids {
		gone[id] = true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := c.snapshot[:0]
	for _, id := range c.snapshot {
		if !gone[id] {
			gone[id] = true // once is enough
			kept = append(kept, id)
		}
	}
	c.snapshot = kept
}

// LoadPending implements [taskflow.Backend]. Rows that other instances hold are among them: Claim tells.
func (b *Backend) LoadPending(ctx context.Context) (all []taskflow.Record, err error) {
	err = b.use(ctx, "load pending", func(c *connection) error {
		reply, err := c.run(ctx, scriptLoadPending)
		if err != nil {
			return err
		}
		both := list(reply)
		if len(both) != 2 {
			return fmt.Errorf("the server answered %v", reply)
		}
		details := map[string]string{}
		for pairs := list(both[1]); len(pairs) >= 2; pairs = pairs[2:] {
			details[text(pairs[0])] = text(pairs[1])
		}
		for pairs := list(both[0]); len(pairs) >= 2; pairs = pairs[2:] {
			id := text(pairs[0])
			r, err := decodePending(id, text(pairs[1]), details[id], true)
			if err != nil {
				b.skipped("pending", id, err)
				continue
			}
			all = append(all, r)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// ClearPending implements [taskflow.Backend].
func (b *Backend) ClearPending(ctx context.Context) error {
	return b.use(ctx, "clear pending", func(c *connection) error {
		_, err := c.run(ctx, scriptClearPending)
		return err
	})
}
