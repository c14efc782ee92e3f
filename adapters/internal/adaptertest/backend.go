package adaptertest

import (
	"context"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// slowBackend takes for ever to open: until its context ends, or beyond that when it is stuck.
type slowBackend struct {
	taskflow.Backend // nil: nothing is asked of a backend that was not opened
	opening          func()
	stuck            bool
}

// Open implements taskflow.Opener.
func (b *slowBackend) Open(ctx context.Context) error {
	b.opening()
	if b.stuck {
		select {}
	}
	<-ctx.Done()
	return ctx.Err()
}

// Close implements taskflow.Backend.
func (b *slowBackend) Close() error { return nil }
