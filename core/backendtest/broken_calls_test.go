package backendtest

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
)

type losesSome struct {
	*memory.Backend
	calls atomic.Int64
}

func (b *losesSome) Save(ctx context.Context, records []taskflow.Record) (int, error) {
	if b.calls.Add(1)%10 == 0 {
		return len(records), nil
	}
	return b.Backend.Save(ctx, records)
}

type failsSometimes struct {
	*memory.Backend
	calls atomic.Int64
}

func (b *failsSometimes) Save(ctx context.Context, records []taskflow.Record) (int, error) {
	if b.calls.Add(1)%3 == 0 {
		return 0, errors.New("database is locked")
	}
	return b.Backend.Save(ctx, records)
}

type ignoresContext struct{ *memory.Backend }

func (b *ignoresContext) Save(_ context.Context, records []taskflow.Record) (int, error) {
	return b.Backend.Save(context.Background(), records)
}

// readsHalf gives up at the end of its context, and says nothing.
type readsHalf struct{ *memory.Backend }

func (b *readsHalf) Load(ctx context.Context) ([]taskflow.Record, error) {
	all, err := b.Backend.Load(context.WithoutCancel(ctx))
	if at, ok := ctx.Deadline(); ok && time.Until(at) < time.Second {
		<-ctx.Done()
		return all[:len(all)/2], err
	}
	return all, err
}

type closesOnce struct {
	*memory.Backend
	closed atomic.Bool
}

func (b *closesOnce) Close() error {
	if b.closed.Swap(true) {
		return errors.New("close of closed channel")
	}
	return b.Backend.Close()
}

type neverCloses struct{ *memory.Backend }

func (*neverCloses) Close() error { return nil }
