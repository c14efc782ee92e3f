package sqlite

import (
	"database/sql/driver"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// The columns of a listing and, after them, those of a record in full, in the order in which decode reads them.
const (
	summaryColumns = `h.id, n.name, h.status, h.source, h.pool, h.priority, h.flags, h.created_at, h.run_at, h.start_time, h.end_time,
		h.attempts, h.max_retries, h.retry_of, h.retried_by, h.error, h.log_count, h.owner, h.tags, h.idempotency_key, h.crashes`
	detailColumns = `, d.stack, d.logs, d.args`
)

const (
	flagClosure = 1 << iota
	flagRequeue
	flagDurable
)

// decode reads a row of summaryColumns, with detailColumns if full. What cannot be read is an error: the caller skips the row.
func decode(row []driver.Value, full bool) (taskflow.Record, error) {
	r := rowReader{row: row}
	var v taskflow.Record
	v.ID = r.id()
	v.Name, v.Status, v.Source, v.Pool = r.text(), taskflow.Status(r.text()), r.text(), r.text()
	v.Priority = int(r.number())
	flags := r.number()
	v.Closure, v.Requeue, v.Durable = flags&flagClosure != 0, flags&flagRequeue != 0, flags&flagDurable != 0
	v.CreatedAt, v.RunAt, v.StartTime, v.EndTime = r.instant(), r.instant(), r.instant(), r.instant()
	v.Attempts, v.MaxRetries = int(r.number()), int(r.number())
	v.RetryOf, v.RetriedBy, v.Error = r.optional(), r.optional(), r.optional()
	v.LogCount = int(r.number())
	v.Owner = r.optional()
	r.json(&v.Tags)
	v.Key, v.Crashes = r.optional(), int(r.number())
	if full {
		v.Stack = r.optional()
		r.logs(&v)
		v.Args = r.blob()
	}
	return v, r.err
}

// rowReader reads the columns of a row from left to right and remembers the first that has not the expected type.
type rowReader struct {
	row []driver.Value
	err error
}

func (r *rowReader) next() driver.Value {
	v := r.row[0]
	r.row = r.row[1:]
	return v
}

func (r *rowReader) bad(v driver.Value, want string) {
	if r.err == nil {
		r.err = fmt.Errorf("%T in place of %s, %d columns from the right", v, want, len(r.row)+1)
	}
}

func (r *rowReader) text() string {
	v := r.next()
	s, ok := v.(string)
	if !ok {
		r.bad(v, "text")
	}
	return s
}

func (r *rowReader) optional() string {
	if r.row[0] == nil {
		r.next()
		return ""
	}
	return r.text()
}

func (r *rowReader) number() int64 {
	v := r.next()
	n, ok := v.(int64)
	if !ok {
		r.bad(v, "a number")
	}
	return n
}

func (r *rowReader) instant() time.Time {
	if r.row[0] == nil {
		r.next()
		return time.Time{}
	}
	return time.Unix(0, r.number()).UTC()
}

func (r *rowReader) blob() []byte {
	v := r.next()
	b, ok := v.([]byte)
	if !ok && v != nil {
		r.bad(v, "bytes")
	}
	return b
}

func (r *rowReader) id() string {
	v := r.next()
	b, ok := v.([]byte)
	if !ok || len(b) != 16 {
		r.bad(v, "an id")
		return ""
	}
	return decodeID(b)
}

func (r *rowReader) json(to any) {
	s := r.optional()
	if s == "" || r.err != nil {
		return
	}
	if err := json.Unmarshal([]byte(s), to); err != nil {
		r.err = err
	}
}

// logs reads the log, and what only some records have.
func (r *rowReader) logs(to *taskflow.Record) {
	s := r.optional()
	if s == "" || r.err != nil {
		return
	}
	r.err = to.SetLogsJSON([]byte(s))
}

// encodeLogs returns nil for what is empty.
func encodeLogs(r *taskflow.Record) (any, error) {
	b, err := r.LogsJSON()
	if b == nil {
		return nil, err
	}
	return string(b), err
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

// optional returns nil for the empty string.
func optional(s string) any {
	if s == "" {
		return nil
	}
	return s
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

// encodeJSON returns nil for what is empty.
func encodeJSON(v any, size int) (any, error) {
	if size == 0 {
		return nil, nil
	}
	b, err := json.Marshal(v)
	return string(b), err
}

// encodeID returns the 16 bytes of an id.
func encodeID(s string) ([]byte, error) {
	if !taskflow.ValidID(s) {
		return nil, fmt.Errorf("%q is not a task id (a UUID like 01890a5d-ac96-774b-bcce-b302099a8057)", s)
	}
	return hex.DecodeString(strings.ReplaceAll(s, "-", ""))
}

// decodeID returns the text of an id, or of what stands in its place.
func decodeID(b []byte) string {
	s := hex.EncodeToString(b)
	if len(b) != 16 {
		return s
	}
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

// checkRecord refuses what SQLite would store but not give back unchanged, or not find again.
func checkRecord(r *taskflow.Record) ([]byte, error) {
	id, err := encodeID(r.ID)
	if err == nil {
		err = checkTexts(r)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: record %q: %w", ErrInvalidRecord, r.ID, err)
	}
	return id, nil
}

// checkTexts looks at what can be searched for: the index would hold other text than the record gives back.
func checkTexts(r *taskflow.Record) error {
	switch {
	case !isText(r.Name):
		return errors.New("its name is not valid UTF-8 or has a zero byte")
	case !isText(r.Error):
		return errors.New("its error is not valid UTF-8 or has a zero byte")
	}
	for key, value := range r.Tags {
		if !isText(key) || !isText(value) {
			return fmt.Errorf("its tag %q is not valid UTF-8 or has a zero byte", key)
		}
	}
	return nil
}

// isText reports whether SQLite takes s for the text that it is: for many of its functions a zero byte is the end.
func isText(s string) bool { return strings.IndexByte(s, 0) < 0 && utf8.ValidString(s) }
