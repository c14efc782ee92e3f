package sqltest

import (
	"context"
	"fmt"
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// Backend is what the tests need of a backend.
type Backend interface {
	taskflow.Backend
	taskflow.Querier
	taskflow.PendingQuerier
	taskflow.StatsReader
	taskflow.Deleter
	taskflow.Journal
	taskflow.AuditLog
}

// AdversarialFilters are answered in bounded steps: half of the records match the one filter, half the other, and hardly any both: pages come back short, with a cursor, and
// none is lost or listed twice.
//
// open returns a handle on the same data with bounds of its own: how many rows a call may read, how many at a time, and for how long.
func AdversarialFilters(t *testing.T, open func(rows, window int, d time.Duration) Backend) {
	t.Helper()
	const n = 4_500
	b := open(1000, 100, time.Minute)
	hurried := open(n, 100, time.Nanosecond) // time for one window
	list := Records(0, n)
	for i := range list {
		r := &list[i]
		r.Name, r.Tags = "even", map[string]string{"parity": "even"}
		if i%2 == 1 {
			r.Name, r.Tags, r.Error = "odd", map[string]string{"parity": "odd"}, fmt.Sprintf("refused by host %d", i)
		}
		if i == 7 || i == 3_001 {
			r.Name = "even"
		}
	}
	Save(t, b, list...)
	unfinished := Records(n, 2*n)
	for i := range unfinished {
		r := &unfinished[i]
		*r, r.Name, r.Tags, r.Error = PendingRecord(n+i, "me"), list[i].Name, list[i].Tags, list[i].Error
	}
	if err := b.PutPending(t.Context(), unfinished); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		filter taskflow.Filter
		want   []int
	}{
		"name and tag":         {taskflow.Filter{Name: "even", Tags: map[string]string{"parity": "odd"}}, []int{3_001, 7}},
		"name and key":         {taskflow.Filter{Name: "even", Tags: map[string]string{"parity": ""}, Text: "host"}, []int{3_001, 7}},
		"name and common text": {taskflow.Filter{Name: "even", Text: "REFUSED by"}, []int{3_001, 7}},
		"rare text":            {taskflow.Filter{Text: "host 3001"}, []int{3_001}},
		"text of nobody":       {taskflow.Filter{Text: "nowhere to be found"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for handle, b := range map[string]Backend{"bounded": b, "hurried": hurried} {
				for where, query := range map[string]queryFunc{"finished": b.Query, "unfinished": b.QueryPending} {
					found, steps := walk(t, query, c.filter)
					source := list
					if where == "unfinished" {
						source = unfinished
					}
					var want []string
					for _, i := range c.want {
						want = append(want, source[i].ID)
					}
					if fmt.Sprint(found) != fmt.Sprint(want) || steps < 3 {
						t.Errorf("%s, %s: found %v in %d steps, want %v in at least 3", handle, where, found, steps, want)
					}
				}
				if n, exact, err := b.Count(t.Context(), c.filter, n); err != nil || exact || n > len(c.want) {
					t.Errorf("%s: Count returned %d, %v, %v; want no more than %d, not exact", handle, n, exact, err, len(c.want))
				}
			}
		})
	}
	for name, f := range map[string]taskflow.Filter{
		"name": {Name: "odd"}, "tag": {Tags: map[string]string{"parity": "odd"}}, "key": {Tags: map[string]string{"parity": ""}},
		"status": {Statuses: []taskflow.Status{taskflow.StatusSuccess, taskflow.StatusFailed}}, "source": {Source: taskflow.SourceManual},
	} {
		page, err := hurried.Query(t.Context(), taskflow.Query{Filter: f, Limit: 1000, Before: list[2_500].ID})
		if err != nil || len(page.Records) != 1000 || page.Next != page.Records[999].ID {
			t.Errorf("one filter, by %s, gave a page of %d records, Next %q, %v; want a full one", name, len(page.Records), page.Next, err)
		}
		if c, exact, err := hurried.Count(t.Context(), f, n+1); err != nil || !exact || c < n/2-2 {
			t.Errorf("Count by %s returned %d, %v, %v; want at least %d, exactly", name, c, exact, err, n/2-2)
		}
	}
}

type queryFunc func(context.Context, taskflow.Query) (taskflow.Page, error)

// walk reads page after page.
func walk(t *testing.T, query queryFunc, f taskflow.Filter) (found []string, steps int) {
	t.Helper()
	q := taskflow.Query{Filter: f, Limit: 100}
	for {
		p, err := query(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		steps++
		for _, r := range p.Records {
			found = append(found, r.ID)
		}
		if q.Before = p.Next; q.Before == "" {
			return found, steps
		}
	}
}

// TimesBeyondTheRange are clamped: the servers have integers of 64 bits, nanoseconds from 1677 to 2262.
func TimesBeyondTheRange(t *testing.T, b Backend) {
	t.Helper()
	var list []taskflow.Record
	for n := range 2000 { // their durations together are far beyond 64 bits
		r := Record(n)
		r.RunAt, r.StartTime, r.EndTime = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
		list = append(list, r)
	}
	for range 3 {
		Save(t, b, list...)
	}
	got, err := b.Get(t.Context(), list[0].ID)
	if err != nil || got.RunAt.Year() != 2262 || got.StartTime.Year() != 1677 {
		t.Errorf("Get returned %v to %v, %v; want the ends of the range", got.StartTime, got.RunAt, err)
	}
	s, err := b.Stats(t.Context())
	if err != nil || s.Total() != 2000 || s.Durations.Count != 2000 || s.Durations.Sum < 1<<62 {
		t.Errorf("Stats returned %v with %d durations of together %v, %v; want 2000, and the longest there is", s.Counts, s.Durations.Count, s.Durations.Sum, err)
	}
	if n, err := b.DeleteBefore(t.Context(), Record(3000).CreatedAt); err != nil || n != 2000 {
		t.Errorf("DeleteBefore returned %d, %v; want 2000", n, err)
	}
	if s, err := b.Stats(t.Context()); err != nil || s.Total() != 0 || s.Durations.Sum != 0 {
		t.Errorf("Stats of nothing returned %+v, %v", s, err)
	}
}

// AuditTrail is cut: b keeps 20 entries.
func AuditTrail(t *testing.T, b Backend) {
	t.Helper()
	for n := range 50 {
		e := taskflow.AuditEntry{ID: Record(n).ID, Time: Record(n).CreatedAt, Action: "login_failed", Actor: "a\x00\xffb"}
		if err := b.AppendAudit(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	got, err := b.Audit(t.Context(), "", 100)
	if err != nil || len(got) != 20 || got[0].ID != Record(49).ID || got[0].Actor != "a\uFFFD\uFFFDb" {
		t.Errorf("Audit returned %d entries, the first %+v, %v; want the newest 20", len(got), got[0], err)
	}
}
