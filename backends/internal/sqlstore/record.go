package sqlstore

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// The columns of a listing and, after them, those of a record in full, in the order in which scanRecord reads them. Unfinished
// records have all of them in one table.
const (
	summaryColumns = `h.id, h.name, h.status, h.source, h.pool, h.priority, h.flags, h.created_at, h.run_at, h.start_time, h.end_time,
		h.attempts, h.max_retries, h.crashes, h.log_count, h.retry_of, h.retried_by, h.error, h.task_key, h.tags, h.owner`
	historyDetail = ", d.stack, d.logs, d.args"
	pendingDetail = ", h.stack, h.logs, h.args"
	joinDetail    = " LEFT JOIN {detail} d ON d.id = h.id"

	fullHistory = "SELECT " + summaryColumns + historyDetail + " FROM {history} h" + joinDetail
	fullPending = "SELECT " + summaryColumns + pendingDetail + " FROM {pending} h"
)

const (
	flagClosure = 1 << iota
	flagRequeue
	flagDurable
)

// encoded is a record on its way to the server.
type encoded struct {
	id     ID
	record *taskflow.Record
	row    []any // of recordColumns
	start  any   // as it is stored
	end    any
	stack  any
	logs   any
	args   any
}

func encodeAll(records []taskflow.Record) ([]*encoded, error) {
	list := make([]*encoded, len(records))
	for i := range records {
		e, err := encode(&records[i])
		if err != nil {
			return nil, fmt.Errorf("%w: record %q: %w", ErrInvalidRecord, records[i].ID, err)
		}
		list[i] = e
	}
	return list, nil
}

func encode(r *taskflow.Record) (*encoded, error) {
	id, err := checkRecord(r)
	if err != nil {
		return nil, err
	}
	tags, err := encodeJSON(r.Tags, len(r.Tags))
	if err != nil {
		return nil, err
	}
	logs, err := r.LogsJSON()
	if err != nil {
		return nil, err
	}
	e := &encoded{id: id, record: r, start: instant(r.StartTime), end: instant(r.EndTime), stack: optionalBytes(r.Stack)}
	if logs != nil {
		e.logs = logs
	}
	if r.Args != nil {
		e.args = []byte(r.Args)
	}
	e.row = make([]any, 0, len(pendingTable.Columns)) // pendingRow appends to it
	e.row = append(e.row, id, r.Name, string(r.Status), r.Source, r.Pool, int64(r.Priority), flags(r),
		instant(r.CreatedAt), instant(r.RunAt), e.start, e.end,
		int64(r.Attempts), int64(r.MaxRetries), int64(r.Crashes), int64(r.LogCount),
		optional(r.RetryOf), optional(r.RetriedBy), optional(r.Error), optionalBytes(r.Key), tags, searchText(r), optional(r.Owner))
	return e, nil
}

// detail is the row of detailTable, nil when there is nothing in it.
func (e *encoded) detail() []any {
	if e.stack == nil && e.logs == nil && e.args == nil {
		return nil
	}
	return []any{e.id, e.stack, e.logs, e.args}
}

// tags are the rows of tagTable.
func (e *encoded) tags() (rows [][]any) {
	for key, value := range e.record.Tags {
		rows = append(rows, []any{e.id, key, value})
	}
	return rows
}

// scanRecord reads a row of summaryColumns, with stack, logs and args if full. damage says why the row cannot be read: the caller skips
// it. err is a failure of the connection.
func scanRecord(row Row, full bool) (r taskflow.Record, id ID, damage, err error) {
	var (
		status                                     string
		flags                                      int64
		priority, attempts, retries, crashes, logs int64
		created, run, start, end                   *int64
		retryOf, retriedBy, errText, owner         *string
		key, tags, stack, logLines, args           []byte
	)
	dest := []any{
		&id, &r.Name, &status, &r.Source, &r.Pool, &priority, &flags, &created, &run, &start, &end,
		&attempts, &retries, &crashes, &logs, &retryOf, &retriedBy, &errText, &key, &tags, &owner,
	}
	if full {
		dest = append(dest, &stack, &logLines, &args)
	}
	if err := row.Scan(dest...); err != nil {
		return r, id, nil, err
	}
	r.ID, r.Status = id.String(), taskflow.Status(status)
	r.Priority, r.Attempts, r.MaxRetries, r.Crashes, r.LogCount = int(priority), int(attempts), int(retries), int(crashes), int(logs)
	r.Closure, r.Requeue, r.Durable = flags&flagClosure != 0, flags&flagRequeue != 0, flags&flagDurable != 0
	r.CreatedAt, r.RunAt, r.StartTime, r.EndTime = timeOf(created), timeOf(run), timeOf(start), timeOf(end)
	r.RetryOf, r.RetriedBy, r.Owner, r.Error, r.Key = text(retryOf), text(retriedBy), text(owner), text(errText), string(key)
	r.Stack, r.Args = string(stack), args
	if damage = decodeJSON(tags, &r.Tags); damage == nil {
		damage = r.SetLogsJSON(logLines)
	}
	return r, id, damage, nil
}

// instant returns the time as it is stored: nil for the zero time; what does not fit into 64 bits becomes the next that does.
func instant(t time.Time) any {
	switch {
	case t.IsZero():
		return nil
	case t.Year() < 1678:
		return int64(math.MinInt64)
	case t.Year() > 2261:
		return int64(math.MaxInt64)
	}
	return t.UnixNano()
}

func timeOf(ns *int64) time.Time {
	if ns == nil {
		return time.Time{}
	}
	return time.Unix(0, *ns).UTC()
}

// optional returns nil for the empty string.
func optional(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func optionalBytes(s string) any {
	if s == "" {
		return nil
	}
	return []byte(s)
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func flags(r *taskflow.Record) (f int64) {
	if r.Closure {
		f |= flagClosure
	}
	if r.Requeue {
		f |= flagRequeue
	}
	if r.Durable {
		f |= flagDurable
	}
	return f
}

// encodeJSON returns nil for what is empty. JSON is stored as bytes, so that no server changes it.
func encodeJSON(v any, size int) (any, error) {
	if size == 0 {
		return nil, nil
	}
	return json.Marshal(v)
}

func decodeJSON(b []byte, to any) error {
	if b == nil {
		return nil
	}
	return json.Unmarshal(b, to)
}

// searchText is what [taskflow.Filter.Text] is looked for in: name, error and values of tags in lower case, with zero bytes between them,
// which none of them has. Searching bytes is exact, whatever the server thinks of letters.
func searchText(r *taskflow.Record) []byte {
	size := len(r.Name) + 1 + len(r.Error)
	for _, value := range r.Tags {
		size += 1 + len(value)
	}
	b := make([]byte, 0, size)
	b = append(append(append(b, r.Name...), 0), r.Error...)
	for _, value := range r.Tags {
		b = append(append(b, 0), value...)
	}
	lower(b)
	return b
}

// marks is what the tags of an unfinished record are looked for in: mark finds one.
func marks(tags map[string]string) any {
	if len(tags) == 0 {
		return nil
	}
	var b []byte
	for key, value := range tags {
		b = append(b, mark(key, value)...)
	}
	return b
}

// mark stands for a tag; of one without a value, it is the beginning of those with one. Neither key nor value has a zero byte.
func mark(key, value string) []byte {
	b := append(append([]byte("\x00k"), key...), "\x00v"...)
	if value == "" {
		return b
	}
	return append(append(b, value...), 0)
}

// lower maps the ASCII capitals only, as the contract has it.
func lower(b []byte) {
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
}

func lowerText(s string) []byte {
	b := []byte(s)
	lower(b)
	return b
}
