package dashboard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

const (
	failingWindow = time.Hour       // failures of so long count as now
	lateAfter     = 5 * time.Minute // a task that is due and has waited so long is late
	stuckAfter    = time.Hour       // a task without a time-out that has run so long may be stuck
	parkedAfter   = time.Minute     // an instance that knows a task takes it sooner than that
	mostFailing   = 20              // groups of failures that are named
)

// problems is the answer to GET /problems.
type problems struct {
	Problems  []wrong   `json:"problems"` // the worst first
	Complete  bool      `json:"complete"` // false: the storage fails, and there may be more that is wrong
	CheckedAt time.Time `json:"checked_at"`
}

// wrong is one thing that is wrong now.
type wrong struct {
	Kind         string    `json:"kind"`
	Severity     string    `json:"severity"`
	Title        string    `json:"title"`
	Detail       string    `json:"detail"`
	Count        int       `json:"count,omitempty"`
	Name         string    `json:"func_name,omitempty"`
	FirstSeen    time.Time `json:"first_seen,omitzero"`
	LastSeen     time.Time `json:"last_seen,omitzero"`
	FailureGroup string    `json:"failure_group,omitempty"`
	TaskID       string    `json:"task_id,omitempty"`
	InstanceID   string    `json:"instance_id,omitempty"`
}

const (
	severityError   = "error"
	severityWarning = "warning"
)

// findProblems are the looks that GET /problems takes; each bounds its work.
func (h *Handler) findProblems() []func(context.Context, time.Time) ([]wrong, error) {
	return []func(context.Context, time.Time) ([]wrong, error){h.failing, h.troubledInstances, h.fullQueue, h.stuck, h.lateOrParked, h.heldUpSchedules}
}

// problems answers GET /problems: what is wrong now. Nothing is, when the list is empty and complete.
func (h *Handler) problems(w http.ResponseWriter, r *http.Request) error {
	found, err := h.problemMemo.get(r.Context(), "", func(ctx context.Context) (*problems, error) {
		now := time.Now()
		p := &problems{Problems: []wrong{}, Complete: true, CheckedAt: now.UTC()}
		for _, find := range h.findProblems() {
			some, err := find(ctx, now) // what it found is to be told even when it could not look at all
			p.Problems = append(p.Problems, some...)
			if errors.Is(err, errMore) {
				p.Complete = false
				continue
			}
			if err != nil && !h.m.DegradedSince().IsZero() { // which is among the problems; what else is wrong cannot be told now
				h.m.Logger().Warn("dashboard: not all problems can be looked for", "error", err)
				p.Complete = false
				continue
			}
			if err != nil {
				return nil, err
			}
		}
		slices.SortStableFunc(p.Problems, func(a, b wrong) int { // within a severity in the order in which they were looked for
			return cmp.Compare(b.rank(), a.rank())
		})
		return p, nil
	})
	if err != nil {
		return fmt.Errorf("look for problems: %w", err)
	}
	return h.answer(w, r, found)
}

func (p *wrong) rank() int {
	if p.Severity == severityError {
		return 1
	}
	return 0
}

// failing are the kinds of failures of the last hour that nobody has retried.
func (h *Handler) failing(ctx context.Context, now time.Time) (all []wrong, err error) {
	f, err := h.failuresOf(ctx, &selection{Filter: taskflow.Filter{Since: now.Add(-failingWindow)}}, "problems", now)
	if err != nil {
		return nil, err
	}
	for _, g := range f.Groups {
		if g.Outstanding == 0 || len(all) == mostFailing {
			continue
		}
		p := wrong{
			Kind: "failing", Severity: severityError, Title: g.Name + " fails", Detail: g.open.error, Count: g.Outstanding, Name: g.Name,
			FirstSeen: g.OpenSince, LastSeen: g.open.at, FailureGroup: g.ID, TaskID: g.open.id,
		}
		if g.Status == taskflow.StatusInterrupted {
			p.Severity, p.Title = severityWarning, g.Name+" was interrupted"
		}
		all = append(all, p)
	}
	return all, nil
}

