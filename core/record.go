package taskflow

import (
	"encoding/json"
	"fmt"
	"time"
)

// Record is one invocation of a task and its state. It is a value: what a Manager hands out is a copy that nobody changes
// any more, except that its maps and slices are shared and must not be written to.
//
// Its JSON form (see MarshalJSON) is the one of the HTTP API, and a backend may store that: it carries everything.
type Record struct {
	ID       string // UUIDv7; the order of ids is the order in which one manager's tasks were added
	Name     string // the task's name, or file:line of a closure
	Status   Status
	Closure  bool   // a plain function: it cannot be stored for later, nor retried from the dashboard
	Source   string // what added it: SourceManual, SourceRetry or SourceScheduled
	Pool     string // the pool that runs it
	Priority int    // higher runs first
	Tags     map[string]string

	CreatedAt time.Time // when it was added
	RunAt     time.Time // not before: its delay, or its next retry; zero: as soon as possible
	StartTime time.Time // of the first attempt; zero: never started
	EndTime   time.Time // when it reached its final status; zero: live

	Attempts   int    // attempts started so far
	MaxRetries int    // retries its policy allows after the first attempt
	RetryOf    string // id of the task that this one repeats
	RetriedBy  string // id of the latest task that repeats this one
	Error      string // why it is not (or not yet) a success: the last attempt's error, or the reason
	Stack      string // of a panic
	Logs       []string
	LogCount   int // lines in Logs; set also where Logs was left out of a listing

	Args    json.RawMessage // of a Call, as JSON; nil for a closure and where it was left out of a listing
	Requeue bool            // saved at a graceful stop if it has not started, and dispatched at the next start
	Durable bool            // the backend has it: submitted, or taken over from an earlier run
	// Owner is the instance that holds it while it is pending or running; that of a durable task stays when it is finished: the one that ran
	// it.
	Owner string
	// Key is its idempotency key, see [IdempotencyKey].
	Key string
	// Crashes counts the processes that died while they ran it.
	Crashes int

	RecordExtra
}

// RecordFormat is the version of the JSON form of a Record. A record without one has version 1.
const RecordFormat = 1

// What added a task: values of Record.Source.
const (
	SourceManual    = "manual"    // code called Add or Submit
	SourceRetry     = "retry"     // somebody retried an earlier task
	SourceScheduled = "scheduled" // a schedule
)

// Duration is the time from the first attempt's start to the end, retries and the waits between them included. Zero
// while live or when it never started.
func (r Record) Duration() time.Duration {
	if r.StartTime.IsZero() || r.EndTime.IsZero() {
		return 0
	}
	return max(r.EndTime.Sub(r.StartTime), 0)
}

// RetriesUsed is the number of attempts after the first.
func (r Record) RetriesUsed() int { return max(r.Attempts-1, 0) }

// Summary returns the record without what can be large: log, stack, arguments and RecordExtra. LogCount stays.
func (r Record) Summary() Record {
	r.Logs, r.Stack, r.Args, r.RecordExtra = nil, "", nil, RecordExtra{}
	return r
}

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

// MarshalJSON encodes the record as the HTTP API shows it. Nothing is left out, so that a backend can store it.
func (r Record) MarshalJSON() ([]byte, error) {
	w := recordJSON{
		ID: r.ID, Name: r.Name, Status: r.Status,
		CreatedAt: timeOrNull(r.CreatedAt), StartTime: timeOrNull(r.StartTime), EndTime: timeOrNull(r.EndTime),
		RetriesUsed: r.RetriesUsed(), Error: stringOrNull(r.Error), Logs: r.Logs, Stack: stringOrNull(r.Stack), Tags: r.Tags,
		Source: r.Source, Priority: r.Priority, Executor: r.Pool,
		Closure: r.Closure, RunAt: timeOrNull(r.RunAt), Attempts: r.Attempts, MaxRetries: r.MaxRetries,
		RetryOf: stringOrNull(r.RetryOf), RetriedBy: stringOrNull(r.RetriedBy), LogCount: r.LogCount, Args: r.Args,
		Requeue: r.Requeue, Durable: r.Durable, Owner: stringOrNull(r.Owner), Key: stringOrNull(r.Key), Crashes: r.Crashes,
		RecordExtra: r.RecordExtra,
	}
	if !r.StartTime.IsZero() && !r.EndTime.IsZero() {
		w.Duration = new(r.Duration().Seconds())
	}
	if w.Logs == nil {
		w.Logs = []string{}
	}
	if w.Tags == nil {
		w.Tags = map[string]string{}
	}
	return json.Marshal(w)
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

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC())
}

func stringOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func zeroOr[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
