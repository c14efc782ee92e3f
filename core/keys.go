package taskflow

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// DefaultKeyRetention is how long an [IdempotencyKey] is kept, counted from Add, unless [KeyRetention] says otherwise.
const DefaultKeyRetention = 24 * time.Hour

// keyTimeout bounds how long Add waits for the backend to reserve a key.
const keyTimeout = 2 * time.Second

// IdempotencyKey lets one task at a time have this key, on all instances that share the backend: Add and Submit with a key that a
// task has already add nothing, and return a Handle of that task, see [Handle.Duplicate]. The key is free again when its task has not
// succeeded (failed, interrupted, cancelled), or when its retention is over. From 1 to [MaxKeyBytes] bytes of UTF-8; usually what the
// client sent in its Idempotency-Key header, together with the user's id. Add with a key asks the backend, for at most 2 s; without
// an answer, and before Start, the task is refused. A backend without [KeyStore] keeps keys apart within this process only.
func IdempotencyKey(key string) AddOption {
	return addOption(func(in *invocation) error {
		switch {
		case key == "":
			return invalid("IdempotencyKey: the key is empty")
		case len(key) > MaxKeyBytes:
			return invalid("IdempotencyKey: the key has %d bytes, the limit is %d", len(key), MaxKeyBytes)
		case !utf8.ValidString(key) || strings.IndexByte(key, 0) >= 0:
			return invalid("IdempotencyKey: the key %q is not valid UTF-8, or has a zero byte", key)
		}
		in.key = strings.Clone(key)
		return nil
	})
}

// KeyRetention is how long the [IdempotencyKey] of this call is kept, counted from Add. From 1 s; default [DefaultKeyRetention].
func KeyRetention(d time.Duration) AddOption {
	return addOption(func(in *invocation) error {
		if d < time.Second {
			return invalid("KeyRetention: must be at least 1s, not %v", d)
		}
		in.keep = d
		return nil
	})
}

// Unique runs a Call at most once in a window (from 1 s) for the same arguments: it is an [IdempotencyKey] made of the task's name and its
// arguments as JSON. A call with an IdempotencyKey of its own is not unique besides. A closure has no arguments to compare and is refused.
func Unique(window time.Duration) Option {
	return policyOption(func(p *policy) error {
		if window < time.Second {
			return invalid("Unique: the window must be at least 1s, not %v", window)
		}
		p.unique = window
		return nil
	})
}

// uniqueKey is the key of a call that is unique by its arguments.
func uniqueKey(name string, args []byte) string {
	h := sha256.New()
	h.Write([]byte(name))
	h.Write([]byte{0})
	h.Write(args)
	return "unique:" + hex.EncodeToString(h.Sum(nil))
}

// keys gives idempotency keys to tasks: by the backend, or by a table of this process when there is none.
type keys struct {
	m     *Manager
	store KeyStore // nil: the table

	mu    sync.Mutex
	table map[string]heldKey
	swept time.Time
}

type heldKey struct {
	id   string
	ends time.Time
}

func newKeys(m *Manager) *keys {
	k := &keys{m: m, table: map[string]heldKey{}}
	k.store, _ = m.cfg.backend.(KeyStore)
	return k
}

// reserve gives key to the task id, or returns the id of the task that has it.
func (k *keys) reserve(ctx context.Context, key, id string, keep time.Duration) (holder string, err error) {
	if k.store == nil {
		return k.reserveHere(key, id, keep), nil
	}
	if !k.m.life.running() {
		return "", fmt.Errorf("%w, or not started yet: the backend cannot be asked for the key", ErrStopped)
	}
	ctx, cancel := context.WithTimeout(ctx, keyTimeout)
	defer cancel()
	holder, err = k.store.ReserveKey(ctx, Reservation{Key: key, TaskID: id, Owner: k.m.Instance(), Retention: keep})
	if err != nil {
		return "", fmt.Errorf("reserve the idempotency key %q: %w", key, err)
	}
	return holder, nil
}

func (k *keys) reserveHere(key, id string, keep time.Duration) (holder string) {
	now := time.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	if held, ok := k.table[key]; ok && now.Before(held.ends) {
		return held.id
	}
	if now.Sub(k.swept) > time.Minute { // now and then, drop what is over
		k.swept = now
		for key, held := range k.table {
			if !now.Before(held.ends) {
				delete(k.table, key)
			}
		}
	}
	k.table[key] = heldKey{id, now.Add(keep)}
	return id
}

// settle frees the keys of records that have ended without success. What the backend refuses stays until its retention is over.
func (k *keys) settle(ctx context.Context, records []Record) {
	for i := range records {
		if r := &records[i]; r.Key != "" && r.Status != StatusSuccess {
			k.release(ctx, r.Key, r.ID)
		}
	}
}

// releaseHere frees a key of the table.
func (k *keys) releaseHere(key, id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.table[key].id == id {
		delete(k.table, key)
	}
}

func (k *keys) release(ctx context.Context, key, id string) {
	if k.store == nil {
		k.releaseHere(key, id)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, keyTimeout)
	defer cancel()
	if err := k.store.ReleaseKey(ctx, key, id); err != nil {
		k.m.log.Warn("taskflow: the idempotency key of a task that failed could not be freed; it stays until its retention is over",
			"task_id", id, "key", key, "error", err)
	}
}
