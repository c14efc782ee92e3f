package taskflow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"
)

// ScheduleInfo is a schedule at one moment.
type ScheduleInfo struct {
	Name        string
	Spec        string // the cron expression, or as in "every 5m0s"
	Description string // in words: "every 5 minutes", "at 03:00 on Monday (Europe/Berlin)"
	TimeZone    string // IANA name; "UTC" for Every
	Task        string // name of the task
	Overlap     OverlapPolicy
	Jitter      time.Duration
	CatchUp     bool
	Durable     bool          // its runs are submitted: the backend has a journal
	NextRun     time.Time     // when the next run is to begin, jitter included; zero while paused
	Recent      []ScheduleRun // at most ten, newest first, of all instances, those before this start too
	Paused      bool
	PausedBy    string
	PausedAt    time.Time
	Skipped     int64      // slots skipped because the former run had not ended
	SkippedAt   time.Time  // the latest of them
	SkippedFor  SkipReason // why the latest was; empty: none was
}

// SkipReason says why a slot of a schedule was skipped.
type SkipReason string

// The reasons.
const (
	SkipOverlap SkipReason = "overlap" // the former run had not ended, or another slot waited for that already
	SkipStopped SkipReason = "stopped" // it waited for the former run (OverlapQueue), and its instance was stopped
)

// ScheduleRun is one run of a schedule.
type ScheduleRun struct {
	TaskID string
	Slot   time.Time // when it was due; of a manual one, when somebody asked for it
	Manual bool      // by RunSchedule
	// Status is that of the task now. A run whose task nobody has heard of since its instance died is interrupted.
	Status Status
}

// Schedules describes the schedules, in the order of [WithSchedule]. Before Start and after Stop only what New knows. Errors are the
// backend's.
func (m *Manager) Schedules(ctx context.Context) ([]ScheduleInfo, error) {
	o := m.schedules
	infos := make([]ScheduleInfo, 0, len(o.all))
	states := map[string]*scheduleState{}
	if len(o.all) > 0 && m.life.running() {
		var err error
		if states, err = o.readStates(ctx, statePrefix); err != nil {
			return nil, fmt.Errorf("taskflow: schedules: %w", err)
		}
	}
	for _, s := range o.all {
		st := states[s.name]
		if st == nil {
			st = &scheduleState{}
		}
		s.addOwn(st)
		info, err := s.info(ctx, st)
		if err != nil {
			return nil, fmt.Errorf("taskflow: schedules: %w", err)
		}
		infos = append(infos, info)
	}
	return infos, nil
}

// RunSchedule runs a schedule now, also when it is paused: an ordinary run, but that it has no slot. Errors: ErrScheduleNotFound;
// ErrScheduleBusy when its former run has not ended and runs must not overlap; and those of Submit, or of [Handle.Rejected].
func (m *Manager) RunSchedule(ctx context.Context, name string) (Handle, error) {
	s, err := m.schedules.find(name)
	if err != nil {
		return Handle{}, err
	}
	h, err := s.runNow(ctx)
	for errors.Is(err, errTurnLost) && ctx.Err() == nil { // once for each lease
		h, err = s.runNow(ctx)
	}
	if err != nil {
		return Handle{}, fmt.Errorf("taskflow: run schedule %q: %w", name, err)
	}
	return h, nil
}

func (s *schedule) runNow(ctx context.Context) (Handle, error) {
	if !s.o.m.life.running() {
		return Handle{}, fmt.Errorf("%w, or not started yet", ErrStopped)
	}
	done, err := s.decideNow(ctx)
	if err != nil {
		return Handle{}, err
	}
	defer done()
	st, err := s.state(ctx)
	if err != nil {
		return Handle{}, err
	}
	if s.overlap != OverlapAllow {
		former, err := s.unfinished(ctx, st)
		if err != nil {
			return Handle{}, err
		}
		if former != "" {
			return Handle{}, fmt.Errorf("%w: task %s", ErrScheduleBusy, former)
		}
	}
	return s.add(ctx, st, s.o.now(), true)
}

