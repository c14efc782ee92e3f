package taskflow

import (
	"context"
	"errors"
	"fmt"
)

// claim takes over what is there to be taken over until ctx ends. It has a goroutine of its own, which Manager.services waits for: much may
// be there, and the backend may be slow, and the lease must be renewed meanwhile.
func (p *peers) claim(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.due:
			p.takeOver(ctx)
		}
	}
}

// takeOver claims what nobody holds.
func (p *peers) takeOver(ctx context.Context) {
	if p.claims == nil || p.m.life.stopping.Load() || p.outcast.Load() {
		return
	}
	err := p.findOwn(ctx)
	if err == nil {
		if err = p.m.claim(ctx, p.claims); err != nil {
			p.unsure = true
		}
	}
	if err != nil && ctx.Err() == nil {
		p.m.log.Warn("taskflow: waiting tasks cannot be taken over", "error", err)
	}
}

// findOwn looks, after a claim that failed, for rows that it gave to this instance all the same: the answer was lost, and nobody
// else will ever take them.
func (p *peers) findOwn(ctx context.Context) error {
	if !p.unsure {
		return nil
	}
	own := p.m.Instance()
	// Twice: a task that ends between the reading and the look into memory is not in the second reading any more.
	ids, err := p.stray(ctx, own)
	for i := 0; err == nil && i < len(ids); i++ {
		var r Record
		if r, err = p.row(ctx, ids[i]); err == nil && p.isStray(&r, own) {
			p.m.takeIn(own, []Record{r})
		} else if errors.Is(err, ErrNotFound) {
			err = nil
		}
	}
	if err != nil {
		return fmt.Errorf("look for claimed tasks: %w", err)
	}
	p.unsure = false
	return nil
}

// stray returns the ids of the rows that own holds and that are not in memory. It reads page after page, without the arguments, where the backend
// can.
func (p *peers) stray(ctx context.Context, own string) (ids []string, err error) {
	if p.m.store.pending == nil {
		rows, err := p.m.cfg.backend.LoadPending(ctx)
		for i := range rows {
			if p.isStray(&rows[i], own) {
				ids = append(ids, rows[i].ID)
			}
		}
		return ids, err
	}
	for q := (Query{Limit: MaxLimit}); ; {
		page, err := p.page(ctx, q)
		if err != nil {
			return nil, err
		}
		for i := range page.Records {
			if p.isStray(&page.Records[i], own) {
				ids = append(ids, page.Records[i].ID)
			}
		}
		if page.Next == "" {
			return ids, nil
		}
		q.Before = page.Next
	}
}

func (p *peers) page(ctx context.Context, q Query) (Page, error) {
	ctx, cancel := context.WithTimeout(ctx, claimTimeout)
	defer cancel()
	return p.m.store.pending.QueryPending(ctx, q)
}

// row returns an unfinished row in full.
func (p *peers) row(ctx context.Context, id string) (Record, error) {
	ctx, cancel := context.WithTimeout(ctx, claimTimeout)
	defer cancel()
	if p.m.store.pending != nil {
		return p.m.store.pending.GetPending(ctx, id)
	}
	rows, err := p.m.cfg.backend.LoadPending(ctx)
	for i := range rows {
		if rows[i].ID == id {
			return rows[i], err
		}
	}
	return Record{}, errors.Join(err, ErrNotFound)
}

func (p *peers) isStray(r *Record, own string) bool {
	id, err := parseID(r.ID)
	return err == nil && r.Owner == own && p.m.tasks[r.Name] != nil && p.m.registry.get(id) == nil
}
