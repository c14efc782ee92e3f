package taskflow

import (
	"encoding/json"
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

// RetriesUsed is the number of attempts after the first that its policy granted: one whose process died (Crashes) does not count.
func (r Record) RetriesUsed() int { return max(r.Attempts-1-r.Crashes, 0) }

// Summary returns the record without what can be large: log, stack, arguments and RecordExtra. LogCount stays.
func (r Record) Summary() Record {
	r.Logs, r.Stack, r.Args, r.RecordExtra = nil, "", nil, RecordExtra{}
	return r
}
