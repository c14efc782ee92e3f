package redis_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/taskflow-go/taskflow/backends/redis"
	taskflow "github.com/taskflow-go/taskflow/core"
)

type goldenRow struct {
	name, row, detail string
	record            taskflow.Record
}

// golden are rows as released versions have written them: they are read for ever. A new form is added below, nothing is changed.
var golden = []goldenRow{
	{
		name: "version 1, all there is",
		row: `{"func_name":"resize \"big\"\n","status":"failed","source":"scheduled","executor":"cpu","priority":-7,"tags":{"":"no key","empty":"","tenant":"Ümläut \\ \u0001"},` +
			`"created_at":"2026-03-29T00:59:59.000001Z","run_at":"2026-03-29T01:00:01Z","start_time":"2026-03-29T01:00:02Z","end_time":"2026-03-29T01:00:03.000004567Z",` +
			`"attempts":5,"max_retries":6,"retry_of":"019d371a-da0f-7667-a211-bd3dee728acc","retried_by":"019d371a-da0f-7667-a211-bd3dee728acd","error":"exit status 8","log_count":10,` +
			`"closure":true,"requeue":true,"durable":true,"idempotency_key":"key","crashes":2,"owner":"instance","_bucket":143,"_micros":"1000004"}` +
			"\n" + `{"logs":["first","","third"],"stacktrace":"goroutine 9 [running]:","args":{"b":11, "a":[1.0,1e3,"<x>"]}}`,
		record: taskflow.Record{
			Name: "resize \"big\"\n", Status: taskflow.StatusFailed, Closure: true, Source: taskflow.SourceScheduled, Pool: "cpu", Priority: -7,
			Tags:      map[string]string{"tenant": "Ümläut \\ \x01", "empty": "", "": "no key"},
			CreatedAt: base.Add(time.Microsecond), RunAt: base.Add(2 * time.Second), StartTime: base.Add(3 * time.Second), EndTime: base.Add(4*time.Second + 4567*time.Nanosecond),
			Attempts: 5, MaxRetries: 6, RetryOf: "019d371a-da0f-7667-a211-bd3dee728acc", RetriedBy: "019d371a-da0f-7667-a211-bd3dee728acd",
			Error: "exit status 8", Stack: "goroutine 9 [running]:", Logs: []string{"first", "", "third"}, LogCount: 10,
			Args: json.RawMessage(`{"b":11, "a":[1.0,1e3,"<x>"]}`), Requeue: true, Durable: true, Owner: "instance", Key: "key", Crashes: 2,
		},
	},
	{
		name:   "version 1, next to nothing",
		row:    `{"func_name":"x","status":"cancelled","created_at":"2026-03-29T00:59:59Z"}`,
		record: taskflow.Record{Name: "x", Status: taskflow.StatusCancelled, CreatedAt: base},
	},
	{
		name:   "version 1, a long log",
		row:    `{"func_name":"x","status":"success","log_count":1,"_bucket":0,"_micros":"0"}`,
		detail: `{"logs":["` + strings.Repeat("l", 600) + `"]}`,
		record: taskflow.Record{Name: "x", Status: taskflow.StatusSuccess, Logs: []string{strings.Repeat("l", 600)}, LogCount: 1},
	},
	{
		name: "version 1, what only some records have",
		row: `{"func_name":"x","status":"success","_bucket":0,"_micros":"0"}` + "\n" + `{"parent_id":"019ab1c2-0000-7000-8000-000000000001","result":{"rows":3},` +
			`"attempts_log":[{"attempt":1,"started_at":"2026-03-29T00:59:59Z","error":"no","wait_seconds":0.5}],"logs":["l"]}`,
		record: taskflow.Record{Name: "x", Status: taskflow.StatusSuccess, Logs: []string{"l"}, RecordExtra: taskflow.RecordExtra{
			ParentID: "019ab1c2-0000-7000-8000-000000000001", Result: []byte(`{"rows":3}`),
			AttemptLog: []taskflow.Attempt{{Number: 1, StartedAt: base, Error: "no", Wait: 0.5}},
		}},
	},
}

func TestRowsOfReleasedVersions(t *testing.T) {
	t.Parallel()
	for _, c := range golden {
		c.record.ID = record(1).ID
		got, err := redis.ReadRow(c.record.ID, c.row, c.detail)
		if err != nil || !reflect.DeepEqual(got, c.record) {
			t.Errorf("%s is read as\n%+v, %v; want\n%+v", c.name, got, err, c.record)
		}
		row, detail, err := redis.Row(c.record)
		if err != nil || row != c.row || detail != c.detail {
			t.Errorf("%s is written as\n%s\n%s, %v; want\n%s\n%s", c.name, row, detail, err, c.row, c.detail)
		}
	}
	for i := range reflect.TypeFor[taskflow.Record]().NumField() {
		written := slices.ContainsFunc(golden, func(c goldenRow) bool { return !reflect.ValueOf(c.record).Field(i).IsZero() })
		if name := reflect.TypeFor[taskflow.Record]().Field(i).Name; name != "ID" && !written {
			t.Errorf("no row has a value for %s: a new field must be written, and read", name)
		}
	}
}

// Any text comes back, and is JSON that others read.
func TestRowsOfAnyText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.OneOf(rapid.RuneFrom([]rune("\"\\\n\r\t\x01\x1f\x7f<>&\u2028\u00e9{}:,")), rapid.Rune())).Filter(func(s string) bool {
			return !strings.ContainsRune(s, 0)
		})
		r := record(1)
		r.Name, r.Error, r.Stack = text.Draw(t, "name"), text.Draw(t, "error"), text.Draw(t, "stack")
		r.Tags = map[string]string{text.Draw(t, "key"): text.Draw(t, "value")}
		r.Logs = []string{text.Draw(t, "line"), "x"}
		row, detail, err := redis.Row(r)
		if err != nil {
			t.Fatal(err)
		}
		got, err := redis.ReadRow(r.ID, row, detail)
		if err != nil || !reflect.DeepEqual(got, r) {
			t.Errorf("%q came back as\n%+v, %v; want\n%+v", row, got, err, r)
		}
		if strings.Count(row, "\n") > 1 {
			t.Errorf("%q has more than one line break", row)
		}
	})
}

