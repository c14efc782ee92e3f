package taskflow

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/netresearch/go-cron"
)

// text says in words when the slots are.
func (t *timetable) text() string {
	if t.every > 0 {
		return everyText(t.every)
	}
	at, clock := timeText(t.cron)
	days := dayText(t.cron)
	if days != "" {
		at += " " + days
	}
	if clock || days != "" {
		at += " (" + t.zone.String() + ")"
	}
	return at
}

func everyText(d time.Duration) string {
	for _, unit := range []struct {
		name string
		d    time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}} {
		if d%unit.d == 0 {
			return everyN(int(d/unit.d), unit.name)
		}
	}
	return "every " + d.String()
}

func everyN(n int, unit string) string {
	if n == 1 {
		return "every " + unit
	}
	return "every " + strconv.Itoa(n) + " " + unit + "s"
}

// field is what one field of a cron expression selects.
type field struct {
	values []int
	all    bool
	step   int // the values are each step-th from 0 on, and go on like that beyond the end; 0: they are not
}

// fieldOf reads the bits of a field.
func fieldOf(bits uint64, low, high int) field {
	var f field
	for v := low; v <= high; v++ {
		if bits&(1<<v) != 0 {
			f.values = append(f.values, v)
		}
	}
	size := high - low + 1
	f.all = len(f.values) == size
	if n := len(f.values); !f.all && n > 1 && f.values[0] == 0 && size%n == 0 {
		f.step = size / n
		for i, v := range f.values {
			if v != i*f.step {
				f.step = 0
				break
			}
		}
	}
	return f
}

// timeText says at which times of a day; clock: the hours of the day matter, not only what passes.
func timeText(s *cron.SpecSchedule) (text string, clock bool) {
	second, minute, hour := fieldOf(s.Second, 0, 59), fieldOf(s.Minute, 0, 59), fieldOf(s.Hour, 0, 23)
	clock = !hour.all
	const few = 4
	if one := len(second.values) == 1; one && len(minute.values)*len(hour.values) <= few {
		var times []string
		for _, h := range hour.values {
			for _, m := range minute.values {
				at := fmt.Sprintf("%02d:%02d", h, m)
				if second.values[0] != 0 {
					at += fmt.Sprintf(":%02d", second.values[0])
				}
				times = append(times, at)
			}
		}
		return "at " + and(times), clock
	}
	var parts []string // from the smallest unit to the largest: once one is named, the others say of which
	for _, u := range []struct {
		field
		name string
	}{{second, "second"}, {minute, "minute"}, {hour, "hour"}} {
		first := len(parts) == 0
		switch zero := len(u.values) == 1 && u.values[0] == 0; {
		case first && zero && u.name != "hour": // at its beginning
		case first && u.all:
			parts = append(parts, "every "+u.name)
		case first && u.step > 0:
			parts = append(parts, everyN(u.step, u.name))
		case first:
			parts = append(parts, "at "+named(u.name, u.values))
		case u.all:
			if len(parts) > 1 || strings.HasPrefix(parts[0], "at ") {
				parts = append(parts, "of every "+u.name)
			}
		case u.step > 0:
			parts = append(parts, "of "+everyN(u.step, u.name))
		default:
			parts = append(parts, "of "+named(u.name, u.values))
		}
	}
	return strings.Join(parts, " "), clock
}

// dayText says on which days; empty: on all.
func dayText(s *cron.SpecSchedule) string {
	var parts []string
	monthday, weekday, month := fieldOf(s.Dom, 1, 31), fieldOf(s.Dow, 0, 6), fieldOf(s.Month, 1, 12)
	if !monthday.all {
		parts = append(parts, "on "+named("day", monthday.values)+" of the month")
	}
	if !weekday.all {
		on := "on " + spans(weekday.values, func(v int) string { return time.Weekday(v).String() })
		if len(parts) > 0 {
			on = "or " + on
		}
		parts = append(parts, on)
	}
	if !month.all {
		parts = append(parts, "in "+spans(month.values, func(v int) string { return time.Month(v).String() }))
	}
	return strings.Join(parts, " ")
}

func named(unit string, values []int) string {
	if len(values) > 1 {
		unit += "s"
	}
	return unit + " " + spans(values, strconv.Itoa)
}

// spans lists values, three or more in a row as a span.
func spans(values []int, name func(int) string) string {
	var list []string
	for i := 0; i < len(values); {
		j := i
		for j+1 < len(values) && values[j+1] == values[j]+1 {
			j++
		}
		if j-i >= 2 {
			list = append(list, name(values[i])+" to "+name(values[j]))
			i = j + 1
			continue
		}
		list = append(list, name(values[i]))
		i++
	}
	return and(list)
}

func and(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " and " + list[len(list)-1]
}
