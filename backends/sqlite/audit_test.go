package sqlite_test

import (
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/sqlite"
	taskflow "github.com/taskflow-go/taskflow/core"
)

func TestTheAuditTrailKeepsItsNewestEntries(t *testing.T) {
	t.Parallel()
	path := tempFile(t)
	base := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	entry := func(n int) taskflow.AuditEntry {
		at := base.Add(time.Duration(n) * time.Second)
		return taskflow.AuditEntry{ID: taskflow.NewID(at), Time: at, Action: "login_failed", Actor: "anonymous"}
	}
	for _, c := range []struct {
		keep, from, to, least, most int
	}{
		{keep: 1000, from: 0, to: 30, least: 30, most: 30},     // fewer than are kept
		{keep: 20, from: 30, to: 31, least: 20, most: 20},      // a handle's first entry deletes what earlier ones left
		{keep: 20, from: 31, to: 100, least: 20, most: 20},     // a hundredth of a few is one: each deletes
		{keep: 200, from: 100, to: 500, least: 200, most: 202}, // now and then
	} {
		b := opened(t, path, sqlite.Audits(c.keep))
		for n := c.from; n < c.to; n++ {
			if err := b.AppendAudit(t.Context(), entry(n)); err != nil {
				t.Fatal(err)
			}
		}
		all, err := b.Audit(t.Context(), "", 1000)
		if err != nil || len(all) < c.least || len(all) > c.most {
			t.Fatalf("of %d entries with a bound of %d there are %d, %v; want %d to %d", c.to, c.keep, len(all), err, c.least, c.most)
		}
		for i, e := range all {
			if want := base.Add(time.Duration(c.to-1-i) * time.Second); !e.Time.Equal(want) {
				t.Fatalf("entry %d from the end is of %v, want %v: not the newest are kept", i, e.Time, want)
			}
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
