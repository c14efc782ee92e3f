package taskflow_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func zoneOf(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestSlots(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		when  taskflow.When
		zone  string
		after string
		want  []string
	}{
		{"each five minutes, on the clock", taskflow.Every(5 * time.Minute), "UTC", "2026-03-04T10:02:03Z",
			[]string{"2026-03-04T10:05:00Z", "2026-03-04T10:10:00Z", "2026-03-04T10:15:00Z"}},
		{"a slot is not after itself", taskflow.Every(time.Minute), "UTC", "2026-03-04T10:02:00Z", []string{"2026-03-04T10:03:00Z"}},
		{"every week begins on Monday", taskflow.Every(7 * 24 * time.Hour), "UTC", "2026-03-04T10:02:00Z", []string{"2026-03-09T00:00:00Z"}},
		{"each day at three, in summer and in winter", taskflow.Cron("0 3 * * *"), "Europe/Berlin", "2026-10-23T12:00:00Z",
			[]string{"2026-10-24T01:00:00Z", "2026-10-25T02:00:00Z", "2026-10-26T02:00:00Z"}},
		{"seconds", taskflow.Cron("*/20 59 23 31 12 *"), "UTC", "2026-12-31T23:59:30Z", []string{"2026-12-31T23:59:40Z", "2027-12-31T23:59:00Z"}},
		{"names and spans that wrap around", taskflow.Cron("0 0 * nov-jan FRI-MON"), "UTC", "2026-10-30T12:00:00Z",
			[]string{"2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z", "2026-11-06T00:00:00Z"}},
		{"either day suffices", taskflow.Cron("0 0 13 * 5"), "UTC", "2026-10-30T12:00:00Z",
			[]string{"2026-11-06T00:00:00Z", "2026-11-13T00:00:00Z", "2026-11-20T00:00:00Z"}},
		{"the 31st skips short months", taskflow.Cron("0 0 31 * *"), "UTC", "2026-01-31T12:00:00Z",
			[]string{"2026-03-31T00:00:00Z", "2026-05-31T00:00:00Z"}},
		{"leap days, also over a century that has none", taskflow.Cron("0 0 29 2 *"), "UTC", "2092-12-01T00:00:00Z",
			[]string{"2096-02-29T00:00:00Z", "2104-02-29T00:00:00Z"}},
		{"hourly", taskflow.Cron("@hourly"), "Asia/Kolkata", "2026-01-01T00:00:00Z", []string{"2026-01-01T00:30:00Z", "2026-01-01T01:30:00Z"}},
		{"the end of a leap year", taskflow.Cron("0 12 31 12 *"), "Europe/Berlin", "2040-01-01T00:00:00Z",
			[]string{"2040-12-31T11:00:00Z", "2041-12-31T11:00:00Z"}},
		{"the end of a leap year, each hour", taskflow.Cron("@hourly"), "Europe/Berlin", "2040-12-31T11:00:00Z", []string{"2040-12-31T12:00:00Z"}},
		{"on a day that a zone leaves out", taskflow.Cron("0 9 30 12 *"), "Pacific/Apia", "2011-12-01T00:00:00Z",
			[]string{"2011-12-30T10:00:00Z", "2012-12-29T19:00:00Z"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			wantSlots(t, tt.when, tt.zone, tt.after, tt.want)
		})
	}
}

func wantSlots(t *testing.T, when taskflow.When, zone, after string, want []string) {
	t.Helper()
	from, err := time.Parse(time.RFC3339, after)
	if err != nil || when.Err() != nil {
		t.Fatal(err, when.Err())
	}
	var got []string
	for _, slot := range when.Slots(zoneOf(t, zone), from, len(want)) {
		got = append(got, slot.Format(time.RFC3339))
	}
	if !slices.Equal(got, want) {
		t.Errorf("after %s in %s:\n got %v\nwant %v", after, zone, got, want)
	}
}