// decideNow is decide for somebody who waits for the answer. A backend that does not give it is no schedule that is busy.
func (s *schedule) decideNow(ctx context.Context) (done func(), err error) {
	waiting, cancel := context.WithTimeout(ctx, scheduleTimeout)
	defer cancel()
	if done, err = s.decide(waiting); errors.Is(err, errTurnTaken) && ctx.Err() == nil {
		err = fmt.Errorf("%w: %w", ErrScheduleBusy, err)
	}
	return done, err
}

// PauseSchedule lets slots pass unused, on all instances and over restarts, until ResumeSchedule; what is running runs on. They are not made up
// for. actor is who wants it, for display. Pausing again replaces who and when. Without a backend that keeps state it holds for this
// manager only. Errors: ErrScheduleNotFound, ErrStopped when the manager does not run, and the backend's.
func (m *Manager) PauseSchedule(ctx context.Context, name, actor string) (ScheduleInfo, error) {
	return m.changeSchedule(ctx, "pause", name, actor, func(s *schedule) error {
		return s.put(ctx, statePaused, wirePause{clip(actor, MaxNameBytes), s.o.now().UTC().Round(0)})
	})
}

// ResumeSchedule ends a pause: the next slot is run again. One that is not paused stays as it is. Errors are those of PauseSchedule.
func (m *Manager) ResumeSchedule(ctx context.Context, name, actor string) (ScheduleInfo, error) {
	return m.changeSchedule(ctx, "resume", name, actor, func(s *schedule) error { return s.drop(ctx, statePaused) })
}

func (m *Manager) changeSchedule(ctx context.Context, what, name, actor string, change func(*schedule) error) (ScheduleInfo, error) {
	s, err := m.schedules.find(name)
	if err != nil {
		return ScheduleInfo{}, err
	}
	fail := func(err error) (ScheduleInfo, error) {
		return ScheduleInfo{}, fmt.Errorf("taskflow: %s schedule %q: %w", what, name, err)
	}
	if !m.life.running() {
		return fail(fmt.Errorf("%w, or not started yet", ErrStopped))
	}
	if err := change(s); err != nil {
		return fail(err)
	}
	m.log.Info("taskflow: a schedule is changed", "schedule", name, "what", what, "by", clip(actor, MaxNameBytes))
	st, err := s.state(ctx)
	if err != nil {
		return fail(err)
	}
	info, err := s.info(ctx, st)
	if err != nil {
		return fail(err)
	}
	return info, nil
}

func (o *schedules) find(name string) (*schedule, error) {
	for _, s := range o.all {
		if s.name == name {
			return s, nil
		}
	}
	return nil, fmt.Errorf("%w: %q", ErrScheduleNotFound, clip(name, MaxScheduleName))
}

func (s *schedule) info(ctx context.Context, st *scheduleState) (ScheduleInfo, error) {
	info := ScheduleInfo{
		Name: s.name, Spec: s.table.spec, Description: s.table.text(), TimeZone: s.table.zone.String(), Task: s.call.Name(),
		Overlap: s.overlap, Jitter: s.jitter, CatchUp: s.catchUp, Durable: s.o.m.journal != nil,
		Skipped: st.skipped.Count, SkippedAt: st.skipped.Slot,
	}
	if !info.SkippedAt.IsZero() {
		info.SkippedFor = cmp.Or(st.skipped.Reason, SkipOverlap)
	}
	if st.paused != nil {
		info.Paused, info.PausedBy, info.PausedAt = true, st.paused.By, st.paused.At
	} else {
		info.NextRun = s.nextRun()
	}
	alive := s.o.liveInstances(ctx)
	for i := range st.runs {
		if i == recentRuns {
			break
		}
		r := &st.runs[i]
		if err := s.o.settle(ctx, r, alive); err != nil {
			return ScheduleInfo{}, err
		}
		info.Recent = append(info.Recent, ScheduleRun{r.TaskID, r.Slot, r.Manual, r.Status})
	}
	return info, nil
}

// nextRun is when the next slot that is not over is due.
func (s *schedule) nextRun() time.Time {
	s.mu.Lock()
	after := s.passed
	s.mu.Unlock()
	if after.IsZero() { // before Start
		after = s.o.now()
	}
	slot := s.table.next(after)
	if now := s.o.now(); s.due(slot).Before(now) { // it is being served
		slot = s.table.next(now)
	}
	return s.due(slot)
}
