package dashboard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

const (
	aroundTick    = 500 * time.Millisecond // how often it is looked whether something is to be told
	countsPause   = time.Second
	othersPause   = 2 * time.Second
	othersShown   = 500 // live tasks of other instances that are followed
	othersMissing = 100 // of those that are live no more, how many are asked for at a time
)

// around tells viewers what the manager's own events do not: how operations go, how many tasks there are, and what happens on other instances. One
// goroutine, run, does the work, for as long as somebody watches; touched and dirty may be set by anybody.
type around struct {
	m       *taskflow.Manager
	b       *broadcast
	touched atomic.Bool // a task has changed since the counts were looked at

	mu    sync.Mutex
	dirty map[*operation]bool // those that have changed since they were told of

	counted time.Time
	counts  counts
	asked   time.Time         // when other instances were looked at
	others  map[string]string // their live tasks: how they looked
}

// counts is the data of a counts event.
type counts struct {
	Pending     int64 `json:"pending"`
	Running     int64 `json:"running"`
	Success     int64 `json:"success"`
	Failed      int64 `json:"failed"`
	Interrupted int64 `json:"interrupted"`
	Cancelled   int64 `json:"cancelled"`
}

func newAround(m *taskflow.Manager, b *broadcast) *around {
	a := &around{m: m, b: b, dirty: map[*operation]bool{}, others: map[string]string{}, counts: counts{Pending: -1}}
	a.touched.Store(true)
	return a
}

// run works until ctx or the broadcast ends.
func (a *around) run(ctx context.Context) {
	tick := time.NewTicker(aroundTick)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		case <-a.b.done:
			return
		}
		now := time.Now()
		made := a.operations()
		if now.Sub(a.asked) >= othersPause {
			a.asked = now
			some, err := a.elsewhere(ctx, now)
			made = append(made, some...)
			a.report(ctx, "look at other instances", err)
		}
		if now.Sub(a.counted) >= countsPause && a.touched.Swap(false) {
			a.counted = now
			some, err := a.recount(ctx)
			made = append(made, some...)
			a.report(ctx, "count tasks", err)
		}
		a.b.publish(made)
	}
}

// report is for errors that the next tick may not have: those who watch see what the manager itself tells.
func (a *around) report(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() == nil {
		a.m.Logger().Debug("dashboard: the stream misses something", "what", what, "error", err)
	}
}

func (a *around) changed(o *operation) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.dirty[o] = true
}

// operations are the events of those that have changed.
func (a *around) operations() (made []event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for o := range a.dirty {
		made = appendEvent(made, "operation", o.snapshot())
	}
	clear(a.dirty)
	return made
}

func (a *around) recount(ctx context.Context) ([]event, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	s, err := a.m.Stats(ctx)
	if err != nil {
		a.touched.Store(true)
		return nil, err
	}
	now := counts{
		s.Counts[taskflow.StatusPending], s.Counts[taskflow.StatusRunning], s.Counts[taskflow.StatusSuccess], s.Counts[taskflow.StatusFailed],
		s.Counts[taskflow.StatusInterrupted], s.Counts[taskflow.StatusCancelled],
	}
	if now == a.counts {
		return nil, nil
	}
	a.counts = now
	return appendEvent(nil, "counts", now), nil
}

// elsewhere are the events of tasks of other instances that have changed since it was called last: of live ones, of those that have ended
// meanwhile, and of those that were added and ended in between.
func (a *around) elsewhere(ctx context.Context, now time.Time) (made []event, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if shared, err := a.m.Shared(ctx); err != nil || !shared && len(a.others) == 0 {
		return nil, err
	}
	liveOnes, err := a.m.ListElsewhere(ctx, taskflow.Query{Limit: othersShown, Filter: taskflow.Filter{
		Statuses: []taskflow.Status{taskflow.StatusPending, taskflow.StatusRunning}}})
	if err != nil {
		return nil, err
	}
	before := a.others
	a.others = make(map[string]string, len(liveOnes.Records))
	for i := range liveOnes.Records {
		made = a.note(made, &liveOnes.Records[i], before)
	}
	ended, err := a.m.ListElsewhere(ctx, taskflow.Query{Limit: othersShown, Filter: taskflow.Filter{
		Statuses: finalStatuses(), Since: now.Add(-2 * othersPause)}})
	if err != nil {
		return made, err
	}
	for i := range ended.Records {
		made = a.note(made, &ended.Records[i], before)
	}
	missing := 0
	for id, look := range before {
		if _, there := a.others[id]; there || look == "" || liveOnes.Next != "" && id <= liveOnes.Next {
			continue
		}
		if missing++; missing > othersMissing {
			continue
		}
		switch r, err := a.m.Get(ctx, id); {
		case err == nil:
			made = a.note(made, &r, before) // it may be live all the same: what others say of themselves is a little old
		case !errors.Is(err, taskflow.ErrNotFound):
			a.others[id] = look // next time
		}
	}
	if missing > othersMissing || ended.Next != "" {
		made = append(made, resetEvent(uint64(max(missing-othersMissing, 1))))
	}
	if len(made) > 0 {
		a.touched.Store(true)
	}
	return made, nil
}

// note remembers how a task looks, and tells when that is new. One that has ended is remembered for as long as it is listed.
func (a *around) note(made []event, r *taskflow.Record, before map[string]string) []event {
	look := ""
	if !r.Status.Final() {
		look = fmt.Sprint(r.Status, r.Attempts, r.RunAt.UnixNano(), r.Owner)
	}
	known, seen := before[r.ID]
	if seen && known == "" {
		look = "" // it has ended, and who ran it has not said so yet
	}
	if r.Owner != a.m.Instance() { // it was taken over by this instance: its own events tell the rest
		a.others[r.ID] = look
	}
	if seen && known == look {
		return made
	}
	e, err := taskEvent(r)
	if err != nil { // a record of another instance may hold anything; it is in no list either
		return made
	}
	e.elsewhere = true
	return append(made, e)
}

func appendEvent(made []event, name string, v any) []event {
	data, err := json.Marshal(v)
	if err != nil { // no type here can fail
		return made
	}
	return append(made, event{name: name, data: data})
}
