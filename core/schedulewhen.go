package taskflow

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/netresearch/go-cron"
)

// When says at which moments a schedule is due: its slots. Made by [Every] and [Cron]; what is wrong with it, New tells.
type When struct {
	spec  string
	every time.Duration
	cron  *cron.SpecSchedule
	err   error
}

// maxSpecBytes bounds a cron expression.
const maxSpecBytes = 200

// Every is due each d (whole seconds, from 1 s): at the multiples of d since Monday, 1 January of the year 1, 00:00 UTC. So all instances
// mean the same moments, whenever they were started: Every(5*time.Minute) is due at :00, :05, :10 of each hour, and Every(24*time.Hour) at midnight UTC.
// It knows no time zone; for a time of day, see [Cron].
func Every(d time.Duration) When {
	w := When{spec: "every " + d.String(), every: d}
	if d < time.Second || d%time.Second != 0 {
		w.err = invalid("Every: must be whole seconds, at least 1s, not %v", d)
	}
	return w
}

// Cron is due when the clock on the wall shows what the expression says. Its fields are minute, hour, day (1-31), month and day of the week (0 or 7
// is Sunday), with one for seconds before them if there are six. Fields know *, lists (1,15), ranges (9-17, FRI-MON), steps (*/5, 0-30/10) and
// names (JAN, MON); if both days are given, either suffices, as in crontab(5). @hourly, @daily (@midnight), @weekly, @monthly and
// @yearly (@annually) are short for the usual ones.
//
// The clock is that of UTC unless [TimeZone] says otherwise. A time that a zone leaves out, because the clock is put forward, is due at the first
// moment after it; one that comes twice, because the clock is put back, is due the first time. An expression for every hour of the
// day (*/5 * * * *) goes by the time that passes: nothing is left out for an hour, and nothing is made up.
func Cron(expression string) When {
	w := When{spec: expression}
	if w.cron, w.err = parseCron(expression); w.err != nil {
		w.err = invalid("Cron(%q): %v", clip(expression, maxSpecBytes), w.err)
	}
	return w
}

func parseCron(expression string) (*cron.SpecSchedule, error) {
	const fields = cron.SecondOptional | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor | cron.DowOrDom
	const longest = 12 // years between two 29ths of February, and more
	switch {
	case len(expression) > maxSpecBytes:
		return nil, fmt.Errorf("the expression has %d bytes, the limit is %d", len(expression), maxSpecBytes)
	case strings.TrimSpace(expression) == "":
		return nil, errors.New("the expression is empty; it has 5 fields, as in \"0 3 * * MON\"")
	case strings.Contains(expression, "="):
		return nil, errors.New("a time zone is given by the option TimeZone, not in the expression")
	case strings.HasPrefix(expression, "@every"):
		return nil, errors.New("use Every(d)")
	}
	parser, err := cron.TryNewParser(fields)
	if err != nil {
		return nil, err
	}
	parsed, err := parser.WithMaxSearchYears(longest).Parse(expression)
	if err != nil {
		return nil, err
	}
	s, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return nil, errors.New("not an expression of 5 or 6 fields")
	}
	// From here on it counts in the time that clocks on the wall show, as if that were UTC.
	s.Location = time.UTC
	if s.Next(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return nil, errors.New("there is no such day")
	}
	return s, nil
}

// timetable is a When in a time zone: the slots of a schedule. It is never changed.
type timetable struct {
	When

	zone *time.Location
}

// next is the first slot after a moment, in UTC.
func (t *timetable) next(after time.Time) time.Time {
	switch {
	case t.every > 0:
		return after.UTC().Truncate(t.every).Add(t.every)
	case fieldOf(t.cron.Hour, 0, 23).all:
		return t.nextElapsed(after)
	}
	for wall := wallClock(after, t.zone); ; {
		wall = t.cron.Next(wall)
		if wall.IsZero() {
			return wall
		}
		if at := reached(wall, t.zone); at.After(after) {
			return at
		}
	}
}

// nextElapsed is next for an expression of every hour: each moment at which the clock shows what it says.
func (t *timetable) nextElapsed(after time.Time) time.Time {
	at := after.In(t.zone)
	for wall := wallClock(at, t.zone); ; {
		next := t.cron.Next(wall)
		if next.IsZero() {
			return next
		}
		_, offset := at.Zone()
		end := zoneEnd(at)
		if moment := next.Add(-seconds(offset)); end.IsZero() || moment.Before(end) {
			return moment
		}
		at = end // the clock is put forward or back: go on from what it shows then
		wall = wallClock(at, t.zone).Add(-time.Nanosecond)
	}
}

// latest is the last slot that is not after now, and after since; zero: there is none.
func (t *timetable) latest(since, now time.Time) time.Time {
	for back := 2 * time.Minute; ; back *= 4 {
		from := now.Add(-back)
		if from.Before(since) {
			from = since
		}
		var last time.Time
		for slot := t.next(from); !slot.IsZero() && !slot.After(now); slot = t.next(slot) {
			last = slot
		}
		if !last.IsZero() || !from.After(since) {
			return last
		}
	}
}

// wallClock is what clocks in a zone show at a moment, as if they showed UTC.
func wallClock(at time.Time, zone *time.Location) time.Time {
	_, offset := at.In(zone).Zone()
	return at.UTC().Add(seconds(offset))
}

// reached is the first moment at which a clock in the zone has shown a time, or a later one. That is when it is put forward, if
// it never shows that time, and the first time, if it shows it twice.
func reached(wall time.Time, zone *time.Location) time.Time {
	at := wall.Add(-26 * time.Hour).In(zone) // no zone is that far from UTC: it is before
	for {
		_, offset := at.Zone()
		moment, end := wall.Add(-seconds(offset)), zoneEnd(at)
		switch {
		case moment.Before(at): // it was put forward over that time
			return at.UTC()
		case end.IsZero() || moment.Before(end):
			return moment
		}
		at = end
	}
}

// zoneEnd is when the clock will be put forward or back next, or some time before that; zero: never.
func zoneEnd(at time.Time) time.Time {
	_, end := at.ZoneBounds()
	if !end.IsZero() && !end.After(at) { // so says Go 1.26 on the last day of a leap year from 2040 on
		end = at.Add(24 * time.Hour)
	}
	return end
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }
