package dashboard

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// operationState is what the API shows of something that is done to many tasks.
type operationState struct {
	ID         string         `json:"operation_id"`
	Action     string         `json:"action"`
	State      string         `json:"state"`
	Matched    int            `json:"matched"` // tasks it will look at, as far as is known
	Done       int            `json:"done"`
	Skipped    int            `json:"skipped"`
	Reasons    map[string]int `json:"skipped_reasons"`
	Failed     int            `json:"failed"` // tasks at which an error of the backend came
	Error      string         `json:"error,omitempty"`
	StartedAt  time.Time      `json:"started_at"`
	EndedAt    time.Time      `json:"ended_at,omitzero"`
	ETA        *float64       `json:"eta_seconds,omitempty"`
	Actor      string         `json:"actor"`
	NewTaskIDs []string       `json:"new_task_ids"` // the first few
	Spread     float64        `json:"spread_seconds"`
}

// The states of an operation.
const (
	stateRunning = "running"
	stateDone    = "done"
	stateStopped = "stopped"
	stateFailed  = "failed"
)

const (
	itemTimeout    = 30 * time.Second // for one task, or one chunk of a deletion
	stepGrace      = 5 * time.Second  // for a step that is under way when the operation is stopped: a manager that stops waits for it
	fullQueuePause = time.Second      // before a retry that met a full queue is tried again
	mostFailures   = 5                // errors of the backend, one after the other, after which an operation gives up
	deleteChunk    = 500              // ids that are deleted at once
)

var (
	errStoppedByUser = errors.New("stopped by somebody")
	errShutdown      = errors.New("the task manager is stopping")
)

// operation is one at work: the manager's stop and operations.close wait for the goroutine of run, and that for those which it starts. mu guards
// what changes.
type operation struct {
	h      *Handler
	action action
	of     targets
	// spreadOver is how many tasks share the time that a retry is spread over.
	spreadOver int
	cutoff     string // only tasks with smaller ids: none that the operation itself adds
	remote     string
	stop       context.CancelCauseFunc

	mu       sync.Mutex
	state    operationState
	failures int // in a row
}

// snapshot is the operation as it is now.
func (o *operation) snapshot() operationState {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.state
	s.Reasons = maps.Clone(s.Reasons)
	s.NewTaskIDs = append([]string{}, s.NewTaskIDs...)
	s.StartedAt, s.EndedAt = s.StartedAt.UTC(), s.EndedAt.UTC()
	passed, handled := time.Since(o.state.StartedAt), s.Done+s.Skipped+s.Failed
	if s.State == stateRunning && handled > 0 {
		left := passed.Seconds() / float64(handled) * float64(max(s.Matched-handled, 0))
		if s.Spread > 0 {
			left = max(s.Spread-passed.Seconds(), 0)
		}
		s.ETA = &left
	}
	return s
}

// change alters what is shown, and tells those who watch.
func (o *operation) change(f func(*operationState)) {
	o.mu.Lock()
	f(&o.state)
	o.state.Matched = max(o.state.Matched, o.state.Done+o.state.Skipped+o.state.Failed)
	o.mu.Unlock()
	o.h.feed.operationChanged(o)
}

func (o *operation) skip(reason string, n int) {
	if n > 0 {
		o.change(func(s *operationState) { s.Skipped += n; s.Reasons[reason] += n })
	}
}

// run does it, from start to end. It is the body of a goroutine.
func (o *operation) run(ctx context.Context) {
	o.audit("operation_start", maps.Clone(o.of.asked))
	err := o.work(ctx)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	if errors.Is(err, taskflow.ErrStopped) {
		err = errShutdown
	}
	o.h.forget() // before anybody is told of the end, and looks
	o.change(func(s *operationState) {
		s.EndedAt = time.Now()
		switch {
		case err == nil:
			s.State, s.Matched = stateDone, s.Done+s.Skipped+s.Failed // fewer than were counted, when some were deleted meanwhile
		case errors.Is(err, errStoppedByUser), errors.Is(err, errShutdown):
			s.State, s.Error = stateStopped, err.Error()
		default:
			s.State, s.Error = stateFailed, "the storage failed again and again; the server's log says why"
			if p := problemOf(err); p != nil {
				s.Error = p.Detail
			}
		}
	})
	end := o.snapshot()
	if end.State == stateFailed {
		o.h.m.Logger().Error("dashboard: an operation failed", "operation_id", end.ID, "action", end.Action, "error", err)
	}
	o.audit("operation_end", map[string]any{"state": end.State, "done": end.Done, "skipped": end.Skipped, "failed": end.Failed})
}

