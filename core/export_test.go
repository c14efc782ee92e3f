package taskflow

import (
	"fmt"
	"time"
)

// ManyTags adds n different tags at once.
func ManyTags(n int) AddOption {
	return addOption(func(in *invocation) error {
		for i := range n {
			if err := Tag(fmt.Sprintf("k%d", i), "v").applyAdd(in); err != nil {
				return err
			}
		}
		return nil
	})
}

// Slots returns the first n slots after a moment.
func (w When) Slots(zone *time.Location, after time.Time, n int) (slots []time.Time) {
	t := timetable{w, zone}
	for range n {
		if after = t.next(after); after.IsZero() {
			break
		}
		slots = append(slots, after)
	}
	return slots
}

// Latest returns the last slot from since, exclusive, until now, inclusive.
func (w When) Latest(zone *time.Location, since, now time.Time) time.Time {
	return (&timetable{w, zone}).latest(since, now)
}

// Err is what is wrong.
func (w When) Err() error { return w.err }

// Text describes the slots in words.
func (w When) Text(zone *time.Location) string { return (&timetable{w, zone}).text() }

// SetWallClock makes schedules look at another clock. Before Start.
func (m *Manager) SetWallClock(now func() time.Time) { m.schedules.now = now }
