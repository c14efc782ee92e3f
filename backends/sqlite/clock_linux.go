package sqlite

import (
	"time"

	"golang.org/x/sys/unix"
)

// uptime is a clock that all processes of the machine share, and that nobody sets: a step of the time of day, or the sleep of a laptop, ends no
// lease. It begins anew with each start of the machine.
func uptime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		return timeOfDay() // no Linux is without that clock
	}
	return time.Duration(t.Nano())
}
