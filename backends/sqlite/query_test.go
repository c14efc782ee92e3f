package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/sqlite"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// Half of the records match the one filter, half the other, and hardly any both: pages come back short, with a cursor, and
// none is lost or listed twice.
func TestAdversarialFiltersAreAnsweredInBoundedSteps(t *testing.T) {
	t.Parallel()
	const n = 4_500
	path := tempFile(t)
	b := opened(t, path, sqlite.Bounds(1000, 1000, time.Minute))
	list := records(0, n)
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
	save(t, b, list...)
	hurried := opened(t, path, sqlite.Bounds(1000, 1000, time.Nanosecond)) // too little time for the full-text index
	for name, f := range map[string]taskflow.Filter{
		"name and tag":         {Name: "even", Tags: map[string]string{"parity": "odd"}},
		"name and common text": {Name: "even", Text: "refused by"},
		"short text and name":  {Name: "even", Text: "by"},
		"rare text":            {Text: "host 3001"},
		"rare text, hurried":   {Text: "host 3001"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := b
			if strings.HasSuffix(name, "hurried") {
				b = hurried
			}
			var found []string
			q := taskflow.Query{Filter: f, Limit: 100}
			steps := 0
			for {
				p, err := b.Query(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				steps++
				for _, r := range p.Records {
					found = append(found, r.ID)
				}
				if q.Before = p.Next; q.Before == "" {
					break
				}
			}
			want := []string{list[3_001].ID, list[7].ID}
			if strings.HasPrefix(name, "rare text") {
				want = want[:1]
			}
			if fmt.Sprint(found) != fmt.Sprint(want) {
				t.Errorf("found %v in %d steps, want %v", found, steps, want)
			}
			if bounded := name != "rare text"; bounded != (steps > 1) {
				t.Errorf("it took %d steps; want one for what an index finds, several otherwise", steps)
			}
		})
	}
	for name, f := range map[string]taskflow.Filter{"name": {Name: "odd"}, "tag": {Tags: map[string]string{"parity": "odd"}}} {
		p, err := b.Query(t.Context(), taskflow.Query{Filter: f, Limit: 1000, Before: list[2_500].ID})
		if err != nil || len(p.Records) != 1000 || p.Next != p.Records[999].ID {
			t.Errorf("one filter, by %s, gave a page of %d records, Next %q, %v; want a full one", name, len(p.Records), p.Next, err)
		}
		if c, exact, err := b.Count(t.Context(), f, n); err != nil || !exact || c < n/2-2 {
			t.Errorf("Count by %s returned %d, %v; want about %d", name, c, err, n/2)
		}
	}
	t.Run("a context that ends during the call", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if all, err := b.Load(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Load of %d records within 1 ms returned %d, %v; want context.DeadlineExceeded", n, len(all), err)
		}
		if _, err := b.Query(t.Context(), taskflow.Query{Limit: 1}); err != nil {
			t.Errorf("the next call failed: %v", err)
		}
	})
}

// SQLite has integers of 64 bits: nanoseconds from 1677 to 2262.
func TestTimesBeyondTheRangeAreClamped(t *testing.T) {
	t.Parallel()
	b := opened(t, tempFile(t))
	r := record(1)
	r.RunAt, r.StartTime, r.EndTime = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC), r.CreatedAt
	save(t, b, r)
	got, err := b.Get(t.Context(), r.ID)
	if err != nil || got.RunAt.Year() != 2262 || got.StartTime.Year() != 1677 {
		t.Errorf("Get returned %v to %v, %v; want the ends of the range", got.StartTime, got.RunAt, err)
	}
	if _, err := b.Stats(t.Context()); err != nil {
		t.Error(err)
	}
}
