package taskflow

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"
)

// job is the live form of a record: what the manager works on. It is made by newJob or recovered at Start, owned by the
// registry, and stays readable in the window after its end, without its function and context.
type job struct {
	m        *Manager
	id       taskID
	created  int64 // times are Unix nanoseconds, 0: none
	name     string
	work     Work
	policy   *policy // shared with the definition unless options of the call changed it
	pool     *pool
	meter    *meter
	ctx      context.Context // the request's values
	source   string
	retryOf  taskID
	rejected error // why Add refused it
	durable  bool
	eager    bool
	entry    uint32        // the journal's last write that took the state of the job, see journal.outwait; guarded by mu
	owner    string        // of a row in the backend: the instance that holds it; empty: there is no row
	key      string        // idempotency key; empty: none
	keep     time.Duration // how long the key is kept
	commit   *commit       // nil: it has no key, or is not being submitted
	crashes  int

	newer, older *job  // the registry's list, guarded by registry.mu
	stored       bool  // the backend has the final record; guarded by registry.mu
	misses       int32 // times that only this record could not be stored; used by history alone
	size         int   // weight at its end

	mu         sync.Mutex
	status     Status
	place      place
	admitted   bool  // counts against the queue size
	lost       bool  // another instance holds the task: nothing of it is written any more
	finished   bool  // final, and everybody may see it
	holdups    int32 // attempts that did not begin because the journal could not note their start
	attempts   int
	startTime  int64
	endTime    int64
	runAt      int64
	since      int64 // when it became ready to run, then when its attempt began; 0: not known
	deadline   int64
	err        error  // of the last attempt, or the reason for a final status
	errText    string // what err says, taken once: a user's Error method may be slow, or panic
	stack      string
	retriedBy  taskID
	keyOwner   *string // the name of this instance under which the key is reserved, see Manager.name; nil: it is not
	log        *taskLog
	more       *jobExtra // nil: none
	done       chan struct{}
	cancel     context.CancelCauseFunc // of the running attempt
	cancelling error                   // why somebody cancels the running attempt
	start      *alarm
	expiry     *alarm
}

// place is where a pending job waits: it says who must let go of it when it is cancelled.
type place uint8

const (
	placeNone  place = iota // running, or over
	placeAdder              // with the goroutine that adds it, which decides next: nobody else may put it aside
	placeBatch              // its response is not out yet
	placeTimer              // its delay or next retry is not due
	placeQueue              // ready
	placeShelf              // put aside by Stop, to be saved for the next start
)

// to changes the status if the state machine permits it. The caller holds j.mu.
func (j *job) to(next Status) bool {
	if j.lost || !j.status.canBecome(next) {
		return false
	}
	j.status = next
	return true
}

// registered reports whether the job can be found again by its task's name.
func (j *job) registered() bool {
	return j.work.fn == nil && j.work.call.def != nil && j.m.tasks[j.work.call.def.name] == j.work.call.def
}

// keeps reports whether the job survives a graceful stop when it has not started.
func (j *job) keeps() bool {
	return j.m.store != nil && (j.durable || j.policy.requeue || j.m.cfg.requeue && j.registered())
}

func (j *job) doneChan() <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.done == nil {
		j.done = make(chan struct{})
		if j.finished {
			close(j.done)
		}
	}
	return j.done
}

// enter returns the present record for the journal's write of that number, and whether another instance holds the task.
func (j *job) enter(write uint32) (r Record, lost bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.status.Final() {
		j.entry = write
	}
	return j.record(true), j.lost
}

// isIn reports whether the journal's write of that number has taken the job's state.
func (j *job) isIn(write uint32) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.entry == write
}

// announce lets waiters go.
func (j *job) announce() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.finished && j.done != nil {
		close(j.done)
	}
	j.finished = true
}

func (j *job) result() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.lost:
		return ErrLeaseLost
	case j.status == StatusSuccess:
		return nil
	case !j.status.Final():
		return ErrRequeued // only a job saved by Stop is done without a final status
	case j.err == nil:
		return errors.New("taskflow: " + string(j.status))
	}
	return j.err
}

// record returns a copy of the job's state. The caller holds j.mu.
func (j *job) record(full bool) Record {
	r := Record{
		ID: j.id.String(), Name: j.name, Status: j.status, Closure: j.work.call.def == nil, Source: j.source,
		Priority: j.policy.priority, Tags: j.policy.tags, CreatedAt: timeOf(j.created), RunAt: timeOf(j.runAt),
		StartTime: timeOf(j.startTime), EndTime: timeOf(j.endTime), Attempts: j.attempts, MaxRetries: j.policy.retries,
		Durable: j.durable, Requeue: j.keeps(), LogCount: j.log.count(), Owner: j.owner, Key: j.key, Crashes: j.crashes,
	}
	if j.pool != nil {
		r.Pool = j.pool.name
	}
	if j.retryOf != (taskID{}) {
		r.RetryOf = j.retryOf.String()
	}
	if j.retriedBy != (taskID{}) {
		r.RetriedBy = j.retriedBy.String()
	}
	r.Error = j.errText
	if r.Owner == "" && !j.status.Final() {
		r.Owner = j.m.Instance()
	}
	if full {
		r.Stack, r.Logs, r.Args = j.stack, j.log.lines(), j.work.call.args
	}
	if j.more != nil && full {
		r.RecordExtra = j.more.clone()
	} else if j.more != nil {
		r.Progress = j.more.Progress
	}
	return r
}

func (j *job) snapshot(full bool) Record {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.record(full)
}

// standing returns the record, whether Stop saves the job, and whether another instance holds it.
func (j *job) standing() (r Record, shelved, lost bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.record(true), j.place == placeShelf, j.lost
}

// weight estimates what the job holds in memory, in bytes.
func (j *job) weight() int {
	n := 1024 + len(j.work.call.args) + len(j.stack) + 2*len(j.errText) + j.log.size()
	for key, value := range j.policy.tags {
		n += 64 + len(key) + len(value)
	}
	if j.more != nil {
		n += j.more.size()
	}
	return n
}

// failure is an error with what it says, taken once and outside of every lock: a user's Error method may be slow, log, or
// panic. The zero failure is none.
type failure struct {
	err  error
	text string
}

func newFailure(err error) failure {
	if err == nil {
		return failure{}
	}
	text := fmt.Sprint(err) // which survives an Error method that panics
	if text == "" {
		text = fmt.Sprintf("error without text (%T)", err) // a failure always shows
	}
	if len(text) > MaxErrorBytes {
		err = errors.New(clip(text, MaxErrorBytes)) // the original would stay in memory with the record
	}
	return failure{err, clip(strings.ReplaceAll(text, "taskflow: ", ""), MaxErrorBytes)} // our sentinels' prefix says nothing here
}

// setFailure notes why the job is not a success. The caller holds j.mu.
func (j *job) setFailure(f failure) { j.err, j.errText = f.err, f.text }

func timeOf(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns).UTC()
}

// unixNano saturates: the year 2262 stands for everything after it.
func unixNano(t time.Time) int64 {
	switch {
	case t.IsZero():
		return 0
	case t.Year() > 2261:
		return math.MaxInt64
	case t.Year() < 1970:
		return 1
	}
	return t.UnixNano()
}

// later is at+d, saturating.
func later(at int64, d time.Duration) int64 {
	if d > 0 && at > math.MaxInt64-int64(d) {
		return math.MaxInt64
	}
	return at + int64(d)
}
