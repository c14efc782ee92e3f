package taskflow

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"sync"
	"time"
)

// ScheduleOption is an option of [WithSchedule]. Each [Option] is one: it overrides the policy of the task for the runs of the schedule.
type ScheduleOption interface{ applySchedule(*schedule) error }

// OverlapPolicy says what becomes of a slot that comes while the former run of the schedule has not ended; see [Overlap].
type OverlapPolicy string

// The policies.
const (
	OverlapSkip  OverlapPolicy = "skip"  // the slot is skipped, and counted
	OverlapQueue OverlapPolicy = "queue" // the slot's run begins when the former one has ended; one slot waits, more are skipped
	OverlapAllow OverlapPolicy = "allow" // it begins beside the former one
)

// MaxScheduleName bounds the name of a schedule, in bytes.
const MaxScheduleName = 100

// ScheduleTag is the tag that each run of a schedule carries: its value is the schedule's name.
const ScheduleTag = "schedule"

// WithSchedule adds call at each slot of when: a run is an ordinary task with the source [SourceScheduled] and the tag "schedule".
//
//	taskflow.WithSchedule("cleanup", taskflow.Every(10*time.Minute), jobs.Cleanup.With(jobs.All)),
//	taskflow.WithSchedule("report", taskflow.Cron("0 3 * * MON"), jobs.Report.With("weekly"), taskflow.TimeZone("Europe/Berlin"), taskflow.CatchUp()),
//
// Of all instances that share a backend with slots and have a schedule of this name, one runs each slot: who takes it first. A run is submitted,
// that is on disk before it starts, where the backend has a journal, and added in memory otherwise. A slot is run at most once: when the
// process dies after it has taken a slot and before its run is stored, which is a matter of milliseconds, that slot is lost.
//
// Name: 1 to [MaxScheduleName] letters, digits, '-', '_' and '.', beginning with a letter or digit; it is what is stored, so keep it.
// The call's task is registered as by [WithTasks], if it is not. Errors of New, which name the schedule and the input: a name that is not
// allowed or given twice, a When or option that makes no sense, a time zone that is not known, arguments that cannot be stored. Schedules start when
// Start has recovered what waits, and take no slot any more once Stop is called.
func WithSchedule(name string, when When, call Call, opts ...ScheduleOption) ManagerOption {
	return func(c *config) error {
		s, err := newSchedule(name, when, call, opts)
		if err != nil {
			return fmt.Errorf("WithSchedule(%s): %w", strconv.Quote(clip(name, MaxScheduleName)), err)
		}
		for _, other := range c.schedules {
			if other.name == name {
				return invalid("WithSchedule(%q): given twice", name)
			}
		}
		c.schedules = append(c.schedules, s)
		return nil
	}
}

type scheduleOption func(*schedule) error

func (o scheduleOption) applySchedule(s *schedule) error { return o(s) }

func (o policyOption) applySchedule(s *schedule) error { s.opts = append(s.opts, o); return nil }

func (o joined) applySchedule(s *schedule) error { s.opts = append(s.opts, o); return nil }

// TimeZone is whose clock on the wall [Cron] looks at: an IANA name, as "Europe/Berlin". Default "UTC". "Local" is refused: instances on
// other machines could mean something else.
func TimeZone(name string) ScheduleOption {
	return scheduleOption(func(s *schedule) error {
		if name == "" || name == "Local" {
			return invalid("TimeZone(%q): name the zone, as in \"Europe/Berlin\" or \"UTC\"", name)
		}
		zone, err := time.LoadLocation(name)
		if err != nil {
			return invalid("TimeZone(%q): %v (if the machine has no time zones, import _ \"time/tzdata\")", clip(name, 100), err)
		}
		s.table.zone, s.zoned = zone, true
		return nil
	})
}

// Jitter starts each run up to d (0 or more; default 0) after its slot, so that not everything happens at the full hour; never later than
// the next slot. How long is made of the schedule's name and the slot: all instances agree.
func Jitter(d time.Duration) ScheduleOption {
	return scheduleOption(func(s *schedule) error {
		if d < 0 {
			return invalid("Jitter: must not be negative, not %v", d)
		}
		s.jitter = d
		return nil
	})
}

