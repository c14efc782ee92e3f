package transfer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// errHeldThere: the target has a task of this id that the copy must not replace.
var errHeldThere = errors.New("the target has this task, and an instance of its own holds it")

// history copies the finished records, newest first.
func (c *copier) history(ctx context.Context) error {
	// The first pages may be there already, of an earlier copy: then summaries are enough to see it.
	q := taskflow.Query{Limit: fullPage, Full: true}
	for {
		page, err := c.from.Query(ctx, q)
		if err != nil {
			return fmt.Errorf("read the source: %w", err)
		}
		missing, err := c.missing(ctx, q.Before, page.Records)
		if err != nil {
			return err
		}
		if len(missing) > 0 && !q.Full {
			q.Full, q.Limit = true, fullPage
			continue // once more, with everything
		}
		c.result.History.Skipped += int64(len(page.Records) - len(missing))
		for _, r := range page.Records {
			delete(c.unfinished, r.ID) // it has ended meanwhile
		}
		if err := c.save(ctx, missing); err != nil {
			return err
		}
		c.dealt()
		if page.Next == "" {
			break
		}
		q.Before = page.Next
		if len(page.Records) > 0 && len(missing) == 0 {
			q.Full, q.Limit = false, summaryPage
		}
	}
	read := c.result.History.Copied + c.result.History.Skipped + c.result.History.Failed
	c.result.Unread = max(c.counted-read, 0)
	return nil
}

// missing returns those of the records, all with an id below before, that the target lacks. A finished record changes in one way
// only: somebody repeats its task, and it names the repetition.
func (c *copier) missing(ctx context.Context, before string, records []taskflow.Record) ([]taskflow.Record, error) {
	if len(records) == 0 {
		return nil, nil
	}
	lowest := records[len(records)-1].ID
	there := map[string]string{} // id to the id of the repetition
	for q := (taskflow.Query{Before: before, Limit: summaryPage}); ; {
		page, err := c.to.Query(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("read the target: %w", err)
		}
		for i := range page.Records {
			there[page.Records[i].ID] = page.Records[i].RetriedBy
		}
		if page.Next == "" || page.Next <= lowest {
			break
		}
		q.Before = page.Next
	}
	return slices.DeleteFunc(slices.Clone(records), func(r taskflow.Record) bool {
		retriedBy, ok := there[r.ID]
		return ok && (retriedBy != "" || r.RetriedBy == "")
	}), nil
}

// save stores finished records: together, or one by one when not all of them can be.
func (c *copier) save(ctx context.Context, records []taskflow.Record) error {
	n := &c.result.History
	free := records[:0:0]
	for i := range records {
		// A record without owner is always written. It must not take away a task that an instance of the target runs.
		if c.there[records[i].ID].Owner != "" {
			if err := c.failed(ctx, n, records[i].ID, errHeldThere); err != nil {
				return err
			}
			continue
		}
		free = append(free, records[i])
	}
	if len(free) == 0 {
		return nil
	}
	saved, err := c.to.Save(ctx, free)
	if err == nil && saved == len(free) {
		n.Copied += int64(saved)
		c.misses = 0
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("write the target: %w", ctx.Err())
	}
	for i := range free {
		switch saved, err := c.to.Save(ctx, free[i:i+1]); {
		case err == nil && saved == 1:
			c.copied(n)
			continue
		case err == nil:
			err = errHeldThere
			fallthrough
		default:
			if err := c.failed(ctx, n, free[i].ID, err); err != nil {
				return fmt.Errorf("write the target: %w", err)
			}
		}
	}
	return nil
}

// endedMeanwhile copies the tasks that were unfinished when the copy began and finished when their page was read.
func (c *copier) endedMeanwhile(ctx context.Context) error {
	ids := slices.Sorted(maps.Keys(c.unfinished))
	for chunk := range slices.Chunk(ids, fullPage) {
		records, err := fetch(ctx, c.from.Get, chunk)
		if err != nil {
			return fmt.Errorf("read the source: %w", err)
		}
		if err := c.save(ctx, records); err != nil {
			return err
		}
		c.dealt()
	}
	return nil
}
