package taskflow_test

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

var update = flag.Bool("update", false, "write the golden files")

// full has a value in every field.
func full() taskflow.Record {
	at := func(s int) time.Time { return time.Date(2026, 11, 23, 19, 0, s, 123456789, time.UTC) }
	return taskflow.Record{
		ID: "019ab1c2-d3e4-7f50-8a1b-2c3d4e5f6071", Name: "send_email", Status: taskflow.StatusFailed, Closure: true, Source: taskflow.SourceRetry,
		Pool: "mail", Priority: -3, Tags: map[string]string{"user": "7", "</script>": "é"},
		CreatedAt: at(0), RunAt: at(1), StartTime: at(2), EndTime: at(4), Attempts: 3, MaxRetries: 5, RetryOf: "019ab1c2-0000-7000-8000-000000000000",
		RetriedBy: "019ab1c2-ffff-7000-8000-000000000000", Error: "smtp: 550", Stack: "goroutine 1 [running]:", Logs: []string{"a", "--- Retry 1 ---"}, LogCount: 2,
		Args: json.RawMessage(`{"to":"ada@example.org"}`), Requeue: true, Durable: true, Owner: "4e5f6071",
		Key: "order 7", Crashes: 2,
		RecordExtra: taskflow.RecordExtra{
			ParentID: "019ab1c2-0000-7000-8000-000000000001", Children: []string{"019ab1c2-0000-7000-8000-000000000002"},
			Progress: &taskflow.ProgressReport{Done: 3, Total: 4, Unit: "rows", Message: "reading", UpdatedAt: at(3), Rate: 1.5, Remaining: new(0.5)},
			Result:   json.RawMessage(`{"rows":3}`),
			AttemptLog: []taskflow.Attempt{
				{Number: 1, StartedAt: at(2), EndedAt: at(3), Error: "smtp: 421", Wait: 2},
				{Number: 2, StartedAt: at(4)},
			},
		},
	}
}

func TestRecordAsJSON(t *testing.T) {
	t.Parallel()
	v := reflect.ValueOf(full())
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Errorf("full() says nothing about %s", v.Type().Field(i).Name)
		}
	}
	for name, r := range map[string]taskflow.Record{
		"full": full(), "fresh": {ID: full().ID, Name: "main.go:7", Status: taskflow.StatusPending, CreatedAt: full().CreatedAt, Source: taskflow.SourceManual, Pool: "default"},
	} {
		got, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("testdata", "record", name+".json")
		if *update {
			if err := os.WriteFile(file, append(got, '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if string(got)+"\n" != string(want) {
			t.Errorf("%s: the stored form has changed, so that records of earlier versions may be lost:\n%s", file, got)
		}
		var back taskflow.Record
		if err := json.Unmarshal(want, &back); err != nil {
			t.Fatal(err)
		}
		compact := r
		compact.Args, compact.Result = back.Args, back.Result // white space
		if !reflect.DeepEqual(back, compact) {
			t.Errorf("%s comes back as\n%+v, not\n%+v", name, back, r)
		}
	}
}

func TestRecordsThatEarlierVersionsStoredAreRead(t *testing.T) {
	t.Parallel()
	for file, less := range map[string]func(*taskflow.Record){
		"without-keys.json":  func(r *taskflow.Record) { r.Key, r.Crashes, r.RecordExtra = "", 0, taskflow.RecordExtra{} },
		"without-extra.json": func(r *taskflow.Record) { r.RecordExtra = taskflow.RecordExtra{} },
	} {
		before := full()
		less(&before)
		stored, err := os.ReadFile(filepath.Join("testdata", "record", "earlier", file))
		if err != nil {
			t.Fatal(err)
		}
		var got taskflow.Record
		if err := json.Unmarshal(stored, &got); err != nil {
			t.Fatal(err)
		}
		before.Args = got.Args // white space
		if !reflect.DeepEqual(got, before) {
			t.Errorf("%s: read\n%+v, want\n%+v", file, got, before)
		}
	}
}

func TestARecordOfANewerFormatIsRefused(t *testing.T) {
	t.Parallel()
	var r taskflow.Record
	err := json.Unmarshal([]byte(`{"task_id":"x","status":"pending","format":2}`), &r)
	if !errors.Is(err, taskflow.ErrNewerFormat) || r.ID != "" {
		t.Errorf("read as %+v, %v", r, err)
	}
}

func TestARecordOfANewerVersionCanBeRead(t *testing.T) {
	t.Parallel()
	var r taskflow.Record
	if err := json.Unmarshal([]byte(`{"task_id":"x","status":"pending","invented_later":{"a":[1]},"tags":null,"logs":null}`), &r); err != nil || r.ID != "x" {
		t.Errorf("%+v, %v", r, err)
	}
}

func FuzzRecordJSON(f *testing.F) {
	b, err := json.Marshal(full())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"created_at":"0001-01-01T00:00:00Z","tags":{"a":"b"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var r, again taskflow.Record
		if json.Unmarshal(b, &r) != nil {
			return
		}
		b, err := json.Marshal(r)
		if err != nil {
			return // a year beyond 9999, for example
		}
		if err := json.Unmarshal(b, &again); err != nil {
			t.Fatalf("%s cannot be read back: %v", b, err)
		}
		b2, err := json.Marshal(again)
		if err != nil || string(b2) != string(b) {
			t.Errorf("%s became %s, %v", b, b2, err)
		}
	})
}
