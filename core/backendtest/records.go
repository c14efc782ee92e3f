package backendtest

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// base is when the records of the tests were added: a fixed moment, so that a failure can be repeated.
var base = time.Date(2026, 3, 29, 0, 59, 59, 0, time.UTC)

// idAt returns the n-th (below 1<<48) id of a task added at that time: always the same, so that a failure can be repeated.
func idAt(at time.Time, n int) string {
	lowest, _ := taskflow.IDBounds(at)
	return fmt.Sprintf("%s%012x", lowest[:24], n)
}

// finished returns the n-th of some small finished records, in the order of their ids.
func finished(n int) taskflow.Record {
	at := base.Add(time.Duration(n) * time.Millisecond)
	return taskflow.Record{
		ID: idAt(at, n), Name: "send_email", Status: taskflow.StatusSuccess, Source: taskflow.SourceManual, Pool: taskflow.DefaultPool,
		CreatedAt: at, StartTime: at.Add(time.Millisecond), EndTime: at.Add(3 * time.Millisecond), Attempts: 1,
	}
}

// waiting returns the n-th of some unfinished records.
func waiting(n int) taskflow.Record {
	r := finished(n)
	r.ID = idAt(r.CreatedAt, 1<<40+n)
	r.Status, r.StartTime, r.EndTime, r.Attempts = taskflow.StatusPending, time.Time{}, time.Time{}, 0
	r.Args, r.Requeue = json.RawMessage(`{"n":`+fmt.Sprint(n)+`}`), true
	return r
}

func several[T any](n int, one func(int) T) []T {
	records := make([]T, n)
	for i := range records {
		records[i] = one(i)
	}
	return records
}

// full returns a record in which every field has a value that no other field has.
func full() taskflow.Record {
	return taskflow.Record{
		ID: idAt(base, 1<<41), Name: "resize", Status: taskflow.StatusFailed, Closure: true, Source: taskflow.SourceScheduled,
		Pool: "cpu", Priority: -7, Tags: map[string]string{"tenant": "acme", "empty": "", "": "no key"},
		CreatedAt: base.Add(1 * time.Microsecond), RunAt: base.Add(2 * time.Second), StartTime: base.Add(3 * time.Second), EndTime: base.Add(4 * time.Second),
		Attempts: 5, MaxRetries: 6, RetryOf: idAt(base.Add(-time.Hour), 0), RetriedBy: idAt(base.Add(time.Hour), 0), Error: "exit status 8", Stack: "goroutine 9 [running]:",
		Logs: []string{"first", "", "third"}, LogCount: 10, Args: json.RawMessage(`{"b":11,"a":[1.0,1e3,"x"]}`), Requeue: true, Durable: true, Owner: "instance12",
		Key: "order 13", Crashes: 14,
		RecordExtra: taskflow.RecordExtra{
			ParentID: idAt(base.Add(-time.Minute), 15), Children: []string{idAt(base.Add(time.Minute), 16), idAt(base.Add(time.Minute), 17)},
			Progress: &taskflow.ProgressReport{
				Done: 18, Total: 19, Unit: "rows", Message: `reading "a\b"`, UpdatedAt: base.Add(20 * time.Second), Rate: 2.1, Remaining: new(2.2),
			},
			Result: json.RawMessage(`{"b":23,"a":[1.0,"é"]}`),
			AttemptLog: []taskflow.Attempt{
				{Number: 1, StartedAt: base.Add(3 * time.Second), EndedAt: base.Add(3500 * time.Millisecond), Error: "línea 24\nmore", Wait: 2.5},
				{Number: 2, StartedAt: base.Add(3600 * time.Millisecond), Wait: 0.1},
			},
		},
	}
}

// unset returns the names of the fields that have no value: a field that is new in Record needs one in full.
func unset(r taskflow.Record) (names []string) {
	v := reflect.ValueOf(r)
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			names = append(names, v.Type().Field(i).Name)
		}
	}
	extra := reflect.ValueOf(r.RecordExtra)
	for i := range extra.NumField() {
		if extra.Field(i).IsZero() {
			names = append(names, extra.Type().Field(i).Name)
		}
	}
	return names
}

// diff says in which fields got is not what was stored; empty when it is in none. Times must be the same instant to the
// microsecond and in UTC; an empty map or slice is as good as none.
func diff(got, want taskflow.Record) string {
	var text []string
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	for i := range g.NumField() {
		if have, wanted := g.Field(i).Interface(), w.Field(i).Interface(); !same(have, wanted) {
			text = append(text, fmt.Sprintf("%s is %s, want %s", g.Type().Field(i).Name, short(have), short(wanted)))
		}
	}
	return strings.Join(text, "; ")
}

func same(got, want any) bool {
	if g, ok := got.(time.Time); ok {
		w := want.(time.Time)
		if w.IsZero() || g.IsZero() {
			return g.IsZero() && w.IsZero()
		}
		return g.Sub(w).Abs() < time.Microsecond && g.Location() == time.UTC
	}
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	if k := g.Kind(); (k == reflect.Map || k == reflect.Slice) && g.Len() == 0 && w.Len() == 0 {
		return true
	}
	return reflect.DeepEqual(got, want)
}

func short(v any) string {
	s := fmt.Sprintf("%#v", v)
	switch t := v.(type) {
	case time.Time:
		s = t.Format(time.RFC3339Nano) + " " + t.Location().String()
	case json.RawMessage:
		s = string(t)
	case taskflow.RecordExtra:
		if b, err := json.Marshal(t); err == nil {
			s = string(b)
		}
	}
	if len(s) > 200 {
		s = fmt.Sprintf("%s… (%d bytes)", s[:200], len(s))
	}
	return s
}

// compare checks that got holds exactly the records of want, in any order.
func (k *kit) compare(operation string, got, want []taskflow.Record) {
	k.Helper()
	left := make(map[string]taskflow.Record, len(want))
	for _, r := range want {
		left[r.ID] = r
	}
	for _, r := range got {
		w, ok := left[r.ID]
		if !ok {
			k.Errorf("%s: returned %s (%s), which was not to be there, or twice", operation, r.ID, r.Name)
			continue
		}
		delete(left, r.ID)
		if d := diff(r, w); d != "" {
			k.Errorf("%s: record %s: %s", operation, r.ID, d)
		}
	}
	if len(left) > 0 {
		k.Errorf("%s: returned %d records, %d are missing, like %s", operation, len(got), len(left), slices.Sorted(maps.Keys(left))[0])
	}
}

// save stores records and checks the number that Save returns.
func (k *kit) save(ctx context.Context, b taskflow.Backend, records ...taskflow.Record) {
	k.Helper()
	n, err := b.Save(ctx, records)
	k.must(err, "Save")
	if n != len(records) {
		k.Errorf("Save of %d records returned %d", len(records), n)
	}
}

func (k *kit) history(ctx context.Context, b taskflow.Backend) []taskflow.Record {
	k.Helper()
	all, err := b.Load(ctx)
	k.must(err, "Load")
	return all
}

func (k *kit) pending(ctx context.Context, b taskflow.Backend) []taskflow.Record {
	k.Helper()
	all, err := b.LoadPending(ctx)
	k.must(err, "LoadPending")
	return all
}

func byID(a, b taskflow.Record) int { return strings.Compare(a.ID, b.ID) }

func ids(records []taskflow.Record) []string {
	list := make([]string, len(records))
	for i := range records {
		list[i] = records[i].ID
	}
	return list
}
