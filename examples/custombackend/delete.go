package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

var _ taskflow.Deleter = (*Backend)(nil)

// DeleteBefore writes the history anew, without the old records and the lines that count no more.
func (b *Backend) DeleteBefore(ctx context.Context, t time.Time) (int, error) {
	leave, err := b.enter(ctx, "delete")
	if err != nil {
		return 0, err
	}
	defer leave()
	// First the other file: it may have rows of tasks that are finished, which would be unfinished again without their records.
	if err := b.setPending(b.pending); err != nil {
		return 0, fmt.Errorf("jsonl: delete: %w", err)
	}
	kept, end := map[string]line{}, int64(0)
	err = replaceFile(b.file("history"), func(w io.Writer) error {
		return eachLine(b.file("history"), func(at int64, text []byte) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			var r taskflow.Record
			switch err := json.Unmarshal(text, &r); {
			case err != nil: // of a newer version, maybe: it stays
			case b.lines[r.ID].at != at, r.CreatedAt.Before(t):
				return nil
			default:
				kept[r.ID] = line{at: end, size: len(text), owner: r.Owner, status: r.Status}
			}
			n, err := w.Write(text)
			end += int64(n)
			return err
		})
	})
	if err != nil {
		return 0, fmt.Errorf("jsonl: delete: %w", err)
	}
	removed := len(b.lines) - len(kept)
	b.lines = kept
	return removed, nil
}
