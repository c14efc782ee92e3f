package taskflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// What a running task may say of itself.
const (
	MaxResultBytes   = 16 << 10 // its result, as JSON; a larger one is refused (ErrResult)
	MaxProgressBytes = 200      // the unit, and the message, of a report of progress; a longer one is cut
	MaxChildren      = 100      // tasks that it adds and its record names; more are not named
)

// ProgressReport is how far a running task is.
type ProgressReport struct {
	Done      int64     `json:"done"`
	Total     int64     `json:"total"`   // 0: not known
	Unit      string    `json:"unit"`    // of both, like "rows"
	Message   string    `json:"message"` // what it is at
	UpdatedAt time.Time `json:"updated_at"`
	// Rate is how much was done a second since the attempt's first report; 0: not known.
	Rate float64 `json:"rate_per_second"`
	// Remaining is the time that what is left takes at that rate, in seconds; nil: not known, or the task has ended.
	Remaining *float64 `json:"remaining_seconds"`
}

// ProgressOption is an option of [Progress]; a nil one does nothing.
type ProgressOption func(*progressTexts)

// progressTexts are what the options of one report give; nil: nothing.
type progressTexts struct{ unit, message *string }

// ProgressUnit names what is counted, like "rows": at most [MaxProgressBytes], a longer name is cut. It stays until another is given.
func ProgressUnit(unit string) ProgressOption {
	return func(p *progressTexts) { p.unit = new(clip(unit, MaxProgressBytes)) }
}

// ProgressMessage says what the task is at, like "reading orders.csv": at most [MaxProgressBytes], a longer one is cut. It stays until another is given.
func ProgressMessage(text string) ProgressOption {
	return func(p *progressTexts) { p.message = new(clip(text, MaxProgressBytes)) }
}

// progressPause is how much later than the last one a report is told to those who watch.
const progressPause = 250 * time.Millisecond

// Progress says how far the task that ctx belongs to is: done of total, 0 when the total is not known. It is cheap enough for a loop, never fails, and may be
// called from several goroutines; negative numbers count as 0. It is shown at once in listings of this instance, and at most four times a second on the
// live stream; the last report stays in the record. A new attempt begins without. Outside a task it does nothing.
func Progress(ctx context.Context, done, total int64, opts ...ProgressOption) {
	c := taskContextFrom(ctx)
	if c == nil {
		return
	}
	var given progressTexts
	for _, o := range opts {
		if o != nil {
			o(&given)
		}
	}
	now := time.Now()
	p := &ProgressReport{Done: max(done, 0), Total: max(total, 0), UpdatedAt: now.UTC().Round(0)}
	j := c.job
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.status != StatusRunning || j.attempts != c.attempt {
		return
	}
	more := j.extra()
	if last := more.Progress; last != nil {
		p.Unit, p.Message = last.Unit, last.Message
	} else {
		more.firstDone, more.firstAt = p.Done, now
	}
	if given.unit != nil {
		p.Unit = *given.unit
	}
	if given.message != nil {
		p.Message = *given.message
	}
	if passed := now.Sub(more.firstAt).Seconds(); passed > 0 && p.Done > more.firstDone {
		p.Rate = float64(p.Done-more.firstDone) / passed
		if p.Total > 0 {
			p.Remaining = new(float64(max(p.Total-p.Done, 0)) / p.Rate)
		}
	}
	more.Progress = p
	if whole := p.Total > 0 && p.Done >= p.Total; j.m.hub.wanted() && (whole || now.Sub(more.told) >= progressPause) {
		more.told = now
		j.m.hub.publish(Event{Kind: EventProgress, Time: now, Task: Record{ID: j.id.String(), RecordExtra: RecordExtra{Progress: p}}})
	}
}

// ErrResult is why SetResult keeps no result: it cannot be encoded as JSON, or is larger than [MaxResultBytes].
var ErrResult = errors.New("taskflow: the result cannot be kept")

// SetResult keeps v, as JSON, as the result of the task that ctx belongs to; a later call replaces it, and so does a new attempt, which begins without.
// It is shown on the task's page and is not meant for passing data on: [Handle] does not give it. Outside a task it only checks v.
func SetResult(ctx context.Context, v any) error {
	b, err := json.Marshal(v)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrResult, err)
	case len(b) > MaxResultBytes:
		return fmt.Errorf("%w: it has %d bytes as JSON, the limit is %d; store it elsewhere and keep its address", ErrResult, len(b), MaxResultBytes)
	}
	c := taskContextFrom(ctx)
	if c == nil {
		return nil
	}
	j := c.job
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.status == StatusRunning && j.attempts == c.attempt {
		j.extra().Result = b
	}
	return nil
}

// jobExtra is what only some jobs have. Guarded by job.mu.
type jobExtra struct {
	RecordExtra

	firstDone int64 // the attempt's first report
	firstAt   time.Time
	told      time.Time // when the last report was published
}

// extra returns what only some jobs have, to be changed. The caller holds j.mu.
func (j *job) extra() *jobExtra {
	if j.more == nil {
		j.more = &jobExtra{}
	}
	return j.more
}

// adopts notes that the function of j has added a task.
func (j *job) adopts(child taskID) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if more := j.extra(); len(more.Children) < MaxChildren && !j.status.Final() {
		more.Children = append(more.Children, child.String())
	}
}

// attemptBegins notes an attempt after the first, which needs no note of its own. The caller holds j.mu.
func (j *job) attemptBegins(now int64) {
	more := j.extra()
	more.Progress, more.Result = nil, nil
	a := Attempt{Number: j.attempts, StartedAt: timeOf(now)}
	if n := len(more.AttemptLog); n > 0 && !more.AttemptLog[n-1].EndedAt.IsZero() {
		a.Wait = max(a.StartedAt.Sub(more.AttemptLog[n-1].EndedAt).Seconds(), 0)
	}
	more.add(a)
}

// attemptEnds notes how the attempt under way ended. The caller holds j.mu; the number of attempts is the one of that attempt.
func (j *job) attemptEnds(now int64, text string) {
	text = clip(text, attemptErrorBytes)
	more := j.extra()
	if a := more.open(); a != nil {
		a.EndedAt, a.Error = timeOf(now), text
		return
	}
	if j.attempts == 1 && len(more.AttemptLog) == 0 {
		more.add(Attempt{
			Number: 1, StartedAt: timeOf(j.startTime), EndedAt: timeOf(now), Error: text, Wait: timeOf(j.startTime).Sub(timeOf(j.created)).Seconds(),
		})
	}
}

// progressEnds: what was left when the task ended takes no time any more. The caller holds j.mu; the report itself others may have.
func (j *job) progressEnds() {
	if j.more != nil && j.more.Progress != nil {
		last := *j.more.Progress
		last.Remaining = nil
		j.more.Progress = &last
	}
}

// attemptUnbegun takes back attemptBegins. The caller holds j.mu.
func (j *job) attemptUnbegun() {
	if j.more != nil && j.more.open() != nil {
		j.more.AttemptLog = j.more.AttemptLog[:len(j.more.AttemptLog)-1]
	}
}

// attemptCrashed notes that the process died during the attempt under way.
func (j *job) attemptCrashed() {
	const text = "the process ended"
	if j.attempts == 1 && (j.more == nil || len(j.more.AttemptLog) == 0) {
		j.extra().add(Attempt{Number: 1, StartedAt: timeOf(j.startTime), Error: text, Wait: max(timeOf(j.startTime).Sub(timeOf(j.created)).Seconds(), 0)})
	} else if j.more != nil && j.more.open() != nil {
		j.more.open().Error = text
	}
}
