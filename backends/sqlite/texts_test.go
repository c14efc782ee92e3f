package sqlite_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/taskflow-go/taskflow/backends/sqlite"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// Their rows in the indexes would not agree with what the records give back, and outlive them.
func TestTextsThatAreNoTextAreRefused(t *testing.T) {
	t.Parallel()
	b := opened(t, tempFile(t))
	for says, spoil := range map[string]func(r *taskflow.Record, bad string){
		"its name":    func(r *taskflow.Record, bad string) { r.Name = bad },
		"its error":   func(r *taskflow.Record, bad string) { r.Error = bad },
		"its tag":     func(r *taskflow.Record, bad string) { r.Tags = map[string]string{bad: "v"} },
		`its tag "k"`: func(r *taskflow.Record, bad string) { r.Tags = map[string]string{"k": bad} },
	} {
		for _, bad := range []string{"a\xffb", "a\x00b"} {
			r := record(2)
			spoil(&r, bad)
			_, err := b.Save(t.Context(), []taskflow.Record{record(1), r})
			if !errors.Is(err, sqlite.ErrInvalidRecord) || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), r.ID) {
				t.Errorf("Save returned %v; want ErrInvalidRecord that names %s and says %s", err, r.ID, says)
			}
		}
	}
	if n := stored(t, b); n != 0 {
		t.Errorf("%d records were stored, want none", n)
	}
}

func TestAFilterThatIsNoTextFindsNothing(t *testing.T) {
	t.Parallel()
	b := opened(t, tempFile(t))
	r := record(1)
	r.Error = "connection refused"
	save(t, b, r)
	for _, text := range []string{"\x00", "con\x00", "\x00con", "con\x00nection", "con\xff", "\xff\xff\xff"} {
		f := taskflow.Filter{Text: text}
		if p, err := b.Query(t.Context(), taskflow.Query{Filter: f, Limit: 10}); err != nil || len(p.Records) != 0 || p.Next != "" {
			t.Errorf("Query by %q returned %d records, Next %q, %v; want nothing", text, len(p.Records), p.Next, err)
		}
		if n, exact, err := b.Count(t.Context(), f, 10); n != 0 || !exact || err != nil {
			t.Errorf("Count by %q returned %d, %v, %v; want exactly 0", text, n, exact, err)
		}
	}
}
