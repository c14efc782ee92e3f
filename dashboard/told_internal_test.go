package dashboard

import (
	"fmt"
	"testing"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func at(status taskflow.Status, attempts int, elsewhere bool) event {
	r := &taskflow.Record{ID: "a", Status: status, Attempts: attempts}
	return event{name: "task", task: r.ID, stage: stage(r), elsewhere: elsewhere}
}

func TestTheStagesOfATask(t *testing.T) {
	t.Parallel()
	life := []taskflow.Record{
		{Status: taskflow.StatusPending}, {Status: taskflow.StatusRunning, Attempts: 1}, {Status: taskflow.StatusPending, Attempts: 1},
		{Status: taskflow.StatusRunning, Attempts: 2}, {Status: taskflow.StatusPending, Attempts: 2, Crashes: 1}, {Status: taskflow.StatusRunning, Attempts: 3},
		{Status: taskflow.StatusFailed, Attempts: 3},
	}
	for i := range life[1:] {
		if before, now := stage(&life[i]), stage(&life[i+1]); before >= now {
			t.Errorf("%s after %d attempts has stage %d, and what follows it %d", life[i].Status, life[i].Attempts, before, now)
		}
	}
	for _, s := range []taskflow.Status{taskflow.StatusSuccess, taskflow.StatusCancelled, taskflow.StatusInterrupted} {
		if stage(&taskflow.Record{Status: s}) != stage(&life[len(life)-1]) {
			t.Errorf("%s is not as far as failed", s)
		}
	}
}

func TestWhatIsOlderThanWhatWasTold(t *testing.T) {
	t.Parallel()
	const here, elsewhere = false, true
	for name, tt := range map[string]struct {
		before []event
		then   event
		old    bool
	}{
		"nothing was told":                         {nil, at(taskflow.StatusRunning, 1, elsewhere), false},
		"it has gone on elsewhere":                 {[]event{at(taskflow.StatusRunning, 1, elsewhere)}, at(taskflow.StatusPending, 1, elsewhere), false},
		"it waits after it ran":                    {[]event{at(taskflow.StatusRunning, 1, elsewhere)}, at(taskflow.StatusPending, 0, elsewhere), true},
		"it runs after its end":                    {[]event{at(taskflow.StatusSuccess, 1, elsewhere)}, at(taskflow.StatusRunning, 1, elsewhere), true},
		"another ended":                            {[]event{at(taskflow.StatusFailed, 1, elsewhere)}, at(taskflow.StatusFailed, 1, elsewhere), false},
		"it was taken over by this one":            {[]event{at(taskflow.StatusRunning, 1, elsewhere)}, at(taskflow.StatusPending, 1, here), false},
		"heard of late, after it was taken over":   {[]event{at(taskflow.StatusRunning, 2, here)}, at(taskflow.StatusRunning, 1, elsewhere), true},
		"told of late here, after it was lost":     {[]event{at(taskflow.StatusSuccess, 2, elsewhere)}, at(taskflow.StatusRunning, 1, here), true},
		"its start here could not be noted":        {[]event{at(taskflow.StatusPending, 0, here), at(taskflow.StatusRunning, 1, here)}, at(taskflow.StatusPending, 0, here), false},
		"what is no task's":                        {[]event{at(taskflow.StatusSuccess, 1, elsewhere)}, event{name: "reset", elsewhere: true}, false},
		"it ran here, its start undone, then away": {[]event{at(taskflow.StatusRunning, 1, here), at(taskflow.StatusPending, 0, here)}, at(taskflow.StatusPending, 0, elsewhere), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var told told
			for i := range tt.before {
				if told.old(&tt.before[i]) {
					t.Fatalf("event %d is old already", i)
				}
			}
			if got := told.old(&tt.then); got != tt.old {
				t.Errorf("old is %v, want %v", got, tt.old)
			}
		})
	}
}

func TestToldRemembersABoundedNumberOfTasks(t *testing.T) {
	t.Parallel()
	var s stages
	for i := range 10 * toldTasks {
		s.set(fmt.Sprint(i), i)
		if n := len(s.young) + len(s.old); n > 2*toldTasks {
			t.Fatalf("after %d tasks it remembers %d", i+1, n)
		}
	}
	const last = 10*toldTasks - 1
	if got := s.of(fmt.Sprint(last - toldTasks + 1)); got != last-toldTasks+1 {
		t.Errorf("of one of the last %d it says %d", toldTasks, got)
	}
	if got := s.of("0"); got != -1 {
		t.Errorf("of the first it says %d, want -1", got)
	}
}
