package taskflow

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// schedules are those of a manager. Each has a goroutine, which Manager.services waits for; Stop ends them first, and lets one that has
// taken a slot begin its run.
type schedules struct {
	m      *Manager
	all    []*schedule
	slots  SlotStore
	states StateStore
	now    func() time.Time // the time on the wall

	ending  chan struct{} // closed by stop
	endOnce sync.Once
	left    atomic.Int32  // goroutines that run
	idle    chan struct{} // closed by the last of them
}

const (
	lookEvery       = 15 * time.Second // how often the clock on the wall is looked at: it may have been set, or the process suspended
	slotGrace       = time.Minute      // a slot that is noticed later than this was missed
	scheduleTimeout = 5 * time.Second  // for one attempt to take a slot, or to begin its run
	scheduleRetry   = 250 * time.Millisecond
	scheduleRetries = time.Minute // the longest wait between two attempts
)

// plan makes the schedules of New: their tasks are registered, and their options checked, once pools are there.
func (m *Manager) plan(all []*schedule) error {
	o := &schedules{m: m, all: all, now: time.Now, ending: make(chan struct{}), idle: make(chan struct{})}
	m.schedules = o
	var ok bool
	if o.slots, ok = m.cfg.backend.(SlotStore); !ok {
		o.slots = &privateSlots{taken: map[string]time.Time{}}
	}
	if o.states, ok = m.cfg.backend.(StateStore); !ok {
		o.states = &privateStates{values: map[string][]byte{}}
	}
	for _, s := range all {
		s.o = o
		trial := &job{m: m, work: Work{call: s.call}, policy: &defaultPolicy, status: StatusPending}
		if err := m.configure(trial, s.opts, time.Now()); err != nil {
			return fmt.Errorf("WithSchedule(%q): %w", s.name, err)
		}
	}
	return nil
}

// launch starts what serves the schedules until stop.
func (o *schedules) launch() {
	o.left.Store(int32(len(o.all)))
	o.warn()
	for _, s := range o.all {
		o.m.services.Go(s.run)
	}
}

// warn says what schedules cannot do with this backend.
func (o *schedules) warn() {
	if len(o.all) == 0 {
		return
	}
	_, keeps := o.states.(*privateStates)
	if _, alone := o.slots.(*privateSlots); alone && o.m.store != nil {
		o.m.log.Warn("taskflow: the backend has no slots: each instance that shares it runs each slot of its schedules", "backend", fmt.Sprintf("%T", o.m.cfg.backend))
	}
	for _, s := range o.all {
		if s.catchUp && keeps {
			o.m.log.Warn("taskflow: without a backend that keeps state, a schedule does not know which slots it has missed before Start, in spite of CatchUp", "schedule", s.name)
		}
	}
}

// stop lets no slot be taken any more, and waits until the runs of those that were taken have begun, or ctx ends.
func (o *schedules) stop(ctx context.Context) {
	o.endOnce.Do(func() { close(o.ending) })
	if o.left.Load() == 0 {
		return
	}
	select {
	case <-o.idle:
	case <-ctx.Done():
	}
}

// run serves the schedule until the manager stops. Manager.services waits for it.
func (s *schedule) run() {
	defer func() {
		if s.o.left.Add(-1) == 0 {
			close(s.o.idle)
		}
	}()
	for last := s.begun(); ; {
		s.mu.Lock()
		s.passed = last
		s.mu.Unlock()
		slot := s.table.next(last)
		if !s.await(s.due(slot)) {
			s.giveUpWaiting()
			return
		}
		slot = s.newest(slot)
		last = slot
		if late := s.o.now().Sub(s.due(slot)); late > slotGrace && !s.catchUp {
			s.o.m.log.Warn("taskflow: a slot was missed: the process was suspended, or its clock put forward", "schedule", s.name, "slot", slot, "late", late)
			continue
		}
		s.serve(slot)
	}
}

// begun returns the moment after which slots count: now, or with CatchUp right before the one that was missed.
func (s *schedule) begun() time.Time {
	now := s.o.now().Round(0)
	since := now
	if latest := s.table.latest(now.Add(-s.jitter), now); !latest.IsZero() && s.due(latest).After(now) {
		since = latest.Add(-time.Nanosecond) // its run is still to come
	}
	if !s.catchUp {
		return since
	}
	var known wireKnown
	ok := s.insist(s.due(s.table.next(now)), "read which slots were missed", func(ctx context.Context) error {
		st, err := s.state(ctx)
		if err != nil {
			return err
		}
		spec := s.table.spec + " " + s.table.zone.String()
		if st.known != nil && st.known.Spec == spec {
			known = *st.known
			return nil
		}
		return s.put(ctx, stateKnown, wireKnown{spec, now.UTC()})
	})
	if !ok || known.Spec == "" {
		return since
	}
	if missed := s.table.latest(known.Since, now); !missed.IsZero() && missed.Before(since) {
		return missed.Add(-time.Nanosecond) // if it was taken, it is not taken again
	}
	return since
}

