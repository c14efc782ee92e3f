package redis

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// decode reads the row of a record; full: with log, stack and arguments, of which detail holds the long ones.
func decode(id, row, detail string, full bool) (taskflow.Record, error) {
	var r taskflow.Record
	summary, inline, _ := strings.Cut(row, "\n")
	if err := r.UnmarshalJSON([]byte(summary)); err != nil {
		return r, err
	}
	if !taskflow.ValidID(id) {
		return r, errors.New("its id is not a UUID")
	}
	r.ID = id
	if inline == "" {
		inline = detail
	}
	if !full || inline == "" {
		return r, nil
	}
	var d struct {
		Logs  []string        `json:"logs"`
		Stack string          `json:"stacktrace"`
		Args  json.RawMessage `json:"args"`
		taskflow.RecordExtra
	}
	if err := json.Unmarshal([]byte(inline), &d); err != nil {
		return r, fmt.Errorf("its log, stack and arguments: %w", err)
	}
	r.Logs, r.Stack, r.Args, r.RecordExtra = d.Logs, d.Stack, bytes.Clone(d.Args), d.RecordExtra
	return r, nil
}

// decodePending reads the row of an unfinished record.
func decodePending(id, row, detail string, full bool) (taskflow.Record, error) {
	owner, rest, ok := cutFrame(row)
	if ok {
		_, rest, ok = cutFrame(rest) // its name
	}
	if ok {
		_, rest, ok = cutFrame(rest) // its mark
	}
	if !ok {
		return taskflow.Record{}, errors.New("it does not begin with owner, name and mark")
	}
	r, err := decode(id, rest, detail, full)
	r.Owner = owner
	return r, err
}

// cutFrame takes a text with its length in front off a row.
func cutFrame(row string) (text, rest string, ok bool) {
	length, rest, ok := strings.Cut(row, ":")
	n, err := strconv.ParseUint(length, 10, 31)
	if !ok || err != nil || int(n) > len(rest) {
		return "", "", false
	}
	return rest[:n], rest[n:], true
}

// store says where the records of one kind are.
type store struct {
	rows, details, ids string // hashes and the index of all ids
	decode             func(id, row, detail string, full bool) (taskflow.Record, error)
}

// The two stores, which never mix.
func historyStore() store { return store{"history", "detail", "index:all", decode} }
func pendingStore() store {
	return store{"pending", "pending-detail", "pending-ids", decodePending}
}

// reports keeps the log from saying the same of a row each time that a listing passes it.
type reports struct {
	mu   sync.Mutex
	said map[string]bool
}

// maxReports bounds what is remembered; then all is forgotten, and said once more.
const maxReports = 1000

func (r *reports) first(row string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.said[row] {
		return false
	}
	if r.said == nil || len(r.said) >= maxReports {
		r.said = map[string]bool{}
	}
	r.said[row] = true
	return true
}

// skipped reports a row that cannot be read: it must not hide the others.
func (b *Backend) skipped(hash, id string, err error) {
	if !b.reports.first(hash + " " + id) {
		return
	}
	b.cfg.log.Warn("redis: a row cannot be read and is skipped",
		slog.String("hash", "{"+b.cfg.prefix+"}:"+hash), slog.String("field", id), slog.Any("error", err))
}

// text and list read replies of scripts, whose form this package itself has decided on.
func text(v any) string {
	s, _ := v.(string)
	return s
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

func number(v any) int64 {
	n, _ := v.(int64)
	return n
}
