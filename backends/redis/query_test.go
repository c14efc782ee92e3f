package redis_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/redis"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// A search that finds little must not read the whole history at once, and must get there in the end.
func TestSearchesAreBoundedAndGoOn(t *testing.T) {
	t.Parallel()
	b := shared(t, redis.Bounds(100))
	list := records(0, 1000)
	for i := range list {
		r := &list[i]
		if i%2 == 1 {
			r.Name, r.Status = "odd", taskflow.StatusFailed
		}
		if i%300 == 7 {
			r.Error = "a Needle"
		}
		if i%2 == 0 {
			r.Source = taskflow.SourceRetry
		}
	}
	save(t, b, list...)
	put(t, b, list2(list)...)
	for _, f := range []taskflow.Filter{
		{Text: "needle"}, {Text: "nowhere"}, {Name: "odd", Text: "needle"}, {Name: "odd", Statuses: []taskflow.Status{taskflow.StatusSuccess}},
		{Statuses: []taskflow.Status{taskflow.StatusFailed, taskflow.StatusCancelled}, Source: taskflow.SourceRetry},
		{Source: taskflow.SourceManual, Text: "needle"},
		{Statuses: []taskflow.Status{taskflow.StatusSuccess, taskflow.StatusFailed}, Text: "needle"},
	} {
		var want []string
		for i := range slices.Backward(list) {
			if f.Match(&list[i]) {
				want = append(want, list[i].ID)
			}
		}
		got, calls := all(t, b.Query, taskflow.Query{Filter: f, Limit: 10})
		if !slices.Equal(got, want) {
			t.Errorf("Query(%+v) found %d records in all, want %d", f, len(got), len(want))
		}
		if calls < 5 && f.Source == "" {
			t.Errorf("Query(%+v) needed %d calls of at most 100 rows each", f, calls)
		}
		if n, exact, err := b.Count(t.Context(), f, 10_000); err != nil || n > len(want) || exact && n != len(want) {
			t.Errorf("Count(%+v) returned %d (exact: %v), %v; want %d or less", f, n, exact, err, len(want))
		}
	}
	// what is usual has no index, but it can be counted
	for _, f := range []taskflow.Filter{
		{Statuses: []taskflow.Status{taskflow.StatusSuccess}}, {Statuses: []taskflow.Status{taskflow.StatusSuccess}, Since: list[100].CreatedAt, Until: list[901].CreatedAt},
		{Statuses: []taskflow.Status{taskflow.StatusCancelled, taskflow.StatusSuccess}},
	} {
		want := 0
		for i := range list {
			if f.Match(&list[i]) {
				want++
			}
		}
		if got, _ := all(t, b.Query, taskflow.Query{Filter: f, Limit: 100}); len(got) != want {
			t.Errorf("Query(%+v) found %d records in all, want %d", f, len(got), want)
		}
		if n, exact, err := b.Count(t.Context(), f, 10_000); err != nil || n != want || !exact {
			t.Errorf("Count(%+v) returned %d (exact: %v), %v; want exactly %d", f, n, exact, err, want)
		}
	}
	// of one filter with an index a page is full, and the count is exact, however much it is
	for _, f := range []taskflow.Filter{
		{}, {Name: "odd"}, {Statuses: []taskflow.Status{taskflow.StatusFailed}}, {Source: taskflow.SourceRetry}, {Until: list[900].CreatedAt},
		{Statuses: []taskflow.Status{taskflow.StatusFailed, taskflow.StatusCancelled}},
	} {
		want := 0
		for i := range list {
			if f.Match(&list[i]) {
				want++
			}
		}
		if p, err := b.Query(t.Context(), taskflow.Query{Filter: f, Limit: 400}); err != nil || len(p.Records) != 400 || p.Next == "" {
			t.Errorf("Query(%+v) with limit 400 returned %d records, Next %q, %v", f, len(p.Records), p.Next, err)
		}
		if n, exact, err := b.Count(t.Context(), f, 10_000); err != nil || n != want || !exact {
			t.Errorf("Count(%+v) returned %d (exact: %v), %v; want exactly %d", f, n, exact, err, want)
		}
	}
	f := taskflow.Filter{Name: "odd", Statuses: []taskflow.Status{taskflow.StatusPending}}
	if got, calls := all(t, b.QueryPending, taskflow.Query{Filter: f, Limit: 50}); len(got) != 500 || calls < 10 {
		t.Errorf("QueryPending found %d rows in %d calls, want 500 in 10 or more", len(got), calls)
	}
}

// list2 returns unfinished records like the finished ones, with ids of their own.
func list2(finished []taskflow.Record) (list []taskflow.Record) {
	for i, r := range finished {
		w := pending(i+5000, fmt.Sprint("owner", i%3))
		w.Name = r.Name
		list = append(list, w)
	}
	return list
}

// all reads page after page.
func all(t *testing.T, query func(ctx context.Context, q taskflow.Query) (taskflow.Page, error), q taskflow.Query) (ids []string, calls int) {
	t.Helper()
	for {
		p, err := query(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		calls++
		for _, r := range p.Records {
			ids = append(ids, r.ID)
		}
		if p.Next == "" {
			return ids, calls
		}
		if q.Before != "" && p.Next >= q.Before {
			t.Fatalf("Query before %s leads to %s", q.Before, p.Next)
		}
		q.Before = p.Next
	}
}

// Ids have a coarser clock than records: within one of its ticks the record's own time decides.
func TestTimesWithinATickOfTheIds(t *testing.T) {
	t.Parallel()
	b := shared(t)
	var list []taskflow.Record
	for n := range 40 {
		r := record(n)
		r.CreatedAt = base.Add(time.Duration(n*20) * time.Nanosecond) // 244 ns are a tick
		lowest, _ := taskflow.IDBounds(r.CreatedAt)
		r.ID = fmt.Sprintf("%s%012x", lowest[:24], n)
		list = append(list, r)
	}
	save(t, b, list...)
	for from := range 41 {
		at := base.Add(time.Duration(from*20-1) * time.Nanosecond)
		for _, f := range []taskflow.Filter{{Since: at}, {Until: at}, {Since: base.Add(300), Until: at}, {Since: at, Until: at.Add(50)}, {Since: at, Until: base}} {
			want := 0
			for i := range list {
				if f.Match(&list[i]) {
					want++
				}
			}
			if n, exact, err := b.Count(t.Context(), f, 100); n != want || !exact || err != nil {
				t.Errorf("Count(%v to %v) returned %d (exact: %v), %v; want %d", f.Since, f.Until, n, exact, err, want)
			}
			if got, _ := all(t, b.Query, taskflow.Query{Filter: f, Limit: 7}); len(got) != want {
				t.Errorf("Query(%v to %v) found %d records, want %d", f.Since, f.Until, len(got), want)
			}
		}
	}
	deleted := 0
	for _, until := range []int{0, 7, 8, 20, 40} {
		n, err := b.DeleteBefore(t.Context(), base.Add(time.Duration(until*20-1)*time.Nanosecond))
		if deleted += n; err != nil || deleted != until {
			t.Errorf("DeleteBefore has deleted %d records, %v; want %d", deleted, err, until)
		}
	}
}
