package sqlite

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// Join implements [taskflow.InstanceStore]. The instance holds a lock on a file beside the database from then on, until Leave or Close or
// the death of the process: see Expire.
func (b *Backend) Join(ctx context.Context, i taskflow.Instance, ttl time.Duration) error {
	if i.ID == "" {
		return b.wrap("join", fmt.Errorf("%w: the id of the instance is empty", taskflow.ErrInvalidOption))
	}
	description, err := json.Marshal(i)
	if err != nil {
		return b.wrap("join", err)
	}
	db, err := b.opened(ctx)
	if err != nil {
		return b.wrap("join", err)
	}
	return b.write(ctx, "join", func(c *conn) error {
		locked, err := db.lockInstance(i.ID)
		if err != nil {
			return err
		}
		db.seen(i.ID)
		return c.run(ctx, `INSERT INTO instance (id, seen, begun, lasts, locked, description) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET seen = excluded.seen, begun = excluded.begun, lasts = excluded.lasts, locked = excluded.locked,
			description = excluded.description`,
			i.ID, now(), int64(uptime()), int64(ttl), truth(locked), string(description))
	})
}

// Renew implements [taskflow.InstanceStore].
func (b *Backend) Renew(ctx context.Context, i taskflow.Instance, ttl time.Duration) error {
	description, err := json.Marshal(i)
	if err != nil {
		return b.wrap("renew", err)
	}
	return b.write(ctx, "renew", func(c *conn) error {
		n, _, err := c.exec(ctx, "UPDATE instance SET seen = ?, begun = ?, lasts = ?, description = ? WHERE id = ?",
			now(), int64(uptime()), int64(ttl), string(description), i.ID)
		if err == nil && n == 0 {
			err = fmt.Errorf("%w: instance %q is not among the instances", taskflow.ErrLeaseLost, i.ID)
		}
		return err
	})
}

// Leave implements [taskflow.InstanceStore].
func (b *Backend) Leave(ctx context.Context, id string) error {
	db, err := b.opened(ctx)
	if err != nil {
		return b.wrap("leave", err)
	}
	return b.write(ctx, "leave", func(c *conn) error {
		n, _, err := c.exec(ctx, "DELETE FROM instance WHERE id = ?", id)
		if err != nil || n == 0 {
			return err
		}
		if err := freeRows(ctx, c, id); err != nil {
			return err
		}
		return db.unlockInstance(id)
	})
}

// Expire implements [taskflow.InstanceStore]. An instance whose process has died is known at once, because its lock is free; one whose process
// hangs, when its lease is over.
func (b *Backend) Expire(ctx context.Context) ([]string, error) {
	db, err := b.opened(ctx)
	if err != nil {
		return nil, b.wrap("expire", err)
	}
	var gone []string
	err = b.write(ctx, "expire", func(c *conn) error {
		if gone, err = db.goneInstances(ctx, c); err != nil {
			return err
		}
		for _, id := range gone {
			if err := c.run(ctx, "DELETE FROM instance WHERE id = ?", id); err != nil {
				return err
			}
		}
		orphaned, err := column(ctx, c, "SELECT owner FROM holder WHERE owner NOT IN (SELECT id FROM instance)")
		if err != nil {
			return err
		}
		for _, owner := range orphaned {
			if err := freeRows(ctx, c, owner); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return gone, nil
}

// goneInstances returns those whose lease is over or whose process is dead.
func (db *database) goneInstances(ctx context.Context, c *conn) (gone []string, err error) {
	isGone := map[string]bool{} // of all instances
	var locked []string
	err = c.query(ctx, "SELECT id, begun, lasts, locked FROM instance", nil, func(row []driver.Value) error {
		r := rowReader{row: row}
		id := r.text()
		isGone[id] = over(time.Duration(r.number()), time.Duration(r.number()))
		if r.number() == 1 && db.joined[id] == nil {
			locked = append(locked, id)
		}
		return r.err
	})
	if err != nil {
		return nil, err
	}
	for _, id := range locked {
		dead, err := db.isDead(id) // also when the lease is over: a file that nobody has locked is removed
		if err != nil {
			return nil, err
		}
		isGone[id] = isGone[id] || dead
	}
	maps.DeleteFunc(isGone, func(_ string, gone bool) bool { return !gone })
	return slices.Sorted(maps.Keys(isGone)), nil
}

// freeRows takes the pending rows of an owner from it.
func freeRows(ctx context.Context, c *conn, owner string) error {
	delete(c.known, owner)
	n, _, err := c.exec(ctx, "DELETE FROM holder WHERE owner = ?", owner)
	if err != nil || n == 0 {
		return err
	}
	return c.run(ctx, "UPDATE pending SET owner = NULL WHERE owner = ?", owner)
}

// Instances implements [taskflow.InstanceStore].
func (b *Backend) Instances(ctx context.Context) ([]taskflow.Instance, error) {
	var all []taskflow.Instance
	err := b.read(ctx, "instances", func(c *conn) error {
		return c.query(ctx, "SELECT id, seen, lasts, description FROM instance ORDER BY id", nil, func(row []driver.Value) error {
			r := rowReader{row: row}
			id, seen, lasts := r.text(), r.number(), time.Duration(r.number())
			var i taskflow.Instance
			if r.json(&i); r.err != nil {
				b.skipped("instance", row[0], r.err)
				return nil
			}
			i.ID, i.SeenAt, i.ExpiresAt = id, micros(seen), micros(seen).Add(lasts)
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

// releaseAll forgets all instances and makes every pending task claimable. Only for the process that alone has the file open.
func (db *database) releaseAll(ctx context.Context, c *conn) error {
	return c.transaction(ctx, func() error {
		dead, err := column(ctx, c, "SELECT id FROM instance")
		if err != nil {
			return err
		}
		for _, id := range dead {
			if _, err := db.isDead(id); err != nil { // for its file, which the death has left behind
				return err
			}
		}
		clear(c.known)
		return c.script(ctx, "DELETE FROM instance; DELETE FROM holder; UPDATE pending SET owner = NULL WHERE owner IS NOT NULL")
	})
}

// column returns the texts in the first column of all rows.
func column(ctx context.Context, c *conn, sql string) (list []string, err error) {
	err = c.query(ctx, sql, nil, func(row []driver.Value) error {
		r := rowReader{row: row}
		list = append(list, r.text())
		return r.err
	})
	return list, err
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
