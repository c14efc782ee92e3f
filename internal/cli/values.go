package cli

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// The types in this file are values of flags: see flag.Value.

// statuses is a list, by commas or by repeating the flag.
type statuses []taskflow.Status

func (s *statuses) String() string { return "" }

func (s *statuses) Set(text string) error {
	for name := range strings.SplitSeq(text, ",") {
		status := taskflow.Status(strings.TrimSpace(name))
		if !status.Valid() {
			return fmt.Errorf("possible: %v", strings.Trim(fmt.Sprint(taskflow.Statuses()), "[]"))
		}
		if !slices.Contains(*s, status) {
			*s = append(*s, status)
		}
	}
	return nil
}

// tags are conditions on tags, one for each time that the flag is given.
type tags map[string]string

func (t *tags) String() string { return "" }

func (t *tags) Set(text string) error {
	key, value, _ := strings.Cut(text, "=")
	if key == "" {
		return errors.New("write key=value, or key for any value")
	}
	if known, twice := (*t)[key]; twice && known != value {
		return fmt.Errorf("the tag %q is given with two values, and no task has both", key)
	}
	if *t == nil {
		*t = tags{}
	}
	(*t)[key] = value
	return nil
}

// priority is a number of a task's. Nil: not given.
type priority struct{ n *int }

func (p *priority) String() string { return "" }

func (p *priority) Set(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < -taskflow.MaxPriority || n > taskflow.MaxPriority {
		return fmt.Errorf("write a number from -%d to %d", taskflow.MaxPriority, taskflow.MaxPriority)
	}
	p.n = &n
	return nil
}

// moment is a point in time: so long ago, a time, or a day. Zero: not given.
type moment struct {
	ago  time.Duration
	time time.Time
	set  bool
}

func (m *moment) String() string { return "" }

func (m *moment) Set(text string) error {
	if d, err := parseDuration(text); err == nil {
		*m = moment{ago: d, set: true}
		return nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			*m = moment{time: t.UTC(), set: true}
			return nil
		}
	}
	return errors.New("write an age like 15m, 6h or 7d, a time like 2026-01-31T12:00:00Z, or a day like 2026-01-31 (in UTC)")
}

// at is the moment as a time; the zero time when it was not given.
func (m moment) at(now time.Time) time.Time {
	switch {
	case !m.set:
		return time.Time{}
	case m.time.IsZero():
		return now.Add(-m.ago).UTC()
	}
	return m.time
}

// span is a duration above zero that may be given in days and weeks. Zero: not given.
type span time.Duration

func (s *span) String() string { return "" }

func (s *span) Set(text string) error {
	d, err := parseDuration(text)
	if err != nil {
		return err
	}
	if d == 0 {
		return errors.New("it must be above zero")
	}
	*s = span(d)
	return nil
}

// parseDuration is time.ParseDuration with days and weeks, and without negative ones.
func parseDuration(text string) (time.Duration, error) {
	if text != "" {
		unit := map[byte]time.Duration{'d': 24 * time.Hour, 'w': 7 * 24 * time.Hour}[text[len(text)-1]]
		if n, err := strconv.ParseUint(text[:len(text)-1], 10, 32); err == nil && unit > 0 {
			if n > uint64(math.MaxInt64/int64(unit)) {
				return 0, errors.New("it is longer than 290 years")
			}
			return time.Duration(n) * unit, nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, errors.New("write a duration like 90s, 15m, 720h, 30d or 4w")
	}
	return d, nil
}
