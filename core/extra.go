package taskflow

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"
)

// RecordExtra is the part of a Record that only some have: those of tasks that add tasks, report progress, leave a result or are retried. Listings of a
// backend leave it out.
type RecordExtra struct {
	ParentID string   `json:"parent_id,omitempty"` // of the task whose function added this one
	Children []string `json:"children,omitempty"`  // ids of the tasks that its function added: the first [MaxChildren]
	// Progress is what the function said last of how far it is, see [Progress]; nil: nothing.
	Progress *ProgressReport `json:"progress,omitempty"`
	Result   json.RawMessage `json:"result,omitempty"` // see [SetResult]; nil: none
	// AttemptLog has the attempts of a task with more than one: the first 20 and the last 20.
	AttemptLog []Attempt `json:"attempts_log,omitempty"`
}

// Attempt is one call of a task's function.
type Attempt struct {
	Number    int       `json:"attempt"`           // from 1
	StartedAt time.Time `json:"started_at"`        // when the function was called
	EndedAt   time.Time `json:"ended_at,omitzero"` // zero: it runs, or its process has died
	Error     string    `json:"error,omitempty"`   // why it failed, at most 500 bytes; empty: it succeeded, or runs
	Wait      float64   `json:"wait_seconds"`      // since the attempt before ended, or since the task was added
}

// Attempted is the log of the record's attempts, also when there was only one, which the record itself tells everything of. Nil when none has begun.
func (r *Record) Attempted() []Attempt {
	if len(r.AttemptLog) > 0 || r.Attempts != 1 || r.StartTime.IsZero() {
		return r.AttemptLog
	}
	return []Attempt{{
		Number: 1, StartedAt: r.StartTime, EndedAt: r.EndTime, Error: clip(r.Error, attemptErrorBytes), Wait: max(r.StartTime.Sub(r.CreatedAt).Seconds(), 0),
	}}
}

const (
	keptAttempts      = 20 // at the beginning, and at the end
	attemptErrorBytes = 500
)

// IsZero reports whether nothing is set.
func (x *RecordExtra) IsZero() bool {
	return x.ParentID == "" && len(x.Children) == 0 && x.Progress == nil && len(x.Result) == 0 && len(x.AttemptLog) == 0
}

// clone returns a copy that shares nothing that changes.
func (x *RecordExtra) clone() RecordExtra {
	c := *x
	c.Children, c.AttemptLog = slices.Clone(x.Children), slices.Clone(x.AttemptLog)
	return c
}

// size estimates the memory that it takes, in bytes.
func (x *RecordExtra) size() int {
	n := len(x.ParentID) + 64*len(x.Children) + len(x.Result) + 96*len(x.AttemptLog)
	for i := range x.AttemptLog {
		n += len(x.AttemptLog[i].Error)
	}
	return n
}

// add appends an attempt, dropping one from the middle when there are too many.
func (x *RecordExtra) add(a Attempt) {
	if len(x.AttemptLog) == 2*keptAttempts {
		x.AttemptLog = slices.Delete(x.AttemptLog, keptAttempts, keptAttempts+1)
	}
	x.AttemptLog = append(x.AttemptLog, a)
}

// open returns the attempt that has not ended; nil when there is none.
func (x *RecordExtra) open() *Attempt {
	if n := len(x.AttemptLog); n > 0 && x.AttemptLog[n-1].EndedAt.IsZero() && x.AttemptLog[n-1].Error == "" {
		return &x.AttemptLog[n-1]
	}
	return nil
}

// logsAndExtra is the form of LogsJSON when there is more than a log.
type logsAndExtra struct {
	Logs []string `json:"logs,omitempty"`
	RecordExtra
}

// LogsJSON encodes the log and the RecordExtra as one JSON value, for backends that keep a record in columns: without the latter it is the array of the
// lines; nil when there is neither.
func (r *Record) LogsJSON() ([]byte, error) {
	switch {
	case !r.RecordExtra.IsZero():
		return json.Marshal(logsAndExtra{r.Logs, r.RecordExtra})
	case len(r.Logs) > 0:
		return json.Marshal(r.Logs)
	}
	return nil, nil
}

// SetLogsJSON sets the log and the RecordExtra to what LogsJSON has encoded.
func (r *Record) SetLogsJSON(b []byte) error {
	b = bytes.TrimSpace(b)
	if len(b) == 0 || b[0] != '{' {
		r.RecordExtra = RecordExtra{}
		if len(b) == 0 {
			r.Logs = nil
			return nil
		}
		return json.Unmarshal(b, &r.Logs)
	}
	var v logsAndExtra
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	r.Logs, r.RecordExtra = v.Logs, v.RecordExtra
	return nil
}
