package redis

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// Join implements [taskflow.InstanceStore].
func (b *Backend) Join(ctx context.Context, i taskflow.Instance, ttl time.Duration) error {
	return b.use(ctx, "join", func(c *connection) error {
		_, err := c.lease(ctx, i, ttl, false)
		if err == nil {
			c.seen(i.ID)
		}
		return err
	})
}

// Renew implements [taskflow.InstanceStore].
func (b *Backend) Renew(ctx context.Context, i taskflow.Instance, ttl time.Duration) error {
	return b.use(ctx, "renew", func(c *connection) error {
		there, err := c.lease(ctx, i, ttl, true)
		if err == nil && !there {
			err = fmt.Errorf("%w: %.100q is not among the instances any more", taskflow.ErrLeaseLost, i.ID)
		}
		return err
	})
}

// lease stores an instance and its lease; there is false when it must be there already and is not.
func (c *connection) lease(ctx context.Context, i taskflow.Instance, ttl time.Duration, must bool) (there bool, err error) {
	if i.ID == "" || !isText(i.ID) {
		return false, fmt.Errorf("%w: the id of the instance is %.100q", taskflow.ErrInvalidOption, i.ID)
	}
	if ttl < time.Millisecond {
		return false, fmt.Errorf("%w: the lease is %v: it must be at least 1 ms", taskflow.ErrInvalidOption, ttl)
	}
	i.SeenAt, i.ExpiresAt = time.Time{}, time.Time{}
	text, err := json.Marshal(i)
	if err != nil {
		return false, fmt.Errorf("%w: instance %.100q: %w", ErrInvalidRecord, i.ID, err)
	}
	reply, err := c.run(ctx, scriptJoin, i.ID, text, ttl.Microseconds(), must)
	return number(reply) == 1, err
}

// Leave implements [taskflow.InstanceStore]. Of more than 5,000 pending rows the others are looked at in further steps, by this call or, if
// that fails, by the next Expire.
func (b *Backend) Leave(ctx context.Context, id string) error {
	return b.use(ctx, "leave", func(c *connection) error {
		reply, err := c.run(ctx, scriptLeave, id, b.cfg.freed)
		if err != nil {
			return err
		}
		return b.release(ctx, c, text(reply), []any{id})
	})
}

// release goes on freeing the rows of owners that are gone.
func (b *Backend) release(ctx context.Context, c *connection, after string, owners []any) error {
	for after != "" {
		reply, err := c.run(ctx, scriptRelease, append([]any{after, b.cfg.freed}, owners...)...)
		if err != nil {
			return err
		}
		after = text(reply)
	}
	return nil
}

// Expire implements [taskflow.InstanceStore]. Of more than 5,000 pending rows the others are looked at in further steps, by this call or, if
// that fails, by the next.
func (b *Backend) Expire(ctx context.Context) (ids []string, err error) {
	err = b.use(ctx, "expire", func(c *connection) error {
		reply, err := c.run(ctx, scriptExpire, b.cfg.freed)
		if err != nil {
			return err
		}
		answer := list(reply)
		if len(answer) < 2 || len(answer) < 2+int(number(answer[1])) {
			return fmt.Errorf("the server answered %v", reply)
		}
		dead, owners := answer[2:2+number(answer[1])], answer[2+number(answer[1]):]
		for _, id := range dead {
			ids = append(ids, text(id))
		}
		slices.Sort(ids)
		return b.release(ctx, c, text(answer[0]), owners)
	})
	return ids, err
}

// Instances implements [taskflow.InstanceStore].
func (b *Backend) Instances(ctx context.Context) (all []taskflow.Instance, err error) {
	err = b.use(ctx, "instances", func(c *connection) error {
		reply, err := c.run(ctx, scriptInstances)
		if err != nil {
			return err
		}
		both := list(reply)
		if len(both) != 2 {
			return fmt.Errorf("the server answered %v", reply)
		}
		ends := map[string]time.Time{}
		for pairs := list(both[1]); len(pairs) >= 2; pairs = pairs[2:] {
			if micros, err := strconv.ParseFloat(text(pairs[1]), 64); err == nil {
				ends[text(pairs[0])] = time.UnixMicro(int64(micros)).UTC()
			}
		}
		for pairs := list(both[0]); len(pairs) >= 2; pairs = pairs[2:] {
			id := text(pairs[0])
			i, err := decodeInstance(text(pairs[1]))
			if err != nil {
				b.skipped("instances", id, err)
				continue
			}
			i.ID, i.ExpiresAt = id, ends[id]
			all = append(all, i)
		}
		slices.SortFunc(all, func(x, y taskflow.Instance) int { return cmp.Compare(x.ID, y.ID) })
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

func decodeInstance(row string) (i taskflow.Instance, err error) {
	seen, text, _ := strings.Cut(row, ":")
	micros, err := strconv.ParseInt(seen, 10, 64)
	if err == nil {
		err = json.Unmarshal([]byte(text), &i)
	}
	i.SeenAt, i.StartedAt, i.DegradedSince = time.UnixMicro(micros).UTC(), i.StartedAt.UTC(), i.DegradedSince.UTC()
	return i, err
}
