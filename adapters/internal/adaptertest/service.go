package adaptertest

import (
	"context"
	"errors"
	"testing"
)

// errTestOver is the cause of the end of a service.
var errTestOver = errors.New("the test asked for it")

// Service is a call of an adapter's Run in the background.
type Service struct {
	t     testing.TB
	stop  context.CancelCauseFunc
	ended chan struct{}
	err   error
}

// Start calls run. The test waits for its return, at the latest at its own end.
func Start(t testing.TB, run func(context.Context) error) *Service {
	t.Helper()
	ctx, stop := context.WithCancelCause(context.Background())
	s := &Service{t: t, stop: stop, ended: make(chan struct{})}
	go func() { // waited for by Wait, which Cleanup calls
		defer close(s.ended)
		s.err = run(ctx)
	}()
	t.Cleanup(func() {
		stop(errTestOver)
		<-s.ended
	})
	return s
}

// Stop asks the service to end, as a signal does.
func (s *Service) Stop() { s.stop(errTestOver) }

// Wait returns what run returned.
func (s *Service) Wait() error {
	s.t.Helper()
	Receive(s.t, "the end of Run", s.ended)
	return s.err
}
