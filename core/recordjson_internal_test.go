package taskflow

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestRecordJSONIsThatOfEncodingJSON holds the encoder of records to the one of the standard library, to the byte.
func TestRecordJSONIsThatOfEncodingJSON(t *testing.T) {
	t.Parallel()
	text := rapid.OneOf(rapid.Just(""), rapid.String(), rapid.StringOfN(rapid.RuneFrom([]rune("a<>&\"\\\x00\x7f\u2028é😀 ")), 0, 8, -1),
		rapid.Just("\xff\xfe"))
	at := rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.Bool().Draw(t, "none") {
			return time.Time{}
		}
		zone := time.FixedZone("", rapid.IntRange(-12, 12).Draw(t, "zone")*3600)
		sec := rapid.OneOf(rapid.Int64Range(-70_000_000_000, 260_000_000_000), rapid.Int64Range(0, 2_000_000_000), rapid.Int64Range(0, 1)).Draw(t, "seconds")
		return time.Unix(sec, rapid.Int64Range(0, 999_999_999).Draw(t, "nanoseconds")).In(zone)
	})
	rapid.Check(t, func(t *rapid.T) {
		r := Record{
			ID: text.Draw(t, "id"), Name: text.Draw(t, "name"), Status: Status(text.Draw(t, "status")), Closure: rapid.Bool().Draw(t, "closure"),
			Source: text.Draw(t, "source"), Pool: text.Draw(t, "pool"), Priority: rapid.Int().Draw(t, "priority"),
			Tags:      rapid.MapOfN(text, text, 0, 3).Draw(t, "tags"),
			CreatedAt: at.Draw(t, "created"), RunAt: at.Draw(t, "run at"), StartTime: at.Draw(t, "start"), EndTime: at.Draw(t, "end"),
			Attempts: rapid.IntRange(0, 1000).Draw(t, "attempts"), MaxRetries: rapid.Int().Draw(t, "retries"), RetryOf: text.Draw(t, "retry of"),
			RetriedBy: text.Draw(t, "retried by"), Error: text.Draw(t, "error"), Stack: text.Draw(t, "stack"),
			Logs: rapid.SliceOfN(text, 0, 3).Draw(t, "logs"), LogCount: rapid.Int().Draw(t, "lines"),
			Args: rapid.SampledFrom([]json.RawMessage{
				nil, {}, json.RawMessage("7"), json.RawMessage(` {"a" : "<b>"} `), json.RawMessage("no JSON"),
			}).Draw(t, "args"),
			Requeue: rapid.Bool().Draw(t, "requeue"), Durable: rapid.Bool().Draw(t, "durable"), Owner: text.Draw(t, "owner"),
			Key: text.Draw(t, "key"), Crashes: rapid.Int().Draw(t, "crashes"),
			RecordExtra: rapid.SampledFrom([]RecordExtra{
				{}, {ParentID: "<p>"}, {Children: []string{"a", "b"}}, {Progress: &ProgressReport{Done: 1, Unit: "<&>"}}, {Result: json.RawMessage(` {"a" : 1} `)},
				{Result: json.RawMessage("no JSON")}, {AttemptLog: []Attempt{{Number: 1, Error: "é\x00"}}}, {Children: []string{}},
			}).Draw(t, "extra"),
		}
		got, gotErr := r.MarshalJSON()
		want, wantErr := reflected(r)
		if (gotErr == nil) != (wantErr == nil) {
			t.Fatalf("error %v, encoding/json: %v", gotErr, wantErr)
		}
		if wantErr == nil && string(got) != string(want) {
			t.Fatalf("got\n%s\nwant\n%s", got, want)
		}
	})
}

// reflected is what encoding/json makes of a record.
func reflected(r Record) ([]byte, error) {
	w := recordJSON{
		ID: r.ID, Name: r.Name, Status: r.Status,
		CreatedAt: timeOrNull(r.CreatedAt), StartTime: timeOrNull(r.StartTime), EndTime: timeOrNull(r.EndTime),
		RetriesUsed: r.RetriesUsed(), Error: stringOrNull(r.Error), Logs: r.Logs, Stack: stringOrNull(r.Stack), Tags: r.Tags,
		Source: r.Source, Priority: r.Priority, Executor: r.Pool,
		Closure: r.Closure, RunAt: timeOrNull(r.RunAt), Attempts: r.Attempts, MaxRetries: r.MaxRetries,
		RetryOf: stringOrNull(r.RetryOf), RetriedBy: stringOrNull(r.RetriedBy), LogCount: r.LogCount, Args: r.Args,
		Requeue: r.Requeue, Durable: r.Durable, Owner: stringOrNull(r.Owner), Key: stringOrNull(r.Key), Crashes: r.Crashes,
		RecordExtra: r.RecordExtra,
	}
	if !r.StartTime.IsZero() && !r.EndTime.IsZero() {
		w.Duration = new(r.Duration().Seconds())
	}
	if w.Logs == nil {
		w.Logs = []string{}
	}
	if w.Tags == nil {
		w.Tags = map[string]string{}
	}
	return json.Marshal(w)
}

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC())
}

func stringOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
