package taskflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// What instances remember of a schedule is in the backend's StateStore, in small values of which each has one writer at a time: who has taken
// a slot, or runs a task, or a person. Their names begin with "schedule/", the name of the schedule and a slash.
const (
	statePrefix  = "schedule/"
	statePaused  = "paused"  // wirePause
	stateSkipped = "skipped" // wireSkipped
	stateWaiting = "waiting" // wireWaiting
	stateKnown   = "known"   // wireKnown
	stateRun     = "run/"    // wireRun, followed by the id of its task
)

// recentRuns is how many runs are remembered.
const recentRuns = 10

type wirePause struct {
	By string    `json:"by"`
	At time.Time `json:"at"`
}

type wireSkipped struct {
	Count int64     `json:"count"`
	Slot  time.Time `json:"slot"` // the latest
	// Reason is why that one was; empty: SkipOverlap.
	Reason SkipReason `json:"reason,omitempty"`
}

type wireWaiting struct {
	Slot     time.Time `json:"slot"`
	Instance string    `json:"instance"`
}

// wireKnown is since when a schedule is as it is.
type wireKnown struct {
	Spec  string    `json:"spec"`
	Since time.Time `json:"since"`
}

type wireRun struct {
	TaskID   string    `json:"task_id"`
	Slot     time.Time `json:"slot"`
	Manual   bool      `json:"manual,omitempty"`
	Status   Status    `json:"status,omitempty"` // final, or pending
	Instance string    `json:"instance"`         // that began it
}

// scheduleState is what is remembered of one schedule.
type scheduleState struct {
	paused  *wirePause
	skipped wireSkipped
	waiting *wireWaiting
	known   *wireKnown
	runs    []wireRun // newest first
}

// readStates returns what is remembered of the schedules whose states begin with prefix, by name.
func (o *schedules) readStates(ctx context.Context, prefix string) (map[string]*scheduleState, error) {
	values, err := o.states.States(ctx, prefix)
	if err != nil {
		return nil, fmt.Errorf("read the state of schedules: %w", err)
	}
	all := map[string]*scheduleState{}
	for name, value := range values {
		schedule, what, ok := strings.Cut(strings.TrimPrefix(name, statePrefix), "/")
		if !ok {
			continue
		}
		if all[schedule] == nil {
			all[schedule] = &scheduleState{}
		}
		if err := all[schedule].read(what, value); err != nil { // written by another version, perhaps: the rest counts
			o.m.log.Warn("taskflow: the state of a schedule cannot be read", "schedule", schedule, "state", what, "error", err)
		}
	}
	for _, st := range all {
		slices.SortFunc(st.runs, func(a, b wireRun) int { return strings.Compare(b.TaskID, a.TaskID) })
	}
	return all, nil
}

func (st *scheduleState) read(what string, value []byte) error {
	var into any
	switch {
	case what == statePaused:
		st.paused = &wirePause{}
		into = st.paused
	case what == stateSkipped:
		into = &st.skipped
	case what == stateWaiting:
		st.waiting = &wireWaiting{}
		into = st.waiting
	case what == stateKnown:
		st.known = &wireKnown{}
		into = st.known
	case strings.HasPrefix(what, stateRun):
		var r wireRun
		if err := json.Unmarshal(value, &r); err != nil {
			return err
		}
		st.runs = append(st.runs, r)
		return nil
	default:
		return nil
	}
	return json.Unmarshal(value, into)
}

// state returns what is remembered of the schedule, and what this instance knows better: of runs that it has begun itself.
func (s *schedule) state(ctx context.Context) (*scheduleState, error) {
	all, err := s.o.readStates(ctx, statePrefix+s.name+"/")
	if err != nil {
		return nil, err
	}
	st := all[s.name]
	if st == nil {
		st = &scheduleState{}
	}
	s.addOwn(st)
	return st, nil
}

func (s *schedule) put(ctx context.Context, what string, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode the state of schedule %q: %w", s.name, err)
	}
	if err := s.o.states.PutState(ctx, statePrefix+s.name+"/"+what, data); err != nil {
		return fmt.Errorf("write the state of schedule %q: %w", s.name, err)
	}
	return nil
}

func (s *schedule) drop(ctx context.Context, what string) error {
	if err := s.o.states.DeleteState(ctx, statePrefix+s.name+"/"+what); err != nil {
		return fmt.Errorf("remove the state of schedule %q: %w", s.name, err)
	}
	return nil
}

// ownRun is a run that this instance has begun.
type ownRun struct {
	wireRun

	handle Handle
	over   bool // its status is final
	dirty  bool // the state does not have it as it is
}

