package sqlite

import "time"

// now is the time of day on the machine that all processes share, in microseconds since 1970.
func now() int64 { return time.Now().UnixMicro() }

// micros returns the time that now gives as a number.
func micros(n int64) time.Time { return time.UnixMicro(n).UTC() }

func timeOfDay() time.Duration { return time.Duration(now()) * time.Microsecond }

// over reports whether a lease has ended that began at that uptime. One from the future began before the machine was started again.
func over(begun, lasts time.Duration) bool {
	t := uptime()
	return t >= begun+lasts || t < begun
}
