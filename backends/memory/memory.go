// Package memory is a backend that keeps everything in the memory of the process.
//
// It offers every capability of [taskflow.Backend] in the plainest way there is: maps, one mutex, and a loop over all
// records for each question. That makes it the backend of tests, where nothing should outlive the test, and the model that
// other backends are compared with:
//
//	m, err := taskflow.New(taskflow.WithBackend(memory.New()))
//
// It is not for production: everything is gone with the process, a listing costs as much as the whole history, and the
// history grows until DeleteBefore is called. A manager without any backend keeps a bounded number of finished tasks by
// itself; package sqlite keeps them in a file.
package memory

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// ErrClosed is returned by every method after Close.
var ErrClosed = errors.New("the backend is closed")

// Backend implements [taskflow.Backend] and all of its optional interfaces but [taskflow.Opener]. Made by [New]. Safe for
// concurrent use. Several managers of one process may share it, as they would share a server.
type Backend struct {
	mu        sync.Mutex
	closed    chan struct{} // closed by Close
	history   map[string]taskflow.Record
	pending   map[string]pendingRow
	audit     []taskflow.AuditEntry // by ascending id
	secrets   map[string][]byte
	instances map[string]instance
	keys      map[string]key
	slots     map[string]time.Time // the last that was taken of each schedule
	messages  []message            // oldest first
	posted    int64                // the number of the newest message; it never goes back
	states    map[string][]byte
	series    map[seriesKey][]byte
	listeners map[int]chan struct{}
	listened  int // listeners so far
}

// New returns an empty backend, ready to use.
func New() *Backend {
	return &Backend{
		closed:  make(chan struct{}),
		history: map[string]taskflow.Record{}, pending: map[string]pendingRow{}, secrets: map[string][]byte{},
		instances: map[string]instance{}, keys: map[string]key{}, slots: map[string]time.Time{}, listeners: map[int]chan struct{}{},
		states: map[string][]byte{}, series: map[seriesKey][]byte{},
	}
}

// Close empties the backend. Calling it again does nothing.
func (b *Backend) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.isClosed() {
		return nil
	}
	close(b.closed)
	b.history, b.pending, b.audit, b.secrets = nil, nil, nil, nil
	b.instances, b.keys, b.slots, b.messages = nil, nil, nil, nil
	b.states, b.series = nil, nil
	return nil
}

func (b *Backend) isClosed() bool {
	select {
	case <-b.closed:
		return true
	default:
		return false
	}
}

// enter begins an operation: it takes the lock unless the context has ended or the backend is closed. The caller defers
// the returned function.
func (b *Backend) enter(ctx context.Context, operation string) (leave func(), err error) {
	b.mu.Lock()
	if err = ctx.Err(); err == nil && b.isClosed() {
		err = ErrClosed
	}
	if err != nil {
		b.mu.Unlock()
		return nil, fmt.Errorf("memory: %s: %w", operation, err)
	}
	return b.mu.Unlock, nil
}

// Save implements [taskflow.Backend].
func (b *Backend) Save(ctx context.Context, records []taskflow.Record) (int, error) {
	leave, err := b.enter(ctx, "save")
	if err != nil {
		return 0, err
	}
	defer leave()
	written := 0
	for _, r := range records {
		if b.heldByAnother(&r) {
			continue
		}
		b.history[r.ID] = clone(r)
		delete(b.pending, r.ID)
		written++
	}
	return written, nil
}

// heldByAnother reports whether a finished record comes from an owner that does not hold its task any more.
func (b *Backend) heldByAnother(r *taskflow.Record) bool {
	if r.Owner == "" {
		return false
	}
	owner := b.history[r.ID].Owner
	if row, pending := b.pending[r.ID]; pending {
		owner = row.record.Owner
	}
	return owner != "" && owner != r.Owner
}

// Load implements [taskflow.Backend].
func (b *Backend) Load(ctx context.Context) ([]taskflow.Record, error) {
	leave, err := b.enter(ctx, "load")
	if err != nil {
		return nil, err
	}
	defer leave()
	all := make([]taskflow.Record, 0, len(b.history))
	for _, r := range b.history {
		all = append(all, clone(r))
	}
	return all, nil
}

// DeleteBefore implements [taskflow.Deleter].
func (b *Backend) DeleteBefore(ctx context.Context, t time.Time) (int, error) {
	leave, err := b.enter(ctx, "delete")
	if err != nil {
		return 0, err
	}
	defer leave()
	before := len(b.history)
	maps.DeleteFunc(b.history, func(_ string, r taskflow.Record) bool { return r.CreatedAt.Before(t) })
	return before - len(b.history), nil
}

// Delete implements [taskflow.RecordDeleter].
func (b *Backend) Delete(ctx context.Context, ids []string) (int, error) {
	leave, err := b.enter(ctx, "delete")
	if err != nil {
		return 0, err
	}
	defer leave()
	before := len(b.history)
	for _, id := range ids {
		delete(b.history, id)
	}
	return before - len(b.history), nil
}

// Stats implements [taskflow.StatsReader].
func (b *Backend) Stats(ctx context.Context) (taskflow.Stats, error) {
	leave, err := b.enter(ctx, "stats")
	if err != nil {
		return taskflow.Stats{}, err
	}
	defer leave()
	var s taskflow.Stats
	for _, r := range b.history {
		s.Add(&r)
	}
	return s, nil
}

// clone returns a copy that shares nothing with r, its times in UTC and without a monotonic clock, as if it had been stored.
func clone(r taskflow.Record) taskflow.Record {
	for _, t := range []*time.Time{&r.CreatedAt, &r.RunAt, &r.StartTime, &r.EndTime} {
		*t = t.Round(0).UTC()
	}
	r.Tags, r.Logs, r.Args = maps.Clone(r.Tags), slices.Clone(r.Logs), slices.Clone(r.Args)
	r.Children, r.AttemptLog, r.Result = slices.Clone(r.Children), slices.Clone(r.AttemptLog), slices.Clone(r.Result)
	return r
}
