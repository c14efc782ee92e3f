package redis

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// lost is a claim whose answer did not come: the rows may be its owner's, who does not know.
type lost struct {
	mark string
	ids  []any
}

// maxClaimed is how many rows one step of Claim looks at.
const maxClaimed = 500

// Claim implements [taskflow.Claimer]. Rows are looked at first, because one that cannot be read is not to be claimed, and then claimed in one
// step. If the answer to that is lost, the next Claim of this handle asks again, so that no row is held by an owner who does not know.
func (b *Backend) Claim(ctx context.Context, owner string, names []string, limit int) (claimed []taskflow.Record, err error) {
	err = b.use(ctx, "claim", func(c *connection) error {
		if owner == "" || !isText(owner) {
			return fmt.Errorf("%w: the owner is %.100q: give the id of the instance", taskflow.ErrInvalidOption, owner)
		}
		if len(names) == 0 || limit < 1 {
			return nil
		}
		c.seen(owner)
		names = slices.Compact(slices.Sorted(slices.Values(names)))
		if claimed, err = b.claimLost(ctx, c, owner, limit); err != nil {
			return kept(claimed, err)
		}
		after := ""
		for len(claimed) < limit {
			ids, last, err := b.claimable(ctx, c, names, after, min(limit-len(claimed), maxClaimed))
			if err != nil {
				return kept(claimed, err)
			}
			if len(ids) > 0 {
				l := lost{taskflow.NewID(time.Now()), ids}
				some, err := b.claim(ctx, c, owner, l)
				claimed = append(claimed, some...)
				if err != nil {
					if unanswered(err) {
						c.addLost(owner, l)
					}
					return kept(claimed, err)
				}
			}
			if after = last; after == "" {
				break
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(claimed, func(x, y taskflow.Record) int { return strings.Compare(x.ID, y.ID) })
	return claimed, nil
}

// kept is the error of a claim that failed: none if some rows have been claimed, which the caller must learn of. What failed fails again.
func kept(claimed []taskflow.Record, err error) error {
	if len(claimed) > 0 {
		return nil
	}
	return err
}

// claimable returns the ids of some free rows that can be read, and the last id that was looked at: empty when there are no more.
func (b *Backend) claimable(ctx context.Context, c *connection, names []string, after string, n int) (ids []any, last string, err error) {
	args := []any{n, after}
	for _, name := range names {
		args = append(args, name)
	}
	reply, err := c.run(ctx, scriptClaimable, args...)
	if err != nil {
		return nil, "", err
	}
	rows := list(reply)
	if len(rows) == 0 {
		return nil, "", fmt.Errorf("the server answered %v", reply)
	}
	more := number(rows[0]) == 1
	for rows = rows[1:]; len(rows) >= 3; rows = rows[3:] {
		last = text(rows[0])
		if rows[1] == nil {
			continue
		}
		if _, err := decodePending(last, text(rows[1]), text(rows[2]), true); err != nil {
			b.skipped("pending", last, err)
			continue
		}
		ids = append(ids, last)
	}
	if !more {
		last = ""
	}
	return ids, last, nil
}

// claim claims the rows of some ids that are still free.
func (b *Backend) claim(ctx context.Context, c *connection, owner string, l lost) ([]taskflow.Record, error) {
	reply, err := c.run(ctx, scriptClaim, append([]any{owner, l.mark}, l.ids...)...)
	if err != nil {
		return nil, err
	}
	var claimed []taskflow.Record
	for rows := list(reply); len(rows) >= 3; rows = rows[3:] {
		id := text(rows[0])
		r, err := decodePending(id, text(rows[1]), text(rows[2]), true)
		if err != nil { // it has changed since it was looked at; it is free again when the owner leaves
			b.skipped("pending", id, err)
			continue
		}
		claimed = append(claimed, r)
	}
	return claimed, nil
}

// claimLost asks again for what claims of an owner whose answers were lost have got.
func (b *Backend) claimLost(ctx context.Context, c *connection, owner string, limit int) (claimed []taskflow.Record, err error) {
	c.mu.Lock()
	all := c.lost[owner]
	delete(c.lost, owner)
	c.mu.Unlock()
	for i, l := range all {
		now := lost{l.mark, l.ids[:min(max(limit-len(claimed), 0), len(l.ids))]}
		if len(now.ids) == 0 {
			c.addLost(owner, all[i:]...)
			break
		}
		some, err := b.claim(ctx, c, owner, now)
		if err != nil {
			c.addLost(owner, all[i:]...)
			return claimed, err
		}
		claimed = append(claimed, some...)
		if later := l.ids[len(now.ids):]; len(later) > 0 {
			c.addLost(owner, lost{l.mark, later})
		}
	}
	return claimed, nil
}

// addLost remembers claims of an owner whose answers were lost.
func (c *connection) addLost(owner string, l ...lost) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lost[owner] = append(c.lost[owner], l...)
}