func TestRecordsThatCannotBeStoredAreNamed(t *testing.T) {
	t.Parallel()
	b := shared(t, redis.PutAtMost(1<<20))
	for _, c := range []struct {
		name string
		edit func(*taskflow.Record)
		says string
	}{
		{"no id", func(r *taskflow.Record) { r.ID = "" }, `""`},
		{"an id of another form", func(r *taskflow.Record) { r.ID = "no-id" }, `"no-id"`},
		{"an id in capitals", func(r *taskflow.Record) { r.ID = strings.ToUpper(r.ID) }, "UUID"},
		{"a name that is not UTF-8", func(r *taskflow.Record) { r.Name = "a\xffb" }, `name "a\xffb"`},
		{"an error with a zero byte", func(r *taskflow.Record) { r.Error = "a\x00b" }, `error "a\x00b"`},
		{"a tag's value that is not UTF-8", func(r *taskflow.Record) { r.Tags = map[string]string{"k": "\xff"} }, `tag "k"`},
		{"a line that is not UTF-8", func(r *taskflow.Record) { r.Logs = []string{"ok", "\xff"} }, "line 2"},
		{"arguments that are not JSON", func(r *taskflow.Record) { r.Args = json.RawMessage(`{"a":`) }, `arguments "{\"a\":"`},
		{"a time that JSON cannot carry", func(r *taskflow.Record) { r.EndTime = time.Date(12345, 1, 1, 0, 0, 0, 0, time.UTC) }, "12345"},
	} {
		bad := record(1)
		c.edit(&bad)
		for operation, err := range map[string]error{
			"save":         second(b.Save(t.Context(), []taskflow.Record{record(0), bad})),
			"put pending":  b.PutPending(t.Context(), []taskflow.Record{record(0), bad}),
			"save pending": second(b.SavePending(t.Context(), []taskflow.Record{record(0), bad})),
		} {
			if !errors.Is(err, redis.ErrInvalidRecord) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), operation) {
				t.Errorf("%s of a record with %s returned %v; want ErrInvalidRecord, and that it says %s", operation, c.name, err, c.says)
			}
		}
	}
	large := pending(1, "me")
	large.Args = json.RawMessage(`"` + strings.Repeat("x", 700_000) + `"`)
	two := []taskflow.Record{large, large}
	two[1].ID = record(2).ID
	if err := b.PutPending(t.Context(), two); !errors.Is(err, redis.ErrInvalidRecord) || !strings.Contains(err.Error(), "2 records") {
		t.Errorf("PutPending of more than the limit returned %v, want ErrInvalidRecord", err)
	}
	if n := stored(t, b); n != 0 {
		t.Errorf("%d records of refused calls are stored", n)
	}
	if waiting, err := b.LoadPending(t.Context()); err != nil || len(waiting) != 0 {
		t.Errorf("LoadPending returned %d records of refused calls, %v", len(waiting), err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestOtherThingsThatCannotBeStored(t *testing.T) {
	t.Parallel()
	b := shared(t)
	ctx := t.Context()
	for name, c := range map[string]struct{ err, is error }{
		"a message of 64 KB and a byte":  {b.Post(ctx, make([]byte, 64<<10+1)), taskflow.ErrInvalidOption},
		"an audit entry without an id":   {b.AppendAudit(ctx, taskflow.AuditEntry{Action: "login"}), redis.ErrInvalidRecord},
		"an audit entry with a channel":  {b.AppendAudit(ctx, taskflow.AuditEntry{ID: record(1).ID, Detail: map[string]any{"x": make(chan int)}}), redis.ErrInvalidRecord},
		"an instance without an id":      {b.Join(ctx, taskflow.Instance{}, time.Second), taskflow.ErrInvalidOption},
		"a lease of nothing":             {b.Join(ctx, taskflow.Instance{ID: "i"}, 0), taskflow.ErrInvalidOption},
		"an empty key":                   {second(b.ReserveKey(ctx, taskflow.Reservation{TaskID: "t", Retention: time.Second})), taskflow.ErrInvalidOption},
		"a long key":                     {second(b.ReserveKey(ctx, taskflow.Reservation{Key: strings.Repeat("k", 201), TaskID: "t", Retention: time.Second})), taskflow.ErrInvalidOption},
		"a key for no task":              {second(b.ReserveKey(ctx, taskflow.Reservation{Key: "k", Retention: time.Second})), taskflow.ErrInvalidOption},
		"a key that is kept for no time": {second(b.ReserveKey(ctx, taskflow.Reservation{Key: "k", TaskID: "t"})), taskflow.ErrInvalidOption},
		"a claim for nobody":             {second(b.Claim(ctx, "", []string{"a"}, 1)), taskflow.ErrInvalidOption},
	} {
		if !errors.Is(c.err, c.is) {
			t.Errorf("%s: the error is %v; want %v", name, c.err, c.is)
		}
	}
	for _, after := range []string{"no position", "1", "-", "1-x", "1-2-3", "(1-2"} {
		if _, _, err := b.Receive(ctx, after, 10); !errors.Is(err, taskflow.ErrInvalidOption) {
			t.Errorf("Receive after the position %q returned %v, want ErrInvalidOption", after, err)
		}
	}
}
