package taskflow

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// companions are the goroutines that Alongside has started.
type companions struct {
	mu   sync.Mutex   // so that nothing is started once ctx has ended
	left atomic.Int32 // that have not returned
	wg   sync.WaitGroup
	ctx  context.Context // ends with BeginShutdown; made by New
	end  context.CancelCauseFunc
}

func (c *companions) init() { c.ctx, c.end = context.WithCancelCause(context.Background()) }

// stop tells them to end, and lets no more begin.
func (c *companions) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end(ErrStopped)
}

// Alongside calls f in a goroutine of the manager's, for what works on tasks beside them and needs the backend to its end, as the dashboard's
// operations do. Its context ends, with the cause ErrStopped, when the manager begins to stop ([Manager.BeginShutdown], Stop); f then ends what
// it has begun, and returns. Stop waits for it before it closes the backend: until no task is left, or the drain time is over, and up to 10 s
// more, after which its error says that something did not return. It may be called before Start. Once the manager begins to stop it returns
// ErrStopped, and f is not called.
func (m *Manager) Alongside(f func(ctx context.Context)) error {
	c := &m.companions
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx.Err() != nil {
		return fmt.Errorf("taskflow: alongside: %w", ErrStopped)
	}
	c.left.Add(1)
	c.wg.Go(func() { // ends with f; Stop waits for it
		defer c.left.Add(-1)
		f(c.ctx)
	})
	return nil
}

// endCompanions waits until they have returned, at most until ctx ends.
func (m *Manager) endCompanions(ctx context.Context) error {
	c := &m.companions
	if c.left.Load() > 0 && !returned(ctx, &c.wg) && c.left.Load() > 0 { // what comes before this may have used up the time
		return errors.New("taskflow: stop: what runs alongside (Manager.Alongside) did not return")
	}
	return nil
}

// returned waits for goroutines that run code of others; false: ctx ended first.
func returned(ctx context.Context, wg *sync.WaitGroup) bool {
	done := make(chan struct{})
	go func() { // ends with the last of them
		wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}