// troubledInstances are those whose writes fail, or that have missed heartbeats.
func (h *Handler) troubledInstances(ctx context.Context, _ time.Time) (all []wrong, err error) {
	if since := h.m.DegradedSince(); !since.IsZero() {
		all = append(all, degraded(h.m.Instance(), "this instance", since))
	}
	instances, err := h.m.Instances(ctx)
	if err != nil {
		return all, fmt.Errorf("read the instances: %w", err)
	}
	var newest time.Time // by the backend's clock, which need not be ours
	for i := range instances {
		if instances[i].SeenAt.After(newest) {
			newest = instances[i].SeenAt
		}
	}
	for i := range instances {
		in := &instances[i]
		if in.ID == h.m.Instance() {
			continue
		}
		if !in.DegradedSince.IsZero() {
			all = append(all, degraded(in.ID, in.Host, in.DegradedSince))
		}
		// It renews its lease three times in its length.
		if silence := newest.Sub(in.SeenAt); 3*silence > 2*in.ExpiresAt.Sub(in.SeenAt) {
			all = append(all, wrong{
				Kind: "silent", Severity: severityWarning, Title: "an instance is silent", InstanceID: in.ID, LastSeen: in.SeenAt.UTC(),
				Detail: fmt.Sprintf("%s (process %d on %s) gave its last sign of life %v ago; when its lease is over, another takes its durable tasks", in.ID, in.PID, in.Host, silence.Round(time.Second)),
			})
		}
	}
	return all, nil
}

func degraded(id, where string, since time.Time) wrong {
	return wrong{
		Kind: "degraded", Severity: severityError, Title: "the storage fails", InstanceID: id, FirstSeen: since.UTC(),
		Detail: "writes of " + where + " have failed since then; they are kept in memory and tried again, and the log says why",
	}
}

// fullQueue warns before tasks are refused.
func (h *Handler) fullQueue(context.Context, time.Time) ([]wrong, error) {
	waiting, size := h.m.QueueUsage()
	p := wrong{Kind: "queue_full", Severity: severityWarning, Title: "the queue is nearly full", Count: waiting, InstanceID: h.m.Instance()}
	switch {
	case waiting >= size:
		p.Severity, p.Title = severityError, "the queue is full"
	case waiting < size/10*9 || size < 10:
		return nil, nil
	}
	p.Detail = fmt.Sprintf("%d tasks wait in this instance, of %d that may (WithQueueSize); with more, Add and Submit refuse", waiting, size)
	return []wrong{p}, nil
}

// errMore: there are more tasks than were looked at.
var errMore = errors.New("there are more tasks than are looked at")

// problemPages bounds the unfinished tasks that one look at them reads, in pages of maxLimit.
const problemPages = 10

// attemptLooks bounds the tasks that are read one by one, to know when their present attempt began.
const attemptLooks = 100

// someOf returns the tasks of a status that were added before a time, the newest first, with errMore when there are too many to read.
func (h *Handler) someOf(ctx context.Context, s taskflow.Status, until time.Time) (all []taskflow.Record, err error) {
	q := taskflow.Query{Limit: maxLimit, Filter: taskflow.Filter{Statuses: []taskflow.Status{s}, Until: until}}
	for range problemPages {
		page, err := h.m.List(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("list the %s tasks: %w", s, err)
		}
		all = append(all, page.Records...)
		if page.Next == "" {
			return all, nil
		}
		q.Before = page.Next
	}
	return all, errMore
}

// stuck are tasks that run on although their time is over, and those without a time-out that have run for long.
func (h *Handler) stuck(ctx context.Context, now time.Time) ([]wrong, error) {
	running, more := h.someOf(ctx, taskflow.StatusRunning, now)
	if more != nil && !errors.Is(more, errMore) {
		return nil, more
	}
	timeouts := map[string]time.Duration{}
	for _, t := range h.m.Tasks() {
		timeouts[t.Name] = t.Timeout
	}
	byName := map[string]*wrong{}
	asked := 0
	for i := range running {
		r := &running[i]
		if now.Sub(r.StartTime) <= limit(timeouts[r.Name]) {
			continue // however many attempts it took
		}
		if r.Attempts > 1 {
			if asked == attemptLooks {
				more = errMore
				continue
			}
			asked++
		}
		began := h.attemptStart(ctx, r)
		if began.IsZero() {
			continue
		}
		ran := now.Sub(began)
		timeout := timeouts[r.Name]
		if ran <= limit(timeout) {
			continue
		}
		p := byName[r.Name]
		if p == nil {
			p = &wrong{Kind: "stuck", Severity: severityWarning, Title: r.Name + " has run for long", Name: r.Name,
				Detail: "it has no time-out (taskflow.Timeout), and has run for more than " + stuckAfter.String()}
			if timeout > 0 {
				p.Title, p.Detail = r.Name+" does not end", fmt.Sprintf("its time-out of %v is over, and its function ignores that its context has ended", timeout)
			}
			byName[r.Name] = p
		}
		p.Count++
		if p.FirstSeen.IsZero() || began.Before(p.FirstSeen) {
			p.FirstSeen, p.TaskID, p.InstanceID = began.UTC(), r.ID, r.Owner
		}
	}
	return sortedByCount(byName), more
}

