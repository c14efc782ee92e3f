package taskflow

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// recordJSON is Record on the wire: the reference's fifteen names first, then ours. Times are RFC 3339 in UTC, durations
// seconds, absent values null.
type recordJSON struct {
	ID          string            `json:"task_id"`
	Name        string            `json:"func_name"`
	Status      Status            `json:"status"`
	CreatedAt   *time.Time        `json:"created_at"`
	StartTime   *time.Time        `json:"start_time"`
	EndTime     *time.Time        `json:"end_time"`
	Duration    *float64          `json:"duration"`
	RetriesUsed int               `json:"retries_used"`
	Error       *string           `json:"error"`
	Logs        []string          `json:"logs"`
	Stack       *string           `json:"stacktrace"`
	Tags        map[string]string `json:"tags"`
	Source      string            `json:"source"`
	Priority    int               `json:"priority"`
	Executor    string            `json:"executor"`

	Closure    bool            `json:"closure"`
	RunAt      *time.Time      `json:"run_at"`
	Attempts   int             `json:"attempts"`
	MaxRetries int             `json:"max_retries"`
	RetryOf    *string         `json:"retry_of"`
	RetriedBy  *string         `json:"retried_by"`
	LogCount   int             `json:"log_count"`
	Args       json.RawMessage `json:"args,omitempty"`
	Requeue    bool            `json:"requeue"`
	Durable    bool            `json:"durable"`
	Owner      *string         `json:"owner"`
	Key        *string         `json:"idempotency_key"`
	Crashes    int             `json:"crashes"`
	Format     int             `json:"format,omitempty"`

	RecordExtra
}

// MarshalJSON encodes the record as the HTTP API shows it. Nothing is left out, so that a backend can store it. It is written by hand because
// each change of a durable task is encoded: the output is that of encoding/json for recordJSON, to the byte.
func (r Record) MarshalJSON() ([]byte, error) {
	w := recordWriter{b: make([]byte, 0, 768)}
	w.text(`{"task_id":`, r.ID)
	w.text(`,"func_name":`, r.Name)
	w.text(`,"status":`, string(r.Status))
	w.time(`,"created_at":`, r.CreatedAt)
	w.time(`,"start_time":`, r.StartTime)
	w.time(`,"end_time":`, r.EndTime)
	w.key(`,"duration":`)
	if r.StartTime.IsZero() || r.EndTime.IsZero() {
		w.null()
	} else {
		w.float(r.Duration().Seconds())
	}
	w.number(`,"retries_used":`, r.RetriesUsed())
	w.textOrNull(`,"error":`, r.Error)
	w.key(`,"logs":`)
	if len(r.Logs) == 0 {
		w.key("[]")
	} else {
		w.value(r.Logs)
	}
	w.textOrNull(`,"stacktrace":`, r.Stack)
	w.key(`,"tags":`)
	if len(r.Tags) == 0 {
		w.key("{}")
	} else {
		w.value(r.Tags)
	}
	w.text(`,"source":`, r.Source)
	w.number(`,"priority":`, r.Priority)
	w.text(`,"executor":`, r.Pool)
	w.flag(`,"closure":`, r.Closure)
	w.time(`,"run_at":`, r.RunAt)
	w.number(`,"attempts":`, r.Attempts)
	w.number(`,"max_retries":`, r.MaxRetries)
	w.textOrNull(`,"retry_of":`, r.RetryOf)
	w.textOrNull(`,"retried_by":`, r.RetriedBy)
	w.number(`,"log_count":`, r.LogCount)
	if len(r.Args) > 0 {
		w.key(`,"args":`)
		w.value(r.Args)
	}
	w.flag(`,"requeue":`, r.Requeue)
	w.flag(`,"durable":`, r.Durable)
	w.textOrNull(`,"owner":`, r.Owner)
	w.textOrNull(`,"idempotency_key":`, r.Key)
	w.number(`,"crashes":`, r.Crashes)
	w.extra(&r.RecordExtra)
	return append(w.b, '}'), w.err
}

