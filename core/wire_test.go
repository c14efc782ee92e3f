package taskflow_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
)

var errCut = errors.New("the wire is cut")

// wire is one instance's way to a backend that others use too. While it is cut, nothing goes through: so is a process that was paused,
// killed, or separated from its backend.
type wire struct {
	*memory.Backend

	cut  atomic.Bool
	hold atomic.Bool   // Save alone does not go through
	mute atomic.Bool   // what the backend answers to Claim is lost
	dumb atomic.Bool   // Renew alone does not go through
	lag  time.Duration // of Claim
	late atomic.Int64  // nanoseconds until the answer to TakeSlot
	slow atomic.Int64  // nanoseconds until the answer to States
	kept atomic.Bool   // ReleaseKey alone does not go through
	deaf atomic.Bool   // ReserveKey is not answered
	keys atomic.Int64  // nanoseconds until its answer

	reservations atomic.Int64 // calls of ReserveKey
}

func (w *wire) Close() error { return nil } // the others go on

func (w *wire) err() error {
	if w.cut.Load() {
		return errCut
	}
	return nil
}

// lag passes some time. None is not waited for: the race detector of Go 1.26 dies now and then where a bubble waits for a timer of 0.
func lag(d time.Duration) {
	if d > 0 {
		<-time.After(d)
	}
}

func (w *wire) Save(ctx context.Context, r []taskflow.Record) (int, error) {
	if w.hold.Load() {
		return 0, errCut
	}
	if err := w.err(); err != nil {
		return 0, err
	}
	return w.Backend.Save(ctx, r)
}

func (w *wire) SavePending(ctx context.Context, r []taskflow.Record) (int, error) {
	if err := w.err(); err != nil {
		return 0, err
	}
	return w.Backend.SavePending(ctx, r)
}

func (w *wire) PutPending(ctx context.Context, r []taskflow.Record) error {
	if err := w.err(); err != nil {
		return err
	}
	return w.Backend.PutPending(ctx, r)
}

func (w *wire) Claim(ctx context.Context, owner string, names []string, limit int) ([]taskflow.Record, error) {
	if err := w.err(); err != nil {
		return nil, err
	}
	lag(w.lag)
	rows, err := w.Backend.Claim(ctx, owner, names, limit)
	if w.mute.Load() {
		return nil, errCut
	}
	return rows, err
}

func (w *wire) Join(ctx context.Context, i taskflow.Instance, ttl time.Duration) error {
	if err := w.err(); err != nil {
		return err
	}
	return w.Backend.Join(ctx, i, ttl)
}

func (w *wire) Renew(ctx context.Context, i taskflow.Instance, ttl time.Duration) error {
	if w.dumb.Load() {
		return errCut
	}
	if err := w.err(); err != nil {
		return err
	}
	return w.Backend.Renew(ctx, i, ttl)
}

func (w *wire) Leave(ctx context.Context, id string) error {
	if err := w.err(); err != nil {
		return err
	}
	return w.Backend.Leave(ctx, id)
}

func (w *wire) Expire(ctx context.Context) ([]string, error) {
	if err := w.err(); err != nil {
		return nil, err
	}
	return w.Backend.Expire(ctx)
}

func (w *wire) ReserveKey(ctx context.Context, r taskflow.Reservation) (string, error) {
	w.reservations.Add(1)
	if err := w.err(); err != nil {
		return "", err
	}
	if w.deaf.Load() {
		<-ctx.Done()
		return "", ctx.Err()
	}
	holder, err := w.Backend.ReserveKey(ctx, r)
	lag(time.Duration(w.keys.Load()))
	return holder, err
}

func (w *wire) TakeSlot(ctx context.Context, schedule string, slot time.Time) (bool, error) {
	if err := w.err(); err != nil {
		return false, err
	}
	taken, err := w.Backend.TakeSlot(ctx, schedule, slot)
	lag(time.Duration(w.late.Load()))
	return taken, err
}

func (w *wire) PutState(ctx context.Context, name string, value []byte) error {
	if err := w.err(); err != nil {
		return err
	}
	return w.Backend.PutState(ctx, name, value)
}

func (w *wire) States(ctx context.Context, prefix string) (map[string][]byte, error) {
	if err := w.err(); err != nil {
		return nil, err
	}
	states, err := w.Backend.States(ctx, prefix)
	lag(time.Duration(w.slow.Load()))
	return states, err
}

func (w *wire) ReleaseKey(ctx context.Context, key, taskID string) error {
	if w.kept.Load() {
		return errCut
	}
	if err := w.err(); err != nil {
		return err
	}
	return w.Backend.ReleaseKey(ctx, key, taskID)
}

func (w *wire) ReleaseKeys(ctx context.Context, held []taskflow.Reservation) error {
	if w.kept.Load() {
		return errCut
	}
	if err := w.err(); err != nil {
		return err
	}
	return w.Backend.ReleaseKeys(ctx, held)
}

func (w *wire) PutSeries(ctx context.Context, points []taskflow.SeriesPoint) error {
	if err := w.err(); err != nil {
		return err
	}
	err := w.Backend.PutSeries(ctx, points)
	if w.mute.Load() {
		return errCut
	}
	return err
}

// lockedBuffer is a log that may be read while it is written.
type lockedBuffer struct {
	mu   sync.Mutex
	text []byte
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text = append(b.text, p...)
	return len(p), nil
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.text)
}

// cluster is a backend and the instances that share it.
type cluster struct {
	t       *testing.T
	backend *memory.Backend
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	return &cluster{t, memory.New()}
}

// instance starts another manager.
func (c *cluster) instance(opts ...taskflow.ManagerOption) (*taskflow.Manager, *wire) {
	c.t.Helper()
	w := &wire{Backend: c.backend}
	return started(c.t, append([]taskflow.ManagerOption{taskflow.WithBackend(w)}, opts...)...), w
}

// history is what the backend says of a task.
func (c *cluster) history(id string) taskflow.Record {
	c.t.Helper()
	r, err := c.backend.Get(c.t.Context(), id)
	if err != nil {
		c.t.Fatalf("the history has no %s: %v", id, err)
	}
	return r
}
