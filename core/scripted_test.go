package taskflow_test

import (
	"context"
	"sync"
	"sync/atomic"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// scripted is a way to a shared backend on which a test may come in between. Nil functions are not called.
type scripted struct {
	*wire

	mu      sync.Mutex
	reserve func(context.Context, taskflow.Reservation) (string, error)
	release func() error
	put     func([]taskflow.Record) error
	save    func(context.Context, []taskflow.Record) (int, error)
	looks   atomic.Int64 // at pending rows
}

// on scripts s.
func (s *scripted) on(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *scripted) ReserveKey(ctx context.Context, r taskflow.Reservation) (string, error) {
	s.mu.Lock()
	reserve := s.reserve
	s.mu.Unlock()
	if reserve != nil {
		return reserve(ctx, r)
	}
	return s.wire.ReserveKey(ctx, r)
}

func (s *scripted) ReleaseKey(ctx context.Context, key, task string) error {
	s.mu.Lock()
	release := s.release
	s.mu.Unlock()
	if release != nil {
		if err := release(); err != nil {
			return err
		}
	}
	return s.wire.ReleaseKey(ctx, key, task)
}

func (s *scripted) ReleaseKeys(ctx context.Context, held []taskflow.Reservation) error {
	for _, r := range held {
		if err := s.ReleaseKey(ctx, r.Key, r.TaskID); err != nil {
			return err
		}
	}
	return nil
}

func (s *scripted) PutPending(ctx context.Context, records []taskflow.Record) error {
	s.mu.Lock()
	put := s.put
	s.mu.Unlock()
	if put != nil {
		if err := put(records); err != nil {
			return err
		}
	}
	return s.wire.PutPending(ctx, records)
}

func (s *scripted) Save(ctx context.Context, records []taskflow.Record) (int, error) {
	s.mu.Lock()
	save := s.save
	s.mu.Unlock()
	if save != nil {
		return save(ctx, records)
	}
	return s.wire.Save(ctx, records)
}

func (s *scripted) GetPending(ctx context.Context, id string) (taskflow.Record, error) {
	s.looks.Add(1)
	return s.wire.GetPending(ctx, id)
}

// scripted is instance with a scripted way to the backend.
func (c *cluster) scripted(opts ...taskflow.ManagerOption) (*taskflow.Manager, *scripted) {
	c.t.Helper()
	s := &scripted{wire: &wire{Backend: c.backend}}
	return started(c.t, append([]taskflow.ManagerOption{taskflow.WithBackend(s)}, opts...)...), s
}
