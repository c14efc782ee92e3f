package redis

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// A record is stored as the JSON that [taskflow.Record] reads, without its id, which is the name of the field, and without what has no
// value: half of the size. Log, stack and arguments come after a line break, as JSON of their own that scripts need not look into; if they
// are long they are the record's detail, in a hash of their own that listings do not touch.
//
// Searches look for pieces of this text: the form of a name, a status, a source and a tag cannot change without a new version of
// the schema.

// inlineDetail is up to how many bytes log, stack and arguments are kept with the record.
const inlineDetail = 512

// encoded is a record in the form in which it is stored.
type encoded struct {
	row    []byte
	detail []byte // nil: there is none, or it is in the row
}

// encoder makes rows, all in one piece of memory.
type encoder struct{ buf []byte }

// finished encodes a record of the history.
func (e *encoder) finished(r *taskflow.Record) (encoded, error) {
	if err := check(r); err != nil {
		return encoded{}, err
	}
	return e.end(e.begin(), r, true), nil
}

// pending encodes an unfinished record. Its owner, its name and a mark come first: what scripts read of it.
func (e *encoder) pending(r *taskflow.Record, owner, mark string) (encoded, error) {
	if err := check(r); err != nil {
		return encoded{}, err
	}
	start := e.begin()
	for _, text := range []string{owner, r.Name, mark} {
		e.buf = appendFrame(e.buf, text)
	}
	return e.end(start, r, false), nil
}

func (e *encoder) begin() int {
	if cap(e.buf)-len(e.buf) < 2048 {
		e.buf = make([]byte, 0, 64<<10) // rows that were made before keep the old memory
	}
	return len(e.buf)
}

func (e *encoder) end(start int, r *taskflow.Record, history bool) encoded {
	var detail []byte
	extra := encodeExtra(r)
	if len(r.Logs) > 0 || r.Stack != "" || len(r.Args) > 0 || extra != nil {
		detail = appendDetail(nil, r, extra)
	}
	long := len(detail) > inlineDetail
	e.buf = appendSummary(e.buf, r, history)
	if detail != nil && !long {
		e.buf = append(e.buf, '\n')
		e.buf = append(e.buf, detail...)
		detail = nil
	}
	return encoded{slices.Clip(e.buf[start:]), detail}
}

// appendFrame appends a text with its length in front, like "5:hello".
func appendFrame(b []byte, text string) []byte {
	b = strconv.AppendInt(b, int64(len(text)), 10)
	b = append(b, ':')
	return append(b, text...)
}

func appendSummary(b []byte, r *taskflow.Record, history bool) []byte {
	b = appendString(append(b, `{"func_name":`...), r.Name)
	b = appendText(b, "status", string(r.Status))
	b = appendText(b, "source", r.Source)
	b = appendText(b, "executor", r.Pool)
	b = appendNumber(b, "priority", int64(r.Priority))
	b = appendTags(b, r.Tags)
	b = appendTime(b, "created_at", r.CreatedAt)
	b = appendTime(b, "run_at", r.RunAt)
	b = appendTime(b, "start_time", r.StartTime)
	b = appendTime(b, "end_time", r.EndTime)
	b = appendNumber(b, "attempts", int64(r.Attempts))
	b = appendNumber(b, "max_retries", int64(r.MaxRetries))
	b = appendText(b, "retry_of", r.RetryOf)
	b = appendText(b, "retried_by", r.RetriedBy)
	b = appendText(b, "error", r.Error)
	b = appendNumber(b, "log_count", int64(r.LogCount))
	b = appendFlag(b, "closure", r.Closure)
	b = appendFlag(b, "requeue", r.Requeue)
	b = appendFlag(b, "durable", r.Durable)
	b = appendText(b, "idempotency_key", r.Key)
	b = appendNumber(b, "crashes", int64(r.Crashes))
	if taskflow.RecordFormat > 1 { // a record without one has version 1
		b = appendNumber(b, "format", taskflow.RecordFormat)
	}
	if history {
		b = appendText(b, "owner", r.Owner)
		if bucket, micros, ok := measured(r); ok { // what the totals count, for the day it is taken out of them
			b = strconv.AppendInt(appendField(b, "_bucket"), int64(bucket), 10)
			b = appendText(b, "_micros", strconv.FormatInt(micros, 10))
		}
	}
	return append(b, '}')
}

