package fault

import (
	"context"
	"strings"
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// judge looks into the backend and the ledger, when every service has stopped, for what became of each accepted order.
func judge(t *testing.T, s settings, c *clients) {
	t.Helper()
	history, waiting := contents(t, s.Backend)
	byID := map[string]taskflow.Record{}
	for _, r := range history {
		if _, twice := byID[r.ID]; twice {
			t.Errorf("%s is in the history twice", r.ID)
		}
		byID[r.ID] = r
	}
	if len(waiting) > 0 {
		t.Errorf("%d tasks are unfinished although everything has had its time: %+v", len(waiting), waiting[0])
	}
	starts, ends := map[string]int{}, map[string]int{}
	for _, d := range readLedger(t, s.Ledger) {
		switch d.what {
		case "start":
			starts[d.task]++
		case "end":
			ends[d.task]++
		}
	}
	counts := map[taskflow.Status]int{}
	lost, doubled, false0 := 0, 0, 0
	for number, id := range c.accepted {
		r, ok := byID[id]
		counts[r.Status]++
		switch {
		case !ok:
			lost++
			t.Errorf("lost: order %s was answered 202 as %s, and is nowhere", number, id)
		case !s.Idempotent && (starts[id] > 1 || ends[id] > 1):
			doubled++
			t.Errorf("doubled: order %s (%s, %s) was started %d times and ended %d times", number, id, r.Status, starts[id], ends[id])
		case r.Status == taskflow.StatusSuccess && ends[id] == 0:
			false0++
			t.Errorf("not done: order %s (%s) is a success, but its function did not end", number, id)
		case r.Status != taskflow.StatusSuccess && (r.Status != taskflow.StatusInterrupted || s.Idempotent && r.Crashes < 3):
			lost++
			t.Errorf("order %s (%s) ended as %s: %s", number, id, r.Status, r.Error)
		}
		if t.Failed() && lost+doubled+false0 > 20 {
			break
		}
	}
	t.Logf("accepted %d: success %d, interrupted %d, lost %d, doubled %d, falsely done %d; refused %d, unanswered %d; in the history %d",
		len(c.accepted), counts[taskflow.StatusSuccess], counts[taskflow.StatusInterrupted], lost, doubled, false0, c.refused.Load(), c.failed.Load(), len(history))
	if counts[taskflow.StatusSuccess] == 0 {
		t.Error("nothing succeeded: the test shows nothing")
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
			t.Logf("unfinished: %s", left)
		}
	}()
	await(t, "all tasks to end", func() bool {
		status, body, err := get(p.url + "/tasks/?status=pending&status=running&limit=5")
		left = body
		return err == nil && status == 200 && strings.TrimSpace(body) == "[]"
	})
}