// addOwn puts what this instance knows of its runs in place of what is stored.
func (s *schedule) addOwn(st *scheduleState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.own {
		i := slices.IndexFunc(st.runs, func(stored wireRun) bool { return stored.TaskID == r.TaskID })
		if i < 0 {
			st.runs = append(st.runs, r.wireRun)
		} else {
			st.runs[i] = r.wireRun
		}
	}
	slices.SortFunc(st.runs, func(a, b wireRun) int { return strings.Compare(b.TaskID, a.TaskID) })
}

// follow notes which runs of this instance have ended, and writes what the state does not have.
func (s *schedule) follow(ctx context.Context) {
	s.mu.Lock()
	s.own = slices.DeleteFunc(s.own, func(r ownRun) bool { // saved for the next start, or another instance's now: no more ours
		return !r.over && isClosed(r.handle.Done()) && !r.handle.Record().Status.Final()
	})
	var unsaved []ownRun
	for i := range s.own {
		r := &s.own[i]
		if !r.over && isClosed(r.handle.Done()) {
			r.Status, r.over, r.dirty, r.handle = r.handle.Record().Status, true, true, Handle{}
		}
		if r.dirty {
			unsaved = append(unsaved, *r)
		}
	}
	for len(s.own) > recentRuns && s.own[0].over && !s.own[0].dirty {
		s.own = s.own[1:]
	}
	s.mu.Unlock()
	for _, r := range unsaved {
		if !s.remembered(s.put(ctx, stateRun+r.TaskID, r.wireRun)) {
			return
		}
		s.mu.Lock()
		for i := range s.own {
			if s.own[i].wireRun == r.wireRun {
				s.own[i].dirty = false
			}
		}
		s.mu.Unlock()
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// remembered reports whether the state could be written, and logs the first time that it could not.
func (s *schedule) remembered(err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil && !s.failing {
		s.o.m.log.Warn("taskflow: the state of a schedule cannot be written; it is tried again", "schedule", s.name, "error", err)
	}
	s.failing = err != nil
	return err == nil
}

// ended is closed when a run of this instance has ended, and says how often to look otherwise.
func (s *schedule) ended() (ended <-chan struct{}, look time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if look = lookEvery; s.turnHeld {
		look = time.Second
	}
	for i := range s.own {
		r := &s.own[i]
		if r.dirty || ended != nil {
			look = time.Second
		}
		if !r.over && ended == nil {
			ended = r.handle.Done()
		}
	}
	return ended, look
}

// settle finds out what has become of a run.
func (o *schedules) settle(ctx context.Context, r *wireRun, alive func(string) (bool, error)) error {
	if r.Status.Final() {
		return nil
	}
	rec, err := o.m.Get(ctx, r.TaskID)
	switch {
	case err == nil:
		r.Status = rec.Status
		return nil
	case !errors.Is(err, ErrNotFound):
		return err
	}
	r.Status = StatusPending
	if r.Instance != o.m.Instance() {
		lives, err := alive(r.Instance)
		if err != nil || lives { // what it runs in memory is not to be seen at once
			return err
		}
	}
	r.Status = StatusInterrupted // it has died with its instance
	return nil
}

// liveInstances tells which instances there are; it asks once, when it is needed.
func (o *schedules) liveInstances(ctx context.Context) func(string) (bool, error) {
	var ids []string
	return func(id string) (bool, error) {
		if ids == nil {
			ids = []string{o.m.Instance()}
			if o.m.peers != nil {
				all, err := o.m.peers.store.Instances(ctx) // not what it was a second ago: one that has just begun is not dead
				if err != nil {
					return false, fmt.Errorf("read the instances: %w", err)
				}
				for _, i := range all {
					ids = append(ids, i.ID)
				}
			}
		}
		return slices.Contains(ids, id), nil
	}
}

// privateStates and privateSlots stand in for a backend that has none, or for no backend.
type privateStates struct {
	mu     sync.Mutex
	values map[string][]byte
}

func (p *privateStates) PutState(_ context.Context, name string, value []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.values[name] = slices.Clone(value)
	return nil
}

func (p *privateStates) State(_ context.Context, name string) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	value, ok := p.values[name]
	if !ok {
		return nil, fmt.Errorf("%w: state %q", ErrNotFound, name)
	}
	return value, nil
}

func (p *privateStates) States(_ context.Context, prefix string) (map[string][]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	found := maps.Clone(p.values)
	maps.DeleteFunc(found, func(name string, _ []byte) bool { return !strings.HasPrefix(name, prefix) })
	return found, nil
}

func (p *privateStates) DeleteState(_ context.Context, name string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.values, name)
	return nil
}

type privateSlots struct {
	mu    sync.Mutex
	taken map[string]time.Time
}

func (p *privateSlots) TakeSlot(_ context.Context, schedule string, slot time.Time) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if last, some := p.taken[schedule]; some && !slot.After(last) {
		return false, nil
	}
	p.taken[schedule] = slot
	return true, nil
}
