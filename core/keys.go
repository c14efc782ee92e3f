package taskflow

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
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
// an answer, and before Start, the task is refused.
//
// What Submit returns without an error is safe, also when it is another's task: it waits for the commit of one that is being submitted, and
// returns an error (ErrNotDurable) when the key is that of a task of Add, which is in memory only. Once it has the key, the end of its context
// does not stop it: the client may ask again and be told that the task is safe.
//
// A backend without [KeyStore] keeps keys apart within this process only.
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
	stale atomic.Bool

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

// reserve gives its key to a job, under the name owner of this instance, or returns the id of the task that has it. It takes until ends at most.
func (k *keys) reserve(ctx context.Context, j *job, owner string, ends time.Time) (holder string, err error) {
	id := j.id.String()
	if k.store == nil {
		return k.reserveHere(j.key, id, j.keep), nil
	}
	if !k.m.life.running() && !k.m.life.saving() {
		return "", fmt.Errorf("%w, or not started yet: the backend cannot be asked for the key", ErrStopped)
	}
	if k.m.peers != nil && k.m.peers.outcast.Load() {
		return "", fmt.Errorf("%w, and the backend cannot be reached to get another: a key would be held by nobody", ErrLeaseLost)
	}
	asking, cancel := context.WithDeadline(ctx, ends)
	defer cancel()
	holder, err = k.store.ReserveKey(asking, Reservation{Key: j.key, TaskID: id, Owner: owner, Retention: j.keep})
	if err == nil {
		return holder, nil
	}
	err = fmt.Errorf("reserve the idempotency key %q: %w", j.key, err)
	// Only the answer may be lost. If there is no time for this, or it fails too, the key is free when the history has the refused task.
	releasing, cancel := context.WithDeadline(context.WithoutCancel(ctx), ends)
	defer cancel()
	if releasing.Err() == nil {
		if free := k.store.ReleaseKey(releasing, j.key, id); free != nil {
			err = fmt.Errorf("%w (and release it: %w)", err, free)
		}
	}
	return "", err
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

// settle frees the keys of records that have ended without success and that the history has. The backend takes a key that it does not free now
// for free all the same: see [KeyStore]. ctx ends it; it has keyTimeout for itself.
func (k *keys) settle(ctx context.Context, records []Record) {
	var held []Reservation
	for i := range records {
		switch r := &records[i]; {
		case r.Key == "" || r.Status == StatusSuccess:
		case k.store == nil:
			k.releaseHere(r.Key, r.ID)
		default:
			held = append(held, Reservation{Key: r.Key, TaskID: r.ID})
		}
	}
	if len(held) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, keyTimeout)
	defer cancel()
	if n, err := k.releaseAll(ctx, held); err != nil {
		k.m.log.Warn("taskflow: idempotency keys of tasks without success could not be deleted; they are free all the same", "count", n, "error", err)
	}
}

// releaseAll frees keys in the backend; missed is how many it has not, as far as is known.
func (k *keys) releaseAll(ctx context.Context, held []Reservation) (missed int, err error) {
	if many, ok := k.store.(KeyReleaser); ok && len(held) > 1 {
		if err := many.ReleaseKeys(ctx, held); err != nil {
			return len(held), err
		}
		return 0, nil
	}
	for i, r := range held {
		if ctx.Err() != nil {
			return missed + len(held) - i, ctx.Err()
		}
		if e := k.store.ReleaseKey(ctx, r.Key, r.TaskID); e != nil {
			missed, err = missed+1, e
		}
	}
	return missed, err
}

// releaseHere frees a key of the table.
func (k *keys) releaseHere(key, id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.table[key].id == id {
		delete(k.table, key)
	}
}

// lapsed notes that the keys of what is in memory are reserved under a name that this instance has no more.
func (k *keys) lapsed() { k.stale.Store(true) }

// renew reserves those keys anew, under the present name. It is called with each heartbeat: what fails, or was being added meanwhile, is met by the
// next one.
func (k *keys) renew(ctx context.Context) {
	if k.store == nil || !k.stale.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, min(peersTimeout, k.m.cfg.lease/3))
	defer cancel()
	own := k.m.name.Load()
	jobs := k.heldOtherwise(own)
	for _, j := range jobs {
		rest := j.keep - time.Since(timeOf(j.created))
		if rest >= time.Millisecond {
			holder, err := k.store.ReserveKey(ctx, Reservation{Key: j.key, TaskID: j.id.String(), Owner: *own, Retention: rest})
			if err != nil {
				k.m.log.Warn("taskflow: the idempotency keys of tasks in memory cannot be reserved under the new name yet; others may get them", "error", err)
				return
			}
			if holder != j.id.String() {
				k.m.log.Warn("taskflow: another task has got the idempotency key of a task in memory while the lease was lost: both run",
					"task_id", j.id.String(), "key", j.key, "holder", holder)
			}
		}
		j.mu.Lock()
		j.keyOwner = own
		j.mu.Unlock()
	}
	if len(jobs) == 0 {
		k.stale.Store(false)
	}
}

// heldOtherwise returns the jobs that hold a key by nothing but the name under which it was reserved, if that is not own: they have no row, and are unfinished, or
// a success that is not in the history yet.
func (k *keys) heldOtherwise(own *string) (jobs []*job) {
	look := func(j *job, success bool) {
		j.mu.Lock()
		defer j.mu.Unlock()
		if j.keyOwner != nil && j.keyOwner != own && j.owner == "" && (!success && !j.status.Final() || success && j.status == StatusSuccess) {
			jobs = append(jobs, j)
		}
	}
	k.m.registry.walk(taskID{}, func(j *job) bool {
		look(j, false)
		return true
	})
	for _, j := range k.m.history.unsaved() {
		look(j, true)
	}
	return jobs
}
