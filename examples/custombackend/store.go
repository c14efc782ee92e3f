package main

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"log/slog"
	"maps"
	"os"
	"slices"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// readHistory finds the line of each finished task: the last one that it has. A line that cannot be read is logged and skipped: a crash may
// have cut the last one short, and it must not hide the others.
func (b *Backend) readHistory() error {
	return eachLine(b.file("history"), func(at int64, text []byte) error {
		var r taskflow.Record
		if err := json.Unmarshal(text, &r); err != nil {
			slog.Warn("jsonl: a line cannot be read and is skipped", "file", b.file("history"), "byte", at, "error", err)
			return nil
		}
		b.lines[r.ID] = line{at: at, size: len(text), owner: r.Owner, status: r.Status}
		return nil
	})
}

// readPending reads the rows. Those of tasks that are finished are none: Save leaves them in the file, so that it has one file to write, and
// a crash in the middle of it leaves the task in one store or in the other.
func (b *Backend) readPending() error {
	return eachLine(b.file("pending"), func(at int64, text []byte) error {
		var r taskflow.Record
		if err := json.Unmarshal(text, &r); err != nil {
			slog.Warn("jsonl: a line cannot be read and is left as it is", "file", b.file("pending"), "byte", at, "error", err)
			b.unread = append(b.unread, text)
			return nil
		}
		if _, done := b.lines[r.ID]; !done {
			b.pending[r.ID] = row{text: text, name: r.Name, owner: r.Owner}
		}
		return nil
	})
}

// setPending writes the file anew, and only then takes these rows for the present ones: all or none.
func (b *Backend) setPending(rows map[string]row) error {
	err := replaceFile(b.file("pending"), func(w io.Writer) error {
		for _, id := range slices.Sorted(maps.Keys(rows)) {
			if _, err := w.Write(rows[id].text); err != nil {
				return err
			}
		}
		for _, text := range b.unread {
			if _, err := w.Write(text); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		b.pending = rows
	}
	return err
}

// finished reads the records of the given tasks, one after the other.
func (b *Backend) finished(ctx context.Context, ids []string) iter.Seq2[taskflow.Record, error] {
	return func(yield func(taskflow.Record, error) bool) {
		if len(ids) == 0 {
			return // there may be no file yet
		}
		f, err := os.Open(b.file("history"))
		if err != nil {
			yield(taskflow.Record{}, err)
			return
		}
		defer func() { _ = f.Close() }() // it was only read
		for _, id := range ids {
			text := make([]byte, b.lines[id].size)
			_, err := f.ReadAt(text, b.lines[id].at)
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(taskflow.Record{}, err)
				return
			}
			if r, ok := decode(id, text); ok && !yield(r, nil) {
				return
			}
		}
	}
}

// unfinished does the same with rows.
func (b *Backend) unfinished(ctx context.Context, ids []string) iter.Seq2[taskflow.Record, error] {
	return func(yield func(taskflow.Record, error) bool) {
		for _, id := range ids {
			if err := ctx.Err(); err != nil {
				yield(taskflow.Record{}, err)
				return
			}
			if r, ok := decode(id, b.pending[id].text); ok && !yield(r, nil) {
				return
			}
		}
	}
}

// decode logs what cannot be read: the disk has changed it since it was read last.
func decode(id string, text []byte) (r taskflow.Record, ok bool) {
	if err := json.Unmarshal(text, &r); err != nil {
		slog.Warn("jsonl: a record cannot be read and is skipped", "task_id", id, "error", err)
		return r, false
	}
	return r, true
}