// TestSlotsWhenTheClockIsPutForwardAndBack: what is left out comes at the next moment, what comes twice comes once; what is due each hour goes
// by the time that passes.
func TestSlotsWhenTheClockIsPutForwardAndBack(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, cron, zone, after string
		want                    []string
	}{
		// Berlin, 29 March 2026: 02:00 is followed by 03:00 (01:00 UTC); 25 October: 03:00 is followed by 02:00 (01:00 UTC).
		{"left out: at the first moment after", "30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z",
			[]string{"2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"}},
		{"left out, several times: once", "*/10 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z",
			[]string{"2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"}},
		{"left out, and due right after besides: once", "0 2,3 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z",
			[]string{"2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"}},
		{"twice: the first time", "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z",
			[]string{"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}},
		{"twice, asked between the two: the next day", "30 2 * * *", "Europe/Berlin", "2026-10-25T00:45:00Z", []string{"2026-10-26T01:30:00Z"}},
		{"twice, asked in the second: the next day", "30 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", []string{"2026-10-26T01:30:00Z"}},
		{"the hour after the one that comes twice", "0 3 * * *", "Europe/Berlin", "2026-10-24T22:00:00Z",
			[]string{"2026-10-25T02:00:00Z", "2026-10-26T02:00:00Z"}},
		{"each half hour, forward", "*/30 * * * *", "Europe/Berlin", "2026-03-29T00:10:00Z",
			[]string{"2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"}},
		{"each half hour, back", "*/30 * * * *", "Europe/Berlin", "2026-10-25T00:10:00Z",
			[]string{"2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:00:00Z"}},
		{"each hour at ten past, forward", "10 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z",
			[]string{"2026-03-29T00:10:00Z", "2026-03-29T01:10:00Z"}},
		{"New York, forward", "30 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", []string{"2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"}},
		{"New York, back", "30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", []string{"2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"}},
		{"half an hour, forward", "15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z",
			[]string{"2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"}},
		{"half an hour, back", "45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00:00Z",
			[]string{"2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"}},
		{"midnight left out", "0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00:00Z",
			[]string{"2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"}},
		{"the hour after a midnight that is left out", "0 1 4 11 *", "America/Sao_Paulo", "2018-11-03T12:00:00Z",
			[]string{"2018-11-04T03:00:00Z", "2019-11-04T04:00:00Z"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			wantSlots(t, taskflow.Cron(tt.cron), tt.zone, tt.after, tt.want)
		})
	}
}

var zones = []string{
	"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia", "Asia/Kolkata", "Africa/Casablanca",
	"Asia/Kathmandu", "Pacific/Kiritimati", "America/St_Johns", "Europe/Dublin", "Antarctica/Troll",
}

// drawField makes a field of an expression, and what it selects.
func drawField(t *rapid.T, label string, high int) (text string, values []int) {
	values = rapid.SliceOfNDistinct(rapid.IntRange(0, high), 1, 4, rapid.ID[int]).Draw(t, label)
	slices.Sort(values)
	if rapid.IntRange(0, 3).Draw(t, label+" all") == 0 {
		values = values[:0]
		for v := range high + 1 {
			values = append(values, v)
		}
		return "*", values
	}
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(values), " ", ","), "[]"), values
}

// TestSlotsAreThoseThatAWatchmanSees compares next with somebody who looks at the clock on the wall each minute.
func TestSlotsAreThoseThatAWatchmanSees(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		minute, minutes := drawField(t, "minute", 59)
		hour, hours := drawField(t, "hour", 23)
		expression := minute + " " + hour + " * * *"
		// near a moment at which the clock is put forward or back, if there is one
		from := time.Unix(rapid.Int64Range(1_300_000_000, 1_900_000_000).Draw(t, "from")/60*60, 0).In(zone)
		if _, end := from.ZoneBounds(); !end.IsZero() {
			from = end.Truncate(time.Minute).Add(-time.Duration(rapid.IntRange(1, 40*60).Draw(t, "minutes before")) * time.Minute)
		}
		shows := func(at time.Time) time.Time {
			_, offset := at.In(zone).Zone()
			return at.UTC().Add(time.Duration(offset) * time.Second)
		}
		matches := func(wall time.Time) bool {
			return slices.Contains(minutes, wall.Minute()) && slices.Contains(hours, wall.Hour())
		}
		var want []time.Time
		seen := shows(from)
		for at := from.Add(-3 * time.Hour); at.Before(from); at = at.Add(time.Minute) {
			if wall := shows(at); wall.After(seen) {
				seen = wall // it was put back
			}
		}
		for at := from.Add(time.Minute); len(want) < 40 && at.Sub(from) < 80*time.Hour; at = at.Add(time.Minute) {
			wall, due := shows(at), false
			if len(hours) == 24 {
				due = matches(wall)
			}
			for ; len(hours) < 24 && seen.Before(wall); seen = seen.Add(time.Minute) {
				due = due || matches(seen.Add(time.Minute))
			}
			if due {
				want = append(want, at.UTC())
			}
		}
		got := taskflow.Cron(expression).Slots(zone, from, len(want))
		if !slices.EqualFunc(got, want, time.Time.Equal) {
			t.Fatalf("%s in %v after %v:\n got %v\nwant %v", expression, zone, from, got, want)
		}
	})
}

