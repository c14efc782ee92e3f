package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

var _ taskflow.KeyStore = (*Backend)(nil)

// key is a line of keys.jsonl: who has an idempotency key, and until when. A key that nobody has any more has no task.
type key struct {
	Key    []byte    `json:"key"` // any bytes, which text in JSON cannot be
	TaskID string    `json:"task_id"`
	Owner  string    `json:"owner"`
	Ends   time.Time `json:"ends"`
}

// ReserveKey gives the key to the task that asks, unless another one has it.
func (b *Backend) ReserveKey(ctx context.Context, r taskflow.Reservation) (holder string, err error) {
	leave, err := b.enter(ctx, "reserve key")
	if err != nil {
		return "", err
	}
	defer leave()
	now := time.Now()
	if k, taken := b.keys[r.Key]; taken && k.TaskID != r.TaskID && now.Before(k.Ends) && b.holds(k) {
		return k.TaskID, nil
	}
	if err := b.setKey(key{[]byte(r.Key), r.TaskID, r.Owner, now.Add(r.Retention)}); err != nil {
		return "", fmt.Errorf("jsonl: reserve key: %w", err)
	}
	return r.TaskID, nil
}

// holds reports whether the task that was given a key still has it: it is unfinished, or has succeeded. One that is in neither store is in
// the memory of the instance that added it, unless that is gone.
func (b *Backend) holds(k key) bool {
	if _, unfinished := b.pending[k.TaskID]; unfinished {
		return true
	}
	if l, done := b.lines[k.TaskID]; done {
		return l.status == taskflow.StatusSuccess
	}
	_, joined := b.instances[k.Owner]
	return joined
}

// keyLost reports whether another task was given the key of one that is not stored yet: its instance was away for longer than its lease.
func (b *Backend) keyLost(r taskflow.Record) bool {
	k, taken := b.keys[r.Key]
	_, stored := b.pending[r.ID]
	return r.Key != "" && taken && k.TaskID != r.ID && !stored
}

// ReleaseKey frees the key if that task has it.
func (b *Backend) ReleaseKey(ctx context.Context, name, taskID string) error {
	leave, err := b.enter(ctx, "release key")
	if err != nil {
		return err
	}
	defer leave()
	if k, taken := b.keys[name]; !taken || k.TaskID != taskID {
		return nil
	}
	if err := b.setKey(key{Key: []byte(name)}); err != nil {
		return fmt.Errorf("jsonl: release key: %w", err)
	}
	return nil
}

// setKey appends a line. When the file has doubled, it is written anew: most of its lines may count no more.
func (b *Backend) setKey(k key) error {
	if b.keyLines > b.keyLimit {
		if err := b.shrinkKeys(); err != nil {
			return err
		}
	}
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	if _, err := appendLines(b.file("keys"), [][]byte{append(text, '\n')}); err != nil {
		return err
	}
	b.noteKey(k)
	return nil
}

func (b *Backend) noteKey(k key) {
	b.keyLines++
	if k.TaskID == "" {
		delete(b.keys, string(k.Key))
	} else {
		b.keys[string(k.Key)] = k
	}
}

// readKeys reads the file at Open, and writes it anew.
func (b *Backend) readKeys() error {
	err := eachLine(b.file("keys"), func(at int64, text []byte) error {
		var k key
		if err := json.Unmarshal(text, &k); err != nil {
			slog.Warn("jsonl: a key cannot be read and is dropped", "file", b.file("keys"), "byte", at, "error", err)
			return nil
		}
		b.noteKey(k)
		return nil
	})
	if err != nil || b.keyLines == 0 {
		return err
	}
	return b.shrinkKeys()
}

// shrinkKeys writes the file anew, without the keys whose retention is over.
func (b *Backend) shrinkKeys() error {
	kept, now := maps.Clone(b.keys), time.Now()
	maps.DeleteFunc(kept, func(_ string, k key) bool { return !now.Before(k.Ends) })
	err := replaceFile(b.file("keys"), func(w io.Writer) error {
		out := json.NewEncoder(w)
		for _, k := range kept {
			if err := out.Encode(k); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		b.keys, b.keyLines, b.keyLimit = kept, len(kept), 2*len(kept)+1000
	}
	return err
}
