package sqlite

import (
	"testing"
	"time"
)

func TestLeasesEnd(t *testing.T) {
	t.Parallel()
	at := uptime()
	for name, c := range map[string]struct {
		begun, lasts time.Duration
		want         bool
	}{
		"it lasts":                        {at, time.Hour, false},
		"it has ended":                    {at - time.Hour, time.Hour, true},
		"the machine was started again":   {at + time.Hour, time.Hour, true},
		"it was renewed a while ago":      {at - time.Minute, time.Hour, false},
		"it ended right when it began":    {at, 0, true},
		"started again, and a long lease": {at + time.Hour, 1000 * time.Hour, true},
	} {
		if got := over(c.begun, c.lasts); got != c.want {
			t.Errorf("%s: over(%v, %v) is %v", name, c.begun, c.lasts, got)
		}
	}
	if again := uptime(); again < at {
		t.Errorf("the clock went back from %v to %v", at, again)
	}
}
