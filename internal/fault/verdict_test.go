package fault

import (
	"context"
	"strings"
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// unstarted is how many tasks a fault of a process may leave interrupted although their functions had not begun: those between the commit that
// says that they run, and the first line of their function. A client has one task on its way into a commit, and one that leaves it.
const unstarted = 2 * atOnce

// verdict is what was counted, of all tasks and not only of those that were accepted.
type verdict struct {
	t      *testing.T
	s      settings
	starts map[string]int // by task
	ends   map[string]int
	counts map[string]int // what is printed
	errors int
}

// wrong counts a broken promise. After twenty, they are counted only.
func (v *verdict) wrong(what, format string, args ...any) {
	v.t.Helper()
	v.counts[what]++
	if v.errors++; v.errors <= 20 {
		v.t.Errorf(what+": "+format, args...)
	}
}

// judge looks into the backend and the ledger, when every service has stopped, for what became of each order. faults is how many processes were
// killed or paused.
func judge(t *testing.T, s settings, c *clients, faults int) {
	t.Helper()
	v := &verdict{t: t, s: s, starts: map[string]int{}, ends: map[string]int{}, counts: map[string]int{}}
	history, waiting := contents(t, s.Backend)
	byID, byKey := map[string]taskflow.Record{}, map[string][]taskflow.Record{}
	for _, r := range history {
		if _, twice := byID[r.ID]; twice {
			t.Errorf("%s is in the history twice", r.ID)
		}
		byID[r.ID] = r
		byKey[r.Key] = append(byKey[r.Key], r)
	}
	if len(waiting) > 0 {
		t.Errorf("%d tasks are unfinished although everything has had its time: %+v", len(waiting), waiting[0])
	}
	ran := map[string]bool{} // by order
	for _, d := range readLedger(t, s.Ledger) {
		switch d.what {
		case "start":
			v.starts[d.task]++
			ran[d.number] = true
		case "end":
			v.ends[d.task]++
		}
	}
	for number, id := range c.accepted {
		if r, ok := byID[id]; ok {
			v.accepted(number, r)
		} else {
			v.wrong("lost", "order %s was answered 202 as %s, and is nowhere", number, id)
		}
	}
	for i := range history {
		v.task(&history[i])
	}
	for key, tasks := range byKey {
		v.key(key, tasks)
	}
	for _, number := range c.turned {
		if ran[number] {
			v.counts["refused and ran"]++
		}
	}
	if n, most := v.counts["interrupted unstarted"], unstarted*faults; n > most {
		t.Errorf("%d tasks are interrupted although they had not started; %d faults explain %d at most", n, faults, most)
	}
	t.Logf("accepted %d, %d of them when repeated: success %d, interrupted %d (unstarted %d), failed after crashes %d",
		len(c.accepted), c.repeated.Load(), v.counts["success"], v.counts["interrupted"], v.counts["interrupted unstarted"], v.counts["crashed"])
	t.Logf("lost %d, doubled %d, falsely done %d, keys that ran twice %d, keys with a second task after an interrupted one %d, starts beyond crashes %d",
		v.counts["lost"], v.counts["doubled"], v.counts["not done"], v.counts["key"], v.counts["key after interrupted"], v.counts["started too often"])
	t.Logf("refused %d, of which ran %d; unanswered %d, open in the end %d; in the history %d",
		c.refused.Load(), v.counts["refused and ran"], c.failed.Load(), c.open, len(history))
	if v.counts["success"] == 0 {
		t.Error("nothing succeeded: the test shows nothing")
	}
}

// accepted judges a task that was answered 202.
func (v *verdict) accepted(number string, r taskflow.Record) {
	v.t.Helper()
	switch {
	case r.Key != number:
		v.wrong("lost", "order %s was answered 202 as %s, which is a task of the key %q", number, r.ID, r.Key)
	case r.Status == taskflow.StatusSuccess:
		v.counts["success"]++
	case r.Status == taskflow.StatusInterrupted && !v.s.Idempotent:
		v.counts["interrupted"]++
	case r.Status == taskflow.StatusFailed && v.s.Idempotent && r.Crashes >= 3:
		v.counts["crashed"]++
	default:
		v.wrong("lost", "order %s (%s) ended as %s after %d crashes: %s", number, r.ID, r.Status, r.Crashes, r.Error)
	}
}

// task judges what is said of any task by what its function did.
func (v *verdict) task(r *taskflow.Record) {
	v.t.Helper()
	starts, ends := v.starts[r.ID], v.ends[r.ID]
	switch {
	case !v.s.Idempotent && (starts > 1 || ends > 1):
		v.wrong("doubled", "%s (%s) was started %d times and ended %d times", r.ID, r.Status, starts, ends)
	case starts > r.Crashes+1:
		v.wrong("started too often", "%s (%s) was started %d times although only %d processes died with it", r.ID, r.Status, starts, r.Crashes)
	case r.Status == taskflow.StatusSuccess && ends == 0:
		v.wrong("not done", "%s is a success, but its function did not end", r.ID)
	case r.Status == taskflow.StatusInterrupted && starts == 0:
		v.counts["interrupted unstarted"]++
	}
}

// key judges the tasks of one order: at most one succeeds, and is the only one that was started but for those that were interrupted.
func (v *verdict) key(key string, tasks []taskflow.Record) {
	v.t.Helper()
	succeeded, started, interrupted := 0, 0, 0
	for i := range tasks {
		switch r := &tasks[i]; {
		case r.Status == taskflow.StatusSuccess:
			succeeded++
			started++
		case r.Status == taskflow.StatusInterrupted:
			interrupted++
		case v.starts[r.ID] > 0 && r.Crashes < 3:
			started++
		}
	}
	switch {
	case succeeded > 1 || started > 1:
		v.wrong("key", "of the %d tasks of order %s %d succeeded, and %d were started that were not interrupted", len(tasks), key, succeeded, started)
	case interrupted > 0 && len(tasks) > 1:
		v.counts["key after interrupted"]++
	}
}

// contents reads a backend that no service uses.
func contents(t *testing.T, url string) (history, waiting []taskflow.Record) {
	t.Helper()
	b, err := open(url)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := b.(taskflow.Opener).Open(ctx); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}()
	if history, err = b.Load(ctx); err != nil {
		t.Fatal(err)
	}
	if waiting, err = b.LoadPending(ctx); err != nil {
		t.Fatal(err)
	}
	return history, waiting
}

// settled waits until a service has no unfinished task any more.
func settled(t *testing.T, p *process) {
	t.Helper()
	left := ""
	defer func() {
		if t.Failed() {
			_, all, err := get(p.url + "/tasks/count?status=pending&status=running")
			t.Logf("unfinished: %s (%v), the newest %s", all, err, left)
			p.dump()
		}
	}()
	await(t, "all tasks to end", func() bool {
		status, body, err := get(p.url + "/tasks/?status=pending&status=running&limit=5")
		left = body
		return err == nil && status == 200 && strings.TrimSpace(body) == "[]"
	})
}