// limit is how long an attempt may run before it looks stuck.
func limit(timeout time.Duration) time.Duration {
	if timeout <= 0 {
		return stuckAfter
	}
	return timeout + timeout/10 + time.Second
}

// attemptStart is when the attempt under way began; zero when that is not known.
func (h *Handler) attemptStart(ctx context.Context, r *taskflow.Record) time.Time {
	if r.Attempts <= 1 {
		return r.StartTime
	}
	full, err := h.m.Get(ctx, r.ID)
	if n := len(full.AttemptLog); err == nil && n > 0 && full.AttemptLog[n-1].EndedAt.IsZero() {
		return full.AttemptLog[n-1].StartedAt
	}
	return time.Time{}
}

// lateOrParked are tasks that are due and wait all the same, in a full pool or for an instance that knows them.
func (h *Handler) lateOrParked(ctx context.Context, now time.Time) ([]wrong, error) {
	waiting, more := h.someOf(ctx, taskflow.StatusPending, now.Add(-parkedAfter))
	if more != nil && !errors.Is(more, errMore) {
		return nil, more
	}
	known := map[string]bool{}
	for _, t := range h.m.Tasks() {
		for _, name := range append(t.Aliases, t.Name) {
			known[name] = true
		}
	}
	late, parked := map[string]*wrong{}, map[string]*wrong{}
	for i := range waiting {
		r := &waiting[i]
		due := r.CreatedAt
		if r.RunAt.After(due) {
			due = r.RunAt
		}
		switch {
		case r.Owner == "" && !known[r.Name] && !r.Closure:
			count(parked, r.Name, r, due, wrong{Kind: "parked", Severity: severityWarning, Title: r.Name + " is known to nobody here", Name: r.Name,
				Detail: "it waits for an instance that registers the name (WithTasks), or an alias of it (Aliases)"})
		case now.Sub(due) > lateAfter:
			count(late, r.Pool, r, due, wrong{Kind: "late", Severity: severityWarning, Title: "tasks of the pool " + r.Pool + " are late",
				Detail: "they are due and have waited for more than " + lateAfter.String() + "; the pool may be too small (WithPool, WithConcurrency)"})
		}
	}
	return append(sortedByCount(parked), sortedByCount(late)...), more
}

// count adds a task to the problem of that key, which is p when it is the first.
func count(all map[string]*wrong, key string, r *taskflow.Record, due time.Time, p wrong) {
	if all[key] == nil {
		all[key] = &p
	}
	of := all[key]
	if of.Count++; of.FirstSeen.IsZero() || due.Before(of.FirstSeen) {
		of.FirstSeen, of.TaskID = due.UTC(), r.ID
	}
}

func sortedByCount(all map[string]*wrong) (list []wrong) {
	for _, p := range all {
		list = append(list, *p)
	}
	slices.SortFunc(list, func(a, b wrong) int { return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Title, b.Title)) })
	return list
}

// heldUpSchedules are those that left out a run within the last hour, because the one before had not ended.
func (h *Handler) heldUpSchedules(ctx context.Context, now time.Time) (all []wrong, err error) {
	schedules, err := h.m.Schedules(ctx)
	if err != nil {
		return nil, err
	}
	for i := range schedules {
		s := &schedules[i]
		if s.SkippedAt.IsZero() || now.Sub(s.SkippedAt) > failingWindow {
			continue
		}
		why := "when the latest was due the one before had not ended"
		if s.SkippedFor == taskflow.SkipStopped {
			why = "the latest waited for the one before when its instance was stopped"
		}
		p := wrong{
			Kind: "schedule", Severity: severityWarning, Title: "schedule " + s.Name + " leaves runs out",
			Detail: fmt.Sprintf("it runs %s, and %s", s.Description, why),
			Name:   s.Task, LastSeen: s.SkippedAt.UTC(),
		}
		if len(s.Recent) > 0 {
			p.TaskID = s.Recent[0].TaskID
		}
		all = append(all, p)
	}
	return all, nil
}
