package main

import (
	"context"
	"sync/atomic"

	"github.com/taskflow-go/taskflow/backends/sqlite"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// backend is a SQLite backend that can be switched off, as if it stood on another machine that does not answer.
type backend struct {
	*sqlite.Backend

	off atomic.Bool
}

var errAway = taskflow.Unavailable("the test has switched the storage off")

func (b *backend) err() error {
	if b.off.Load() {
		return errAway
	}
	return nil
}

func (b *backend) Save(ctx context.Context, records []taskflow.Record) (int, error) {
	if err := b.err(); err != nil {
		return 0, err
	}
	return b.Backend.Save(ctx, records)
}

func (b *backend) PutPending(ctx context.Context, records []taskflow.Record) error {
	if err := b.err(); err != nil {
		return err
	}
	return b.Backend.PutPending(ctx, records)
}

func (b *backend) Query(ctx context.Context, q taskflow.Query) (taskflow.Page, error) {
	if err := b.err(); err != nil {
		return taskflow.Page{}, err
	}
	return b.Backend.Query(ctx, q)
}

func (b *backend) QueryPending(ctx context.Context, q taskflow.Query) (taskflow.Page, error) {
	if err := b.err(); err != nil {
		return taskflow.Page{}, err
	}
	return b.Backend.QueryPending(ctx, q)
}

func (b *backend) Get(ctx context.Context, id string) (taskflow.Record, error) {
	if err := b.err(); err != nil {
		return taskflow.Record{}, err
	}
	return b.Backend.Get(ctx, id)
}

func (b *backend) GetPending(ctx context.Context, id string) (taskflow.Record, error) {
	if err := b.err(); err != nil {
		return taskflow.Record{}, err
	}
	return b.Backend.GetPending(ctx, id)
}

func (b *backend) Count(ctx context.Context, f taskflow.Filter, limit int) (n int, exact bool, err error) {
	if err := b.err(); err != nil {
		return 0, false, err
	}
	return b.Backend.Count(ctx, f, limit)
}

func (b *backend) Stats(ctx context.Context) (taskflow.Stats, error) {
	if err := b.err(); err != nil {
		return taskflow.Stats{}, err
	}
	return b.Backend.Stats(ctx)
}
