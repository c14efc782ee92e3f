package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// Backend keeps records in a folder: history.jsonl has a line for each finished task, pending.jsonl one for each task that
// waits for the next start. It implements the six methods of taskflow.Backend and nothing more, so that every listing
// beyond the manager's window reads the whole file: good for some ten thousand tasks. One process at a time may use a folder.
type Backend struct {
	folder string

	mu     sync.Mutex // held by every method: the files have no locks of their own
	closed bool
}

// Open returns the backend of a folder, which it creates if it is missing.
func Open(folder string) (*Backend, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("jsonl: open: %w", err)
	}
	return &Backend{folder: folder}, nil
}

// Save appends. A task that is saved again has two lines then, and the later one counts: see Load.
func (b *Backend) Save(ctx context.Context, records []taskflow.Record) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	lines, err := b.encode(ctx, records)
	if err == nil && len(records) > 0 {
		err = appendLines(b.file("history"), lines)
	}
	if err != nil {
		return 0, fmt.Errorf("jsonl: save: %w", err)
	}
	return len(records), nil
}

// Load reads every line.
func (b *Backend) Load(ctx context.Context) ([]taskflow.Record, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	records, err := b.read(ctx, "history")
	if err != nil {
		return nil, fmt.Errorf("jsonl: load: %w", err)
	}
	return records, nil
}

// SavePending replaces the file at once: a crash leaves the old one or the new one.
func (b *Backend) SavePending(ctx context.Context, records []taskflow.Record) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	lines, err := b.encode(ctx, records)
	if err == nil {
		err = replaceFile(b.file("pending"), lines)
	}
	if err != nil {
		return 0, fmt.Errorf("jsonl: save pending: %w", err)
	}
	return len(records), nil
}

// LoadPending reads what SavePending wrote.
func (b *Backend) LoadPending(ctx context.Context) ([]taskflow.Record, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	records, err := b.read(ctx, "pending")
	if err != nil {
		return nil, fmt.Errorf("jsonl: load pending: %w", err)
	}
	return records, nil
}

// ClearPending removes the file.
func (b *Backend) ClearPending(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	err := b.usable(ctx)
	if err == nil {
		err = os.Remove(b.file("pending"))
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("jsonl: clear pending: %w", err)
	}
	return nil
}

// Close has nothing to release: no file stays open between calls.
func (b *Backend) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	return nil
}

func (b *Backend) file(name string) string { return filepath.Join(b.folder, name+".jsonl") }

func (b *Backend) usable(ctx context.Context) error {
	if b.closed {
		return errors.New("the backend is closed")
	}
	return ctx.Err()
}

// encode returns a line for each record. A record's JSON carries everything, and later versions read it.
func (b *Backend) encode(ctx context.Context, records []taskflow.Record) ([]byte, error) {
	if err := b.usable(ctx); err != nil {
		return nil, err
	}
	var lines bytes.Buffer
	for _, r := range records {
		line, err := json.Marshal(r)
		if err != nil {
			return nil, fmt.Errorf("record %s: %w", r.ID, err)
		}
		lines.Write(append(line, '\n'))
	}
	return lines.Bytes(), nil
}

// read returns the records of a file, the last line of each id. A line that cannot be read is logged and skipped: a crash
// may have cut the last one short, and it must not hide the others.
func (b *Backend) read(ctx context.Context, name string) ([]taskflow.Record, error) {
	if err := b.usable(ctx); err != nil {
		return nil, err
	}
	f, err := os.Open(b.file(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	var records []taskflow.Record
	index := map[string]int{}
	in := bufio.NewReader(f)
	for number := 1; ; number++ {
		line, err := in.ReadBytes('\n')
		if err == nil {
			err = ctx.Err()
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, errors.Join(err, f.Close())
		}
		if text := bytes.TrimSpace(line); len(text) > 0 {
			var r taskflow.Record
			if bad := json.Unmarshal(text, &r); bad != nil {
				slog.Warn("jsonl: a line cannot be read and is skipped", "file", f.Name(), "line", number, "error", bad)
			} else if i, again := index[r.ID]; again {
				records[i] = r
			} else {
				index[r.ID] = len(records)
				records = append(records, r)
			}
		}
		if err != nil {
			return records, f.Close()
		}
	}
}