// newest returns the latest slot, from slot on, whose run is due.
func (s *schedule) newest(slot time.Time) time.Time {
	now := s.o.now()
	for until := now; ; {
		later := s.table.latest(slot, until)
		if later.IsZero() {
			return slot
		}
		if !s.due(later).After(now) {
			s.o.m.log.Warn("taskflow: slots were missed", "schedule", s.name, "from", slot, "before", later)
			return later
		}
		until = later.Add(-time.Nanosecond)
	}
}

// await waits until it is time on the wall, and looks after the runs meanwhile. False: the manager stops.
func (s *schedule) await(due time.Time) bool {
	for {
		s.look()
		ended, wait := s.ended()
		if !s.waiting.IsZero() {
			wait = time.Second
		}
		wait = min(wait, due.Sub(s.o.now()))
		if isClosed(s.o.ending) {
			return false
		}
		if wait <= 0 {
			return true
		}
		timer := time.NewTimer(wait)
		select {
		case <-s.o.ending:
		case <-ended:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// look notes which runs have ended, and begins the one that waits for that.
func (s *schedule) look() {
	ctx, cancel := context.WithTimeout(context.Background(), scheduleTimeout)
	defer cancel()
	s.follow(ctx)
	s.passTurnLate()
	if s.waiting.IsZero() || isClosed(s.o.ending) {
		return
	}
	if err := s.beginWaiting(ctx); err != nil && !s.warned.Equal(s.waiting) {
		s.warned = s.waiting // once for each slot: this is tried each second
		s.o.m.log.Warn("taskflow: a run of a schedule that waits for the former one cannot begin yet", "schedule", s.name, "slot", s.waiting, "error", err)
	}
}

// beginWaiting begins the run that waits if the former one has ended. It looks before it takes the turn: that is written, and this is asked each
// second.
func (s *schedule) beginWaiting(ctx context.Context) error {
	st, err := s.state(ctx)
	if err != nil {
		return err
	}
	if st.paused == nil {
		if held, err := s.heldUp(ctx, st, s.waiting); err != nil || held.by != "" && !held.queue {
			return err
		}
	}
	return s.begin(ctx, s.waiting)
}

// serve takes a slot, if no other instance has, and begins its run.
func (s *schedule) serve(slot time.Time) {
	until, taken, unsure := s.due(s.table.next(slot)), false, false
	s.insist(until, "take the slot", func(ctx context.Context) (err error) {
		taken, err = s.o.slots.TakeSlot(ctx, s.name, slot)
		// An answer was lost before, and now the slot is taken: perhaps by that call. Where its key keeps a run from being added twice, it is
		// begun; elsewhere once too few is better than once too many.
		if unsure = unsure || err != nil; err == nil && !taken && unsure {
			if taken = s.o.m.journal != nil && s.o.m.keys.store != nil; !taken {
				s.o.m.log.Error("taskflow: a slot of a schedule may be lost: whether it was taken here is not known", "schedule", s.name, "slot", slot)
			}
		}
		return err
	})
	if taken {
		s.insist(until, "begin the run", func(ctx context.Context) error { return s.begin(ctx, slot) })
	}
}

// insist calls f until it succeeds, it is time for something else, or the manager stops; it reports whether f has succeeded.
func (s *schedule) insist(until time.Time, what string, f func(context.Context) error) bool {
	attempt := func() error {
		ctx, cancel := context.WithTimeout(context.Background(), scheduleTimeout)
		defer cancel()
		return f(ctx)
	}
	log := s.o.m.log.With("schedule", s.name, "what", what)
	for wait := scheduleRetry; ; wait = min(2*wait, scheduleRetries) {
		err := attempt()
		if err == nil {
			return true
		}
		left := until.Sub(s.o.now())
		if isClosed(s.o.ending) || left <= 0 {
			log.Error("taskflow: a slot of a schedule is lost", "error", err)
			return false
		}
		if wait == scheduleRetry {
			log.Warn("taskflow: a schedule is held up; it is tried again until the next slot", "error", err)
		}
		timer := time.NewTimer(min(wait, left))
		select {
		case <-timer.C:
		case <-s.o.ending: // once more, at once
		}
		timer.Stop()
	}
}

// begin begins the run of a slot that this instance has taken, unless the schedule is paused or its former run has not ended.
func (s *schedule) begin(ctx context.Context, slot time.Time) error {
	done, err := s.decide(ctx)
	if err != nil {
		return err
	}
	defer done()
	st, err := s.state(ctx)
	if err != nil {
		return err
	}
	if st.paused != nil {
		s.stopWaiting(ctx, slot)
		return nil
	}
	switch held, err := s.heldUp(ctx, st, slot); {
	case err != nil:
		return err
	case held.by == "":
	case s.overlap == OverlapQueue && !held.queue:
		return s.queueUp(ctx, slot)
	default:
		s.skip(ctx, st, slot, SkipOverlap, held.by)
		return nil
	}
	if _, err := s.add(ctx, st, slot, false); err != nil {
		return err
	}
	s.stopWaiting(ctx, slot)
	return nil
}

// unfinished returns the id of a run that has not ended; empty: there is none. What it finds out is remembered.
func (s *schedule) unfinished(ctx context.Context, st *scheduleState) (id string, err error) {
	alive := s.o.liveInstances(ctx)
	for i := range st.runs {
		r := &st.runs[i]
		before := r.Status
		if err := s.o.settle(ctx, r, alive); err != nil {
			return "", fmt.Errorf("look at the former run: %w", err)
		}
		switch {
		case !r.Status.Final():
			return r.TaskID, nil
		case r.Status != before:
			s.remembered(s.put(ctx, stateRun+r.TaskID, r))
		}
	}
	return "", nil
}

// skip counts a slot that is not run; by is what it waited for, where that is known.
func (s *schedule) skip(ctx context.Context, st *scheduleState, slot time.Time, why SkipReason, by string) {
	log := s.o.m.log.With("schedule", s.name, "slot", slot)
	if why == SkipStopped {
		log.Info("taskflow: a slot is skipped, because the manager stops while it waits for the former run")
	} else {
		log.Info("taskflow: a slot is skipped, because the former run has not ended", "held_up_by", by)
	}
	s.remembered(s.put(ctx, stateSkipped, wireSkipped{st.skipped.Count + 1, slot.UTC(), why}))
}

// holdup is why a slot's run cannot begin.
type holdup struct {
	by    string // empty: it can
	queue bool   // another slot waits already
}

// heldUp finds out whether a slot's run can begin.
func (s *schedule) heldUp(ctx context.Context, st *scheduleState, slot time.Time) (holdup, error) {
	if s.overlap == OverlapAllow {
		return holdup{}, nil
	}
	if w := st.waiting; s.overlap == OverlapQueue && w != nil && !w.Slot.Equal(slot) {
		waits := !s.waiting.IsZero()
		if w.Instance != s.o.m.Instance() {
			var err error
			if waits, err = s.o.liveInstances(ctx)(w.Instance); err != nil {
				return holdup{}, err
			}
		}
		if waits {
			return holdup{by: "the slot of " + w.Slot.Format(time.RFC3339) + ", which waits", queue: true}, nil
		}
	}
	former, err := s.unfinished(ctx, st)
	return holdup{by: former}, err
}

// queueUp lets a slot's run wait until the former one has ended.
func (s *schedule) queueUp(ctx context.Context, slot time.Time) error {
	if s.waiting.Equal(slot) {
		return nil // it waits on
	}
	if err := s.put(ctx, stateWaiting, wireWaiting{slot.UTC(), s.o.m.Instance()}); err != nil {
		return err
	}
	s.waiting = slot
	return nil
}

// stopWaiting: the slot does not wait any more, if it did.
func (s *schedule) stopWaiting(ctx context.Context, slot time.Time) {
	if s.waiting.IsZero() || !s.waiting.Equal(slot) {
		return
	}
	s.waiting = time.Time{}
	s.remembered(s.drop(ctx, stateWaiting))
}

// giveUpWaiting skips the slot that waits when the manager stops.
func (s *schedule) giveUpWaiting() {
	if s.waiting.IsZero() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), scheduleTimeout)
	defer cancel()
	done, err := s.decide(ctx)
	if !s.remembered(err) {
		return
	}
	defer done()
	if st, err := s.state(ctx); s.remembered(err) {
		s.skip(ctx, st, s.waiting, SkipStopped, "")
		s.stopWaiting(ctx, s.waiting)
	}
}

// add adds the task of a run, and remembers it. The caller has the turn, see decide.
func (s *schedule) add(ctx context.Context, st *scheduleState, slot time.Time, manual bool) (Handle, error) {
	if err := s.hasTurn(); err != nil {
		return Handle{}, err
	}
	m, opts := s.o.m, s.opts
	if !manual {
		opts = append(slices.Clip(opts), s.key(slot))
	}
	var h Handle
	var err error
	if m.journal != nil {
		h, err = m.Submit(ctx, s.call, opts...)
	} else {
		h = m.addNow(ctx, Work{call: s.call}, opts)
		err = h.Rejected()
	}
	if err != nil {
		return h, err
	}
	r := wireRun{TaskID: h.ID(), Slot: slot.UTC().Round(0), Manual: manual, Status: StatusPending, Instance: m.Instance()}
	s.mu.Lock()
	s.own = append(s.own, ownRun{wireRun: r, handle: h, dirty: true})
	s.mu.Unlock()
	s.follow(ctx)
	s.forget(ctx, st)
	return h, nil
}

// forget removes old runs from the state, where one was added to those that it shows.
func (s *schedule) forget(ctx context.Context, st *scheduleState) {
	const most = 5 * recentRuns // even of those whose end nobody has seen
	for i, r := range st.runs {
		if i+1 >= recentRuns && (r.Status.Final() || i+1 >= most) && !s.remembered(s.drop(ctx, stateRun+r.TaskID)) {
			return
		}
	}
}
