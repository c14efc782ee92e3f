package memory

import (
	"context"
	"fmt"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// key is who has an idempotency key, and until when.
type key struct {
	taskID, owner string
	ends          time.Time
}

// ReserveKey implements [taskflow.KeyStore].
func (b *Backend) ReserveKey(ctx context.Context, r taskflow.Reservation) (holder string, err error) {
	leave, err := b.enter(ctx, "reserve key")
	if err != nil {
		return "", err
	}
	defer leave()
	switch {
	case r.Key == "" || len(r.Key) > taskflow.MaxKeyBytes:
		return "", fmt.Errorf("memory: reserve key: %w: the key has %d bytes: it must have 1 to %d", taskflow.ErrInvalidOption, len(r.Key), taskflow.MaxKeyBytes)
	case r.Retention < time.Millisecond:
		return "", fmt.Errorf("memory: reserve key: %w: the retention is %v: it must be at least 1 ms", taskflow.ErrInvalidOption, r.Retention)
	}
	now := time.Now()
	if k, taken := b.keys[r.Key]; taken && k.taskID != r.TaskID && now.Before(k.ends) && b.holds(k) {
		return k.taskID, nil
	}
	for name, k := range b.keys {
		if !now.Before(k.ends) {
			delete(b.keys, name)
		}
	}
	b.keys[r.Key] = key{r.TaskID, r.Owner, now.Add(r.Retention)}
	return r.TaskID, nil
}

// holds reports whether the task that was given a key still has it: it is unfinished, or has succeeded. One that is in neither store is in
// the memory of the instance that added it, if that lives.
func (b *Backend) holds(k key) bool {
	if _, pending := b.pending[k.taskID]; pending {
		return true
	}
	if r, finished := b.history[k.taskID]; finished {
		return r.Status == taskflow.StatusSuccess
	}
	_, joined := b.instances[k.owner]
	return joined
}

// ReleaseKey implements [taskflow.KeyStore].
func (b *Backend) ReleaseKey(ctx context.Context, name, taskID string) error {
	leave, err := b.enter(ctx, "release key")
	if err != nil {
		return err
	}
	defer leave()
	if b.keys[name].taskID == taskID {
		delete(b.keys, name)
	}
	return nil
}

// ReleaseKeys implements [taskflow.KeyReleaser].
func (b *Backend) ReleaseKeys(ctx context.Context, held []taskflow.Reservation) error {
	leave, err := b.enter(ctx, "release keys")
	if err != nil {
		return err
	}
	defer leave()
	for _, r := range held {
		if b.keys[r.Key].taskID == r.TaskID {
			delete(b.keys, r.Key)
		}
	}
	return nil
}

// TakeSlot implements [taskflow.SlotStore].
func (b *Backend) TakeSlot(ctx context.Context, schedule string, slot time.Time) (taken bool, err error) {
	leave, err := b.enter(ctx, "take slot")
	if err != nil {
		return false, err
	}
	defer leave()
	slot = utc(slot).Truncate(time.Microsecond)
	if last, some := b.slots[schedule]; some && !slot.After(last) {
		return false, nil
	}
	b.slots[schedule] = slot
	return true, nil
}
