package dashboard

import (
	"context"
	"sync"
	"time"
)

const (
	memoTime = 3 * time.Second // for which an answer that costs a walk is given again
	memoKeys = 64
)

// memo gives the answer to a question that costs something once to all who ask at the same time, and again to those who ask soon after. The zero memo
// is ready to use. Safe for concurrent use.
type memo[T any] struct {
	mu    sync.Mutex
	byKey map[string]*remembered[T]
}

type remembered[T any] struct {
	done  chan struct{} // closed when it is there
	since time.Time     // when it was asked for
	value T
	err   error
}

// get returns the answer for key, finding it by find unless it is known. The first who asks finds it, even when they have gone meanwhile: others wait for it. Errors
// are not remembered.
func (m *memo[T]) get(ctx context.Context, key string, find func(context.Context) (T, error)) (T, error) {
	m.mu.Lock()
	now := time.Now()
	known := m.byKey[key]
	if known == nil || now.Sub(known.since) >= memoTime && isClosed(known.done) {
		known = &remembered[T]{done: make(chan struct{}), since: now}
		m.remember(key, known, now)
		m.mu.Unlock()
		m.find(ctx, key, known, find)
		return known.value, known.err
	}
	m.mu.Unlock()
	select {
	case <-known.done:
		return known.value, known.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

func (m *memo[T]) find(ctx context.Context, key string, it *remembered[T], find func(context.Context) (T, error)) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
	defer cancel()
	defer func() { // also when find panics: nobody must wait for ever
		m.mu.Lock()
		defer m.mu.Unlock()
		if it.err != nil && m.byKey[key] == it {
			delete(m.byKey, key)
		}
		close(it.done)
	}()
	it.err = context.Canceled // unless find returns
	it.value, it.err = find(ctx)
}

// forget makes whoever asks from now on have the answer found anew: what it was found from has changed.
func (m *memo[T]) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.byKey)
}

// remember lets go of what is old first, and if nothing is and there is no room, of all. The caller holds m.mu.
func (m *memo[T]) remember(key string, it *remembered[T], now time.Time) {
	for k, old := range m.byKey {
		if now.Sub(old.since) >= memoTime && isClosed(old.done) {
			delete(m.byKey, k)
		}
	}
	if len(m.byKey) >= memoKeys {
		clear(m.byKey)
	}
	if m.byKey == nil {
		m.byKey = map[string]*remembered[T]{}
	}
	m.byKey[key] = it
}
