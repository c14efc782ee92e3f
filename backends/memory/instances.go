package memory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// instance is what an instance says of itself, and its lease. The lease keeps the monotonic clock: a step of the machine's clock ends none.
type instance struct {
	taskflow.Instance
	ends time.Time
}

// Join implements [taskflow.InstanceStore].
func (b *Backend) Join(ctx context.Context, i taskflow.Instance, ttl time.Duration) error {
	leave, err := b.enter(ctx, "join")
	if err != nil {
		return err
	}
	defer leave()
	if i.ID == "" {
		return fmt.Errorf("memory: join: %w: the id of the instance is empty", taskflow.ErrInvalidOption)
	}
	b.lease(i, ttl)
	return nil
}

// Renew implements [taskflow.InstanceStore].
func (b *Backend) Renew(ctx context.Context, i taskflow.Instance, ttl time.Duration) error {
	leave, err := b.enter(ctx, "renew")
	if err != nil {
		return err
	}
	defer leave()
	if _, joined := b.instances[i.ID]; !joined {
		return fmt.Errorf("memory: renew: %w: instance %q is not among the instances", taskflow.ErrLeaseLost, i.ID)
	}
	b.lease(i, ttl)
	return nil
}

func (b *Backend) lease(i taskflow.Instance, ttl time.Duration) {
	now := time.Now()
	i.SeenAt, i.ExpiresAt = utc(now), utc(now.Add(ttl))
	b.instances[i.ID] = instance{cloneInstance(i), now.Add(ttl)}
}

// Leave implements [taskflow.InstanceStore].
func (b *Backend) Leave(ctx context.Context, id string) error {
	leave, err := b.enter(ctx, "leave")
	if err != nil {
		return err
	}
	defer leave()
	if _, joined := b.instances[id]; joined {
		delete(b.instances, id)
		b.free(func(owner string) bool { return owner == id })
	}
	return nil
}

// Expire implements [taskflow.InstanceStore].
func (b *Backend) Expire(ctx context.Context) ([]string, error) {
	leave, err := b.enter(ctx, "expire")
	if err != nil {
		return nil, err
	}
	defer leave()
	var over []string
	now := time.Now()
	for id, i := range b.instances {
		if !now.Before(i.ends) {
			over = append(over, id)
			delete(b.instances, id)
		}
	}
	b.free(func(owner string) bool { _, joined := b.instances[owner]; return !joined })
	slices.Sort(over)
	return over, nil
}

// free takes pending rows from their owners.
func (b *Backend) free(from func(owner string) bool) {
	freed := false
	for id, row := range b.pending {
		if row.record.Owner != "" && from(row.record.Owner) {
			row.record.Owner = ""
			b.pending[id] = row
			freed = true
		}
	}
	if freed {
		b.notify()
	}
}

// Instances implements [taskflow.InstanceStore].
func (b *Backend) Instances(ctx context.Context) ([]taskflow.Instance, error) {
	leave, err := b.enter(ctx, "instances")
	if err != nil {
		return nil, err
	}
	defer leave()
	var all []taskflow.Instance
	for _, id := range slices.Sorted(maps.Keys(b.instances)) {
		all = append(all, cloneInstance(b.instances[id].Instance))
	}
	return all, nil
}

// cloneInstance is clone for an instance.
func cloneInstance(i taskflow.Instance) taskflow.Instance {
	i.StartedAt, i.DegradedSince = utc(i.StartedAt), utc(i.DegradedSince)
	i.Pools, i.Live = slices.Clone(i.Pools), slices.Clone(i.Live)
	for n := range i.Live {
		i.Live[n] = clone(i.Live[n])
	}
	return i
}

// utc returns the time as it would come back from a disk.
func utc(t time.Time) time.Time { return t.Round(0).UTC() }
