package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

var _ taskflow.InstanceStore = (*Backend)(nil)

// lease is what an instance says of itself, as JSON, and when it is over by the clock of the backend. Leases are in memory only: one
// process uses the folder, and when it has died, so have its instances.
type lease struct {
	text []byte
	ends time.Time
}

// Join implements taskflow.InstanceStore.
func (b *Backend) Join(ctx context.Context, i taskflow.Instance, ttl time.Duration) error {
	leave, err := b.enter(ctx, "join")
	if err != nil {
		return err
	}
	defer leave()
	return b.setLease(i, ttl)
}

// Renew refuses an instance that Expire has removed: others may have its tasks by now.
func (b *Backend) Renew(ctx context.Context, i taskflow.Instance, ttl time.Duration) error {
	leave, err := b.enter(ctx, "renew")
	if err != nil {
		return err
	}
	defer leave()
	if _, joined := b.instances[i.ID]; !joined {
		return fmt.Errorf("jsonl: renew: %w: %q is not among the instances", taskflow.ErrLeaseLost, i.ID)
	}
	return b.setLease(i, ttl)
}

func (b *Backend) setLease(i taskflow.Instance, ttl time.Duration) error {
	now := time.Now()
	i.SeenAt, i.ExpiresAt = now.UTC(), now.Add(ttl).UTC()
	i.StartedAt, i.DegradedSince = i.StartedAt.UTC(), i.DegradedSince.UTC()
	text, err := json.Marshal(i)
	if err != nil {
		return fmt.Errorf("jsonl: instance %q: %w", i.ID, err)
	}
	b.instances[i.ID] = lease{text, now.Add(ttl)}
	return nil
}

// Leave removes an instance, and frees what it holds.
func (b *Backend) Leave(ctx context.Context, id string) error {
	leave, err := b.enter(ctx, "leave")
	if err != nil {
		return err
	}
	defer leave()
	if _, joined := b.instances[id]; !joined {
		return nil
	}
	if err := b.free(ctx, func(owner string) bool { return owner == id }); err != nil {
		return fmt.Errorf("jsonl: leave: %w", err)
	}
	delete(b.instances, id)
	return nil
}

// Expire removes the instances whose lease is over, and frees the rows of every owner that is not among the instances: the dead, those of
// an earlier process, and those that never were.
func (b *Backend) Expire(ctx context.Context) ([]string, error) {
	leave, err := b.enter(ctx, "expire")
	if err != nil {
		return nil, err
	}
	defer leave()
	live, now := maps.Clone(b.instances), time.Now()
	var over []string
	for id, l := range b.instances {
		if !now.Before(l.ends) {
			over = append(over, id)
			delete(live, id)
		}
	}
	if err := b.free(ctx, func(owner string) bool { _, is := live[owner]; return !is }); err != nil {
		return nil, fmt.Errorf("jsonl: expire: %w", err)
	}
	b.instances = live
	return over, nil
}

// free takes rows from their owners.
func (b *Backend) free(ctx context.Context, from func(owner string) bool) error {
	held := slices.DeleteFunc(slices.Collect(maps.Keys(b.pending)), func(id string) bool {
		return b.pending[id].owner == "" || !from(b.pending[id].owner)
	})
	if len(held) == 0 {
		return nil
	}
	rows := maps.Clone(b.pending)
	for r, err := range b.unfinished(ctx, held) {
		if err == nil {
			r.Owner = ""
			rows[r.ID], err = rowOf(r)
		}
		if err != nil {
			return err
		}
	}
	return b.setPending(rows)
}

// Instances returns all, in the order of their ids.
func (b *Backend) Instances(ctx context.Context) ([]taskflow.Instance, error) {
	leave, err := b.enter(ctx, "instances")
	if err != nil {
		return nil, err
	}
	defer leave()
	var all []taskflow.Instance
	for _, id := range slices.Sorted(maps.Keys(b.instances)) {
		var i taskflow.Instance
		if err := json.Unmarshal(b.instances[id].text, &i); err != nil {
			return nil, fmt.Errorf("jsonl: instances: %q: %w", id, err)
		}
		all = append(all, i)
	}
	return all, nil
}