// Overlap says what becomes of a slot that comes while the former run has not ended, on whichever instance. Default [OverlapSkip].
func Overlap(p OverlapPolicy) ScheduleOption {
	return scheduleOption(func(s *schedule) error {
		switch p {
		case OverlapSkip, OverlapQueue, OverlapAllow:
			s.overlap = p
			return nil
		}
		return invalid("Overlap: there are OverlapSkip, OverlapQueue and OverlapAllow, not %q", clip(string(p), 40))
	})
}

// CatchUp runs the latest slot that was missed while no instance ran, or while the process was suspended: once, however many were missed.
// Without it, slots that are more than a minute late are not run. It needs a backend that keeps state ([StateStore]), because what was
// before the schedule was there, or was another When, is not missed.
func CatchUp() ScheduleOption {
	return scheduleOption(func(s *schedule) error { s.catchUp = true; return nil })
}

// schedule is one of a manager. One goroutine serves it, see run.
type schedule struct {
	name    string
	table   timetable
	zoned   bool
	call    Call
	opts    []AddOption
	jitter  time.Duration
	overlap OverlapPolicy
	catchUp bool

	o       *schedules
	turn    chan struct{} // holds a token while it is decided here whether a run begins
	token   string        // by which the turn among instances is held, see decide
	waiting time.Time     // slot whose run waits for the former one; used by run's goroutine alone
	warned  time.Time     // of waiting, that it cannot begin

	mu      sync.Mutex
	passed  time.Time // slots until then are over
	own     []ownRun  // runs that this instance has begun, in their order
	failing bool      // the state cannot be written

	turnHeld  bool   // among instances
	turnOwner string // the name of this instance under which it was taken; guarded by turn
}

func newSchedule(name string, when When, call Call, opts []ScheduleOption) (*schedule, error) {
	s := &schedule{
		name: name, table: timetable{when, time.UTC}, call: call, overlap: OverlapSkip, turn: make(chan struct{}, 1), token: NewID(time.Now()),
	}
	switch {
	case !validScheduleName(name):
		return nil, invalid("the name must have 1 to %d letters, digits, '-', '_' and '.', and begin with a letter or digit", MaxScheduleName)
	case when.err != nil:
		return nil, when.err
	case when.every == 0 && when.cron == nil:
		return nil, invalid("the When is zero: make it with Every or Cron")
	case call.def == nil:
		return nil, invalid("the call is zero: make it with Task.With")
	case call.err != nil:
		return nil, call.err
	}
	for _, o := range opts {
		if o == nil {
			return nil, invalid("an option is nil")
		}
		if err := o.applySchedule(s); err != nil {
			return nil, err
		}
	}
	if s.zoned && when.every > 0 {
		return nil, invalid("TimeZone(%q): Every knows no time zone; use Cron", s.table.zone)
	}
	s.opts = append(s.opts, sourceOption(SourceScheduled), Tag(ScheduleTag, name))
	return s, nil
}

func validScheduleName(name string) bool {
	const also = "-_."
	for i, r := range name {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		if !letter && (i == 0 || !strings.ContainsRune(also, r)) {
			return false
		}
	}
	return name != "" && len(name) <= MaxScheduleName
}

func sourceOption(source string) AddOption {
	return addOption(func(in *invocation) error { in.source = source; return nil })
}

// due is when a slot's run is to begin.
func (s *schedule) due(slot time.Time) time.Time {
	most := min(s.jitter, s.table.next(slot).Sub(slot))
	if most <= 0 {
		return slot
	}
	h := fnv.New64a()
	h.Write(fmt.Append(nil, s.name, " ", slot.UnixMicro()))
	return slot.Add(time.Duration(h.Sum64() % uint64(most)).Truncate(time.Millisecond))
}

// key is the idempotency key of a slot's run: what is submitted again, because the answer was lost, is not run twice.
func (s *schedule) key(slot time.Time) AddOption {
	return IdempotencyKey("schedule/" + s.name + "/" + slot.UTC().Format(time.RFC3339))
}