// measured returns what the totals count of a record's duration, in microseconds; ok is false when it does not count.
func measured(r *taskflow.Record) (bucket int, micros int64, ok bool) {
	if r.Status != taskflow.StatusSuccess && r.Status != taskflow.StatusFailed {
		return 0, 0, false
	}
	d := r.Duration()
	return taskflow.Bucket(d), d.Microseconds(), true
}

// encodeExtra is what only some records have; nil when this one has nothing of it.
func encodeExtra(r *taskflow.Record) []byte {
	bare := taskflow.Record{RecordExtra: r.RecordExtra}
	b, err := bare.LogsJSON()
	if err != nil {
		return nil // check has refused what is no JSON
	}
	return b
}

func appendDetail(b []byte, r *taskflow.Record, extra []byte) []byte {
	b = append(b, '{')
	if extra != nil { // without its braces
		b = append(append(b, extra[1:len(extra)-1]...), ',')
	}
	if len(r.Logs) > 0 {
		b = append(b, `"logs":[`...)
		for i, line := range r.Logs {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, line)
		}
		b = append(b, `],`...)
	}
	if r.Stack != "" {
		b = append(appendString(append(b, `"stacktrace":`...), r.Stack), ',')
	}
	if len(r.Args) > 0 {
		b = append(append(append(b, `"args":`...), r.Args...), ',')
	}
	b[len(b)-1] = '}'
	return b
}

func appendText(b []byte, field, value string) []byte {
	if value == "" {
		return b
	}
	return appendString(appendField(b, field), value)
}

func appendNumber(b []byte, field string, value int64) []byte {
	if value == 0 {
		return b
	}
	return strconv.AppendInt(appendField(b, field), value, 10)
}

func appendFlag(b []byte, field string, value bool) []byte {
	if !value {
		return b
	}
	return append(appendField(b, field), "true"...)
}

func appendTime(b []byte, field string, value time.Time) []byte {
	if value.IsZero() {
		return b
	}
	b = append(appendField(b, field), '"')
	return append(value.UTC().AppendFormat(b, time.RFC3339Nano), '"')
}

func appendTags(b []byte, tags map[string]string) []byte {
	if len(tags) == 0 {
		return b
	}
	b = append(appendField(b, "tags"), '{')
	for i, key := range slices.Sorted(maps.Keys(tags)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(append(appendString(b, key), ':'), tags[key])
	}
	return append(b, '}')
}

func appendField(b []byte, field string) []byte {
	b = append(b, ',', '"')
	b = append(b, field...)
	return append(b, '"', ':')
}

// appendString appends a JSON string. Each character is always written in the same way, and an escape has no capitals, so that a
// piece of a text can be looked for in the form that it has in JSON.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

// check refuses what would not come back as it is.
func check(r *taskflow.Record) error {
	bad := func(what string) error {
		return fmt.Errorf("%w: record %.100q: %s", ErrInvalidRecord, r.ID, what)
	}
	if !taskflow.ValidID(r.ID) {
		return bad("its id is not a UUID like 01890a5d-ac96-774b-bcce-b302099a8057")
	}
	for _, f := range []struct{ name, text string }{
		{"name", r.Name}, {"status", string(r.Status)}, {"source", r.Source}, {"pool", r.Pool}, {"retry_of", r.RetryOf}, {"retried_by", r.RetriedBy},
		{"error", r.Error}, {"stack", r.Stack}, {"owner", r.Owner}, {"key", r.Key},
	} {
		if !isText(f.text) {
			return bad(fmt.Sprintf("its %s %.100q is not valid UTF-8, or has a zero byte", f.name, f.text))
		}
	}
	for key, value := range r.Tags {
		if !isText(key) || !isText(value) {
			return bad(fmt.Sprintf("its tag %.100q: %.100q is not valid UTF-8, or has a zero byte", key, value))
		}
	}
	for i, line := range r.Logs {
		if !isText(line) {
			return bad(fmt.Sprintf("line %d of its log is not valid UTF-8, or has a zero byte", i+1))
		}
	}
	if len(r.Args) > 0 && !json.Valid(r.Args) {
		return bad(fmt.Sprintf("its arguments %.100q are not JSON", r.Args))
	}
	if len(r.Result) > 0 && !json.Valid(r.Result) {
		return bad(fmt.Sprintf("its result %.100q is not JSON", r.Result))
	}
	for _, t := range []time.Time{r.CreatedAt, r.RunAt, r.StartTime, r.EndTime} {
		if y := t.UTC().Year(); y < 0 || y > 9999 {
			return bad(fmt.Sprintf("it has a time in the year %d: JSON has four digits for it", y))
		}
	}
	return nil
}

func isText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }
