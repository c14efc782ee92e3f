package transfer

import (
	"context"
	"errors"
	"fmt"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// pending copies the unfinished tasks. Nobody holds them in the target: an instance that knows their names claims them.
func (c *copier) pending(ctx context.Context) error {
	return eachPage(ctx, c.from.QueryPending, true, func(p taskflow.Page) error {
		var missing []taskflow.Record
		for _, r := range p.Records {
			delete(c.unfinished, r.ID)
			if there, ok := c.there[r.ID]; ok && !further(&r, &there) {
				c.result.Unfinished.Skipped++
				continue
			}
			r.Owner = ""
			missing = append(missing, r)
		}
		if err := c.put(ctx, missing); err != nil {
			return err
		}
		c.dealt()
		return nil
	})
}

// put stores unfinished records: together, or one by one when not all of them can be.
func (c *copier) put(ctx context.Context, records []taskflow.Record) error {
	if len(records) == 0 {
		return nil
	}
	n := &c.result.Unfinished
	err := c.to.PutPending(ctx, records)
	if err == nil {
		n.Copied += int64(len(records))
		c.misses = 0
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("write the target: %w", ctx.Err())
	}
	for i := range records {
		switch err := c.to.PutPending(ctx, records[i:i+1]); {
		case err == nil:
			c.copied(n)
		case errors.Is(err, taskflow.ErrLeaseLost):
			n.Skipped++ // it was copied before, and has been claimed or finished there
		default:
			if err := c.failed(ctx, n, records[i].ID, err); err != nil {
				return fmt.Errorf("write the target: %w", err)
			}
		}
	}
	return nil
}

// further reports whether a task has gone on in the source since it was copied. What an instance of the target holds, or has begun
// there, is never taken back.
func further(from, there *taskflow.Record) bool {
	switch {
	case there.Owner != "":
		return false
	case from.Attempts != there.Attempts:
		return from.Attempts > there.Attempts
	}
	return from.Status == taskflow.StatusRunning && there.Status == taskflow.StatusPending
}
