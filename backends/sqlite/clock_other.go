//go:build !linux

package sqlite

import "time"

func uptime() time.Duration { return timeOfDay() }