func (o *operation) audit(what string, detail map[string]any) {
	s := o.snapshot()
	detail["operation_id"], detail["action"], detail["matched"] = s.ID, s.Action, s.Matched
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	o.h.append(ctx, taskflow.AuditEntry{Action: what, Actor: s.Actor, Remote: o.remote, Detail: detail})
}

func (o *operation) work(ctx context.Context) error {
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	width := max(o.action.width, 1)
	if o.state.Spread > 0 {
		width = 1 // each has its own time
	}
	abreast := make(chan struct{}, width) // a token for each task that is acted on
	var acting sync.WaitGroup
	err := o.walk(ctx, func(id string) error {
		select {
		case abreast <- struct{}{}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		acting.Go(func() { // work waits for it
			defer func() { <-abreast }()
			if err := o.one(ctx, id); err != nil {
				giveUp(err)
			}
		})
		return nil
	})
	acting.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// walk looks at each task and calls act with those that something can be done to; a deletion it does by itself.
func (o *operation) walk(ctx context.Context, act func(id string) error) error {
	var chunk []string
	err := o.of.each(ctx, o.h, o.cutoff, func(id string, r *taskflow.Record) error {
		if r == nil {
			o.skip("not_found", 1)
			return nil
		}
		if why := o.action.unfit(r); why != "" {
			o.skip(why, 1)
			return nil
		}
		if o.action.many == nil {
			return act(id)
		}
		if chunk = append(chunk, id); len(chunk) < deleteChunk {
			return nil
		}
		err := o.chunk(ctx, chunk)
		chunk = nil
		return err
	}, func(err error) error { return o.failed(ctx, min(len(o.of.ids), 1), err) })
	if err == nil && len(chunk) > 0 {
		err = o.chunk(ctx, chunk)
	}
	return err
}

// one acts on one task, when its time has come. What was begun is ended, even when the operation is stopped meanwhile.
func (o *operation) one(ctx context.Context, id string) error {
	o.mu.Lock()
	due := o.state.StartedAt
	if o.state.Spread > 0 && o.spreadOver > 0 {
		due = due.Add(time.Duration(o.state.Spread * float64(time.Second) / float64(o.spreadOver) * float64(o.state.Done)))
	}
	o.mu.Unlock()
	if err := pause(ctx, time.Until(due)); err != nil {
		return err
	}
	for {
		newID, reason, err := o.attempt(ctx, id)
		switch {
		case errors.Is(err, taskflow.ErrQueueFull):
			if err := pause(ctx, fullQueuePause); err != nil {
				return err
			}
			continue
		case err != nil:
			return o.failed(ctx, 1, err)
		}
		o.succeeded()
		if reason != "" {
			o.skip(reason, 1)
			return nil
		}
		o.change(func(s *operationState) {
			if s.Done++; newID != "" && len(s.NewTaskIDs) < samples {
				s.NewTaskIDs = append(s.NewTaskIDs, newID)
			}
		})
		return nil
	}
}

// lastStep is the context of a step that is ended although ctx ends meanwhile, unless that takes long.
func lastStep(ctx context.Context) (context.Context, context.CancelFunc) {
	step, cancel := context.WithTimeout(context.WithoutCancel(ctx), itemTimeout)
	unhook := context.AfterFunc(ctx, func() { // ends with the step
		if pause(step, stepGrace) == nil {
			cancel()
		}
	})
	return step, func() { unhook(); cancel() }
}

func (o *operation) attempt(ctx context.Context, id string) (newID, reason string, err error) {
	ctx, cancel := lastStep(ctx)
	defer cancel()
	return o.action.one(ctx, o.h, id, o.state.Actor)
}

func (o *operation) chunk(ctx context.Context, ids []string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	bounded, cancel := lastStep(ctx)
	defer cancel()
	done, skipped, err := o.action.many(bounded, o.h, ids)
	o.change(func(s *operationState) { s.Done += done })
	for reason, n := range skipped {
		o.skip(reason, n)
	}
	if err != nil {
		return o.failed(ctx, max(len(ids)-done, 1), err)
	}
	o.succeeded()
	return nil
}

// failed counts tasks that nothing could be done about. An error means that going on makes no sense; until then it waits longer each time.
func (o *operation) failed(ctx context.Context, n int, err error) error {
	inRow := 0
	o.change(func(s *operationState) { s.Failed += n; o.failures++; inRow = o.failures })
	if inRow >= mostFailures || errors.Is(err, taskflow.ErrStopped) || errors.Is(err, taskflow.ErrNotSupported) {
		return err
	}
	o.h.m.Logger().Warn("dashboard: an operation goes on after an error", "operation_id", o.state.ID, "error", err)
	return pause(ctx, time.Duration(inRow)*100*time.Millisecond)
}

func (o *operation) succeeded() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failures = 0
}