// extra writes the members of what only some records have.
func (w *recordWriter) extra(x *RecordExtra) {
	if x.IsZero() {
		return
	}
	b, err := json.Marshal(x)
	if err != nil {
		w.err = cmp.Or(w.err, err)
		return
	}
	w.b = append(append(w.b, ','), b[1:len(b)-1]...)
}

// recordWriter appends JSON; its methods take the key with what stands around it. It remembers the first error.
type recordWriter struct {
	b   []byte
	err error
}

func (w *recordWriter) key(k string) { w.b = append(w.b, k...) }

func (w *recordWriter) null() { w.b = append(w.b, "null"...) }

func (w *recordWriter) number(key string, n int) {
	w.key(key)
	w.b = strconv.AppendInt(w.b, int64(n), 10)
}

func (w *recordWriter) flag(key string, v bool) {
	w.key(key)
	w.b = strconv.AppendBool(w.b, v)
}

func (w *recordWriter) text(key, s string) {
	w.key(key)
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			w.value(s)
			return
		}
	}
	w.b = append(append(append(w.b, '"'), s...), '"')
}

func (w *recordWriter) textOrNull(key, s string) {
	if s == "" {
		w.key(key)
		w.null()
		return
	}
	w.text(key, s)
}

// time writes RFC 3339 in UTC, or null for the zero time.
func (w *recordWriter) time(key string, t time.Time) {
	w.key(key)
	if t.IsZero() {
		w.null()
		return
	}
	t = t.UTC()
	if y := t.Year(); y < 0 || y > 9999 {
		w.value(t) // which is an error
		return
	}
	w.b = append(t.AppendFormat(append(w.b, '"'), time.RFC3339Nano), '"')
}

func (w *recordWriter) float(f float64) {
	if f != 0 && (f < 1e-6 || f >= 1e21) {
		w.value(f) // with an exponent
		return
	}
	w.b = strconv.AppendFloat(w.b, f, 'f', -1, 64)
}

// value writes what encoding/json makes of v.
func (w *recordWriter) value(v any) {
	b, err := json.Marshal(v)
	if err != nil && w.err == nil {
		w.err = err
	}
	w.b = append(w.b, b...)
}

// UnmarshalJSON decodes what MarshalJSON wrote. Unknown fields are ignored: a newer version adds some without another format.
// A record of a format above [RecordFormat] is ErrNewerFormat.
func (r *Record) UnmarshalJSON(b []byte) error {
	var w recordJSON
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	if w.Format > RecordFormat {
		return fmt.Errorf("%w: %s has format %d, this version reads up to %d", ErrNewerFormat, clip(w.ID, 64), w.Format, RecordFormat)
	}
	*r = Record{
		ID: w.ID, Name: w.Name, Status: w.Status,
		CreatedAt: zeroOr(w.CreatedAt), StartTime: zeroOr(w.StartTime), EndTime: zeroOr(w.EndTime),
		Error: zeroOr(w.Error), Stack: zeroOr(w.Stack),
		Source: w.Source, Priority: w.Priority, Pool: w.Executor,
		Closure: w.Closure, RunAt: zeroOr(w.RunAt), Attempts: w.Attempts, MaxRetries: w.MaxRetries,
		RetryOf: zeroOr(w.RetryOf), RetriedBy: zeroOr(w.RetriedBy), LogCount: w.LogCount, Args: w.Args, Requeue: w.Requeue, Durable: w.Durable,
		Owner: zeroOr(w.Owner), Key: zeroOr(w.Key), Crashes: w.Crashes, RecordExtra: w.RecordExtra,
	}
	if len(w.Logs) > 0 {
		r.Logs = w.Logs
	}
	if len(w.Tags) > 0 {
		r.Tags = w.Tags
	}
	return nil
}

func zeroOr[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