func drawWhen(t *rapid.T) taskflow.When {
	if rapid.Bool().Draw(t, "every") {
		return taskflow.Every(time.Duration(rapid.IntRange(1, 1_000_000).Draw(t, "seconds")) * time.Second)
	}
	return taskflow.Cron(rapid.SampledFrom([]string{
		"* * * * *", "*/7 * * * *", "30 2 * * *", "0 0 * * *", "0 3 * * MON", "59 23 31 12 *", "0 0 29 2 *", "15 10 1-7 * 1", "@monthly", "*/20 * 2 * * *", "5 4-6 * jan,jul *",
	}).Draw(t, "cron"))
}

func TestNextIsAfterNowAndMonotone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		when := drawWhen(t)
		zone, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		now := time.Unix(rapid.Int64Range(0, 4_000_000_000).Draw(t, "now"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanoseconds"))
		slots := when.Slots(zone, now, 3)
		if len(slots) != 3 {
			t.Fatalf("only %d slots", len(slots))
		}
		last := now
		for _, slot := range slots {
			if !slot.After(last) {
				t.Fatalf("%v is not after %v", slot, last)
			}
			last = slot
		}
		between := now.Add(time.Duration(rapid.Int64Range(0, int64(slots[0].Sub(now))-1).Draw(t, "between")))
		if next := when.Slots(zone, between, 1)[0]; !next.Equal(slots[0]) {
			t.Fatalf("after %v comes %v, after %v, which is between the two, %v", now, slots[0], between, next)
		}
		if got := when.Latest(zone, now, slots[2]); !got.Equal(slots[2]) {
			t.Fatalf("the latest until %v is %v", slots[2], got)
		}
		if got := when.Latest(zone, now, slots[2].Add(-1)); !got.Equal(slots[1]) {
			t.Fatalf("the latest before %v is %v, want %v", slots[2], got, slots[1])
		}
		if got := when.Latest(zone, now, slots[0].Add(-1)); !got.IsZero() {
			t.Fatalf("the latest before the first, %v, is %v", slots[0], got)
		}
	})
}

func TestWhenSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		when taskflow.When
		want []string
	}{
		"empty":            {taskflow.Cron(""), []string{`Cron("")`, "5 fields"}},
		"too few fields":   {taskflow.Cron("* * * *"), []string{"* * * *", "5 to 6 fields"}},
		"too many fields":  {taskflow.Cron("* * * * * * *"), []string{"5 to 6 fields"}},
		"out of range":     {taskflow.Cron("61 * * * *"), []string{"61 * * * *", "maximum"}},
		"no number":        {taskflow.Cron("a * * * *"), []string{"a * * * *"}},
		"no step":          {taskflow.Cron("*/0 * * * *"), []string{"*/0"}},
		"never":            {taskflow.Cron("0 0 30 2 *"), []string{"0 0 30 2 *", "no such day"}},
		"zone inside":      {taskflow.Cron("CRON_TZ=Europe/Berlin 0 3 * * *"), []string{"TimeZone"}},
		"every inside":     {taskflow.Cron("@every 5m"), []string{"Every(d)"}},
		"unknown word":     {taskflow.Cron("@reboot"), []string{"@reboot"}},
		"what others know": {taskflow.Cron("0 0 L * *"), []string{"0 0 L * *"}},
		"long":             {taskflow.Cron(strings.Repeat("1,", 200) + "1 * * * *"), []string{"limit is 200"}},
		"zero":             {taskflow.Every(0), []string{"Every", "0s"}},
		"negative":         {taskflow.Every(-time.Minute), []string{"-1m0s"}},
		"short":            {taskflow.Every(time.Millisecond), []string{"1ms"}},
		"broken":           {taskflow.Every(1500 * time.Millisecond), []string{"1.5s", "whole seconds"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := tt.when.Err()
			if !errors.Is(err, taskflow.ErrInvalidOption) {
				t.Fatalf("the error is %v, want ErrInvalidOption", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
}

func TestWhenInWords(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		when taskflow.When
		zone string
		want string
	}{
		{taskflow.Every(5 * time.Minute), "UTC", "every 5 minutes"},
		{taskflow.Every(time.Hour), "UTC", "every hour"},
		{taskflow.Every(90 * time.Second), "UTC", "every 90 seconds"},
		{taskflow.Every(48 * time.Hour), "UTC", "every 2 days"},
		{taskflow.Cron("* * * * *"), "UTC", "every minute"},
		{taskflow.Cron("*/5 * * * *"), "Europe/Berlin", "every 5 minutes"},
		{taskflow.Cron("*/10 * * * * *"), "UTC", "every 10 seconds"},
		{taskflow.Cron("@hourly"), "UTC", "every hour"},
		{taskflow.Cron("30 * * * *"), "UTC", "at minute 30 of every hour"},
		{taskflow.Cron("5 30 * * * *"), "UTC", "at second 5 of minute 30 of every hour"},
		{taskflow.Cron("0 */2 * * *"), "UTC", "every 2 hours (UTC)"},
		{taskflow.Cron("0 3 * * 1"), "Europe/Berlin", "at 03:00 on Monday (Europe/Berlin)"},
		{taskflow.Cron("15 0 3 * * 1-5"), "UTC", "at 03:00:15 on Monday to Friday (UTC)"},
		{taskflow.Cron("0 9,17 * * *"), "America/New_York", "at 09:00 and 17:00 (America/New_York)"},
		{taskflow.Cron("*/15 9-17 * * MON-FRI"), "UTC", "every 15 minutes of hours 9 to 17 on Monday to Friday (UTC)"},
		{taskflow.Cron("0 0 1,15 * *"), "UTC", "at 00:00 on days 1 and 15 of the month (UTC)"},
		{taskflow.Cron("0 0 13 * 5"), "UTC", "at 00:00 on day 13 of the month or on Friday (UTC)"},
		{taskflow.Cron("@yearly"), "UTC", "at 00:00 on day 1 of the month in January (UTC)"},
		{taskflow.Cron("0 12 * 6-8 *"), "UTC", "at 12:00 in June to August (UTC)"},
		{taskflow.Cron("0 3 * * 7"), "UTC", "at 03:00 on Sunday (UTC)"},
	} {
		if got := tt.when.Text(zoneOf(t, tt.zone)); got != tt.want {
			t.Errorf("got  %q\nwant %q", got, tt.want)
		}
	}
}

// FuzzCron: whatever it is given, an expression is refused with a text, or has slots that go on, and words.
func FuzzCron(f *testing.F) {
	for _, seed := range []string{
		"* * * * *", "*/5 * * * *", "0 3 * * MON-FRI", "@hourly", "@every 1s", "TZ=x * * * * *", "0 0 30 2 *", "1,,2 * * * *", "\x00", "5 4 3 2 1 0", "59 59 23 31 12 7", "? ? ? ? ?", "*/59 */23 */31 */12 */7",
	} {
		f.Add(seed, int64(1_790_000_000))
	}
	zone := zoneOf(f, "Europe/Berlin")
	f.Fuzz(func(t *testing.T, expression string, unix int64) {
		when := taskflow.Cron(expression)
		if err := when.Err(); err != nil {
			if !errors.Is(err, taskflow.ErrInvalidOption) || len(err.Error()) > 2000 {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if when.Text(zone) == "" {
			t.Fatalf("%q has no words", expression)
		}
		after := time.Unix(max(0, unix%4_000_000_000), 0)
		slots := when.Slots(zone, after, 3)
		if len(slots) != 3 {
			t.Fatalf("%q has %d slots after %v", expression, len(slots), after)
		}
		for _, slot := range slots {
			if !slot.After(after) {
				t.Fatalf("%q: %v is not after %v", expression, slot, after)
			}
			after = slot
		}
	})
}
