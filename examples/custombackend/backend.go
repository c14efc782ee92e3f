package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/gofrs/flock"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// Backend keeps records in a folder: history.jsonl has a line for each finished task, pending.jsonl one for each unfinished one. This file has the
// six methods of taskflow.Backend; each other file adds one capability. One process at a time may use a folder, which a lock sees to.
type Backend struct {
	folder string
	lock   *flock.Flock // the kernel frees it when the process dies, however it dies

	mu      sync.Mutex // held by every method
	closed  bool
	lines   map[string]line // of history.jsonl: where the record of each task is
	pending map[string]row  // of pending.jsonl, by id
	unread  [][]byte        // lines of pending.jsonl that this version cannot read: they stay there

	instances map[string]lease // instances.go
	keys      map[string]key   // keys.go
	keyLines  int              // of the file
	keyLimit  int              // when it has more, it is written anew
}

// line is where a finished record is.
type line struct {
	at     int64
	size   int
	owner  string          // journal.go
	status taskflow.Status // keys.go
}

// row is an unfinished record, as its file has it.
type row struct {
	text        []byte
	snapshot    bool   // written by SavePending, so that the next one replaces it
	name, owner string // journal.go, claim.go
}

// Open returns the backend of a folder, which it creates if it is missing. It fails while another process uses the folder.
func Open(folder string) (*Backend, error) {
	b := &Backend{
		folder: folder, lock: flock.New(filepath.Join(folder, "lock"), flock.SetPermissions(0o600)),
		lines: map[string]line{}, pending: map[string]row{}, instances: map[string]lease{}, keys: map[string]key{},
	}
	if err := b.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("jsonl: open %s: %w", folder, err), b.lock.Close())
	}
	return b, nil
}

func (b *Backend) open() error {
	if err := os.MkdirAll(b.folder, 0o700); err != nil {
		return err
	}
	alone, err := b.lock.TryLock()
	switch {
	case err != nil:
		return err
	case !alone:
		return errors.New("another process uses the folder")
	}
	return errors.Join(b.readHistory(), b.readPending(), b.readKeys())
}

// Save appends. A task that is saved again has two lines then, and the later one counts.
func (b *Backend) Save(ctx context.Context, records []taskflow.Record) (int, error) {
	leave, err := b.enter(ctx, "save")
	if err != nil {
		return 0, err
	}
	defer leave()
	records = b.ours(records) // all of them, until there is a Journal
	texts, err := encode(records)
	if err != nil {
		return 0, fmt.Errorf("jsonl: save: %w", err)
	}
	at, err := appendLines(b.file("history"), texts)
	if err != nil {
		return 0, fmt.Errorf("jsonl: save: %w", err)
	}
	for i, r := range records {
		b.lines[r.ID] = line{at: at, size: len(texts[i]), owner: r.Owner, status: r.Status}
		at += int64(len(texts[i]))
		delete(b.pending, r.ID) // what is finished is not pending: see readPending
	}
	return len(records), nil
}

// Load reads every line that counts.
func (b *Backend) Load(ctx context.Context) ([]taskflow.Record, error) {
	leave, err := b.enter(ctx, "load")
	if err != nil {
		return nil, err
	}
	defer leave()
	all := make([]taskflow.Record, 0, len(b.lines))
	for r, err := range b.finished(ctx, slices.Sorted(maps.Keys(b.lines))) {
		if err != nil {
			return nil, fmt.Errorf("jsonl: load: %w", err)
		}
		all = append(all, r)
	}
	return all, nil
}

// SavePending replaces what the last call has written, and nothing else.
func (b *Backend) SavePending(ctx context.Context, records []taskflow.Record) (int, error) {
	leave, err := b.enter(ctx, "save pending")
	if err != nil {
		return 0, err
	}
	defer leave()
	rows := maps.Clone(b.pending)
	maps.DeleteFunc(rows, func(_ string, r row) bool { return r.snapshot })
	written := 0
	for _, r := range records {
		if _, done := b.lines[r.ID]; done {
			continue // a task that is finished is not pending again
		}
		r.Owner = "" // whoever starts next may take it
		kept, err := rowOf(r)
		if err != nil {
			return 0, fmt.Errorf("jsonl: save pending: %w", err)
		}
		kept.snapshot = true
		rows[r.ID] = kept
		written++
	}
	if err := b.setPending(rows); err != nil {
		return 0, fmt.Errorf("jsonl: save pending: %w", err)
	}
	return written, nil
}

// LoadPending returns the rows.
func (b *Backend) LoadPending(ctx context.Context) ([]taskflow.Record, error) {
	leave, err := b.enter(ctx, "load pending")
	if err != nil {
		return nil, err
	}
	defer leave()
	all := make([]taskflow.Record, 0, len(b.pending))
	for r, err := range b.unfinished(ctx, slices.Sorted(maps.Keys(b.pending))) {
		if err != nil {
			return nil, fmt.Errorf("jsonl: load pending: %w", err)
		}
		all = append(all, r)
	}
	return all, nil
}

// ClearPending removes the rows.
func (b *Backend) ClearPending(ctx context.Context) error {
	leave, err := b.enter(ctx, "clear pending")
	if err != nil {
		return err
	}
	defer leave()
	if err := b.setPending(map[string]row{}); err != nil {
		return fmt.Errorf("jsonl: clear pending: %w", err)
	}
	return nil
}

// Close lets another process have the folder. No file stays open between calls.
func (b *Backend) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	return b.lock.Close()
}

// enter begins every method: it takes the mutex unless the context has ended or the backend is closed. The caller defers leave.
func (b *Backend) enter(ctx context.Context, operation string) (leave func(), err error) {
	b.mu.Lock()
	if err = ctx.Err(); err == nil && b.closed {
		err = errors.New("the backend is closed")
	}
	if err != nil {
		b.mu.Unlock()
		return nil, fmt.Errorf("jsonl: %s: %w", operation, err)
	}
	return b.mu.Unlock, nil
}

func (b *Backend) file(name string) string { return filepath.Join(b.folder, name+".jsonl") }

// encode returns a line for each record. A record's JSON carries everything, and later versions read it.
func encode(records []taskflow.Record) ([][]byte, error) {
	texts := make([][]byte, len(records))
	for i, r := range records {
		text, err := json.Marshal(r)
		if err != nil {
			return nil, fmt.Errorf("record %s: %w", r.ID, err)
		}
		texts[i] = append(text, '\n')
	}
	return texts, nil
}

func rowOf(r taskflow.Record) (row, error) {
	texts, err := encode([]taskflow.Record{r})
	if err != nil {
		return row{}, err
	}
	return row{text: texts[0], name: r.Name, owner: r.Owner}, nil
}
