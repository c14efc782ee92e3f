package sqlite_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/taskflow-go/taskflow/backends/sqlite"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// blob returns the id of the n-th record as SQL.
func blob(n int) string { return "x'" + strings.ReplaceAll(record(n).ID, "-", "") + "'" }

func TestRowsThatCannotBeReadDoNotKeepOthersFromBeingClaimed(t *testing.T) {
	t.Parallel()
	path := tempFile(t)
	var log logged
	b := opened(t, path, sqlite.Logger(log.logger()))
	const all = 40
	var list []taskflow.Record
	for n := range all {
		r := pendingRecord(n, "")
		r.Name = "greet"
		list = append(list, r)
	}
	if err := b.PutPending(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	db := raw(t, path)
	for n := range all / 2 { // the older half, so that they are looked at first
		execute(t, db, "UPDATE pending SET record = substr(record, 1, 100) WHERE id = "+blob(n))
	}
	execute(t, db, "UPDATE pending SET record = replace(record, '{\"task_id\"', '{\"format\":2,\"task_id\"') WHERE id = "+blob(all-1)) // it says so itself
	execute(t, db, "UPDATE pending SET format = 2 WHERE id = "+blob(all-2))                                                            // it is marked
	got, err := b.Claim(t.Context(), "owner", []string{"greet"}, 5)
	if err != nil || len(got) != 5 || got[0].ID != list[all/2].ID {
		t.Fatalf("Claim of 5 returned %d rows, %v; want the 5 oldest that can be read", len(got), err)
	}
	got, err = b.Claim(t.Context(), "owner", []string{"greet"}, 1000)
	if want := all/2 - 5 - 2; err != nil || len(got) != want {
		t.Errorf("Claim of the rest returned %d rows, %v; want %d", len(got), err, want)
	}
	for _, n := range []int{0, all/2 - 1, all - 1} {
		if !strings.Contains(log.String(), record(n).ID) {
			t.Errorf("the log does not name row %d", n)
		}
	}
	before := log.String()
	if got, err := b.Claim(t.Context(), "owner", []string{"greet"}, 1000); err != nil || len(got) != 0 || log.String() != before {
		t.Errorf("another Claim returned %d rows, %v, and logged %q; want nothing, they are marked", len(got), err, strings.TrimPrefix(log.String(), before))
	}
	var formats string
	row := db.QueryRowContext(t.Context(), "SELECT group_concat(format) FROM (SELECT format FROM pending WHERE owner IS NULL ORDER BY id DESC)")
	if err := row.Scan(&formats); err != nil || formats != "2,2,"+strings.TrimSuffix(strings.Repeat("0,", all/2), ",") {
		t.Errorf("the formats of the rows that are left are %s, %v; want those of a newer program 2, the damaged 0", formats, err)
	}
	p, err := b.QueryPending(t.Context(), taskflow.Query{Limit: 1000})
	if err != nil || len(p.Records) != all/2-2 {
		t.Errorf("QueryPending returned %d rows, %v; want those that can be read", len(p.Records), err)
	}
	if err := b.PutPending(t.Context(), list[:1]); err != nil { // whole again
		t.Fatal(err)
	}
	if got, err := b.Claim(t.Context(), "owner", []string{"greet"}, 1000); err != nil || len(got) != 1 {
		t.Errorf("Claim after a row was written anew returned %d rows, %v; want it", len(got), err)
	}
}

func TestLostLeasesAreExplained(t *testing.T) {
	t.Parallel()
	b := opened(t, tempFile(t))
	var list []taskflow.Record
	for n := range 40 {
		list = append(list, pendingRecord(n, "me"))
	}
	list[37].Owner = "other"
	if err := b.PutPending(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	save(t, b, record(3))
	for says, late := range map[string][]taskflow.Record{
		record(3).ID + ` of "me" is finished`:           list[:37],
		record(37).ID + ` of "me" is held by "other"`:   {list[0], pendingRecord(37, "me")},
		record(37).ID + ` of "" is held by "other"`:     {pendingRecord(37, "")},
		record(37).ID + ` of "late" is held by "other"`: {pendingRecord(50, "late"), pendingRecord(37, "late")},
	} {
		if err := b.PutPending(t.Context(), late); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("PutPending returned %v; want an error that says %q", err, says)
		}
	}
	if rows, err := b.LoadPending(t.Context()); err != nil || len(rows) != 39 {
		t.Errorf("LoadPending returned %d rows, %v; want 39", len(rows), err)
	}
}

func TestClaimsNeedAnOwner(t *testing.T) {
	t.Parallel()
	b := opened(t, tempFile(t))
	if _, err := b.Claim(t.Context(), "", []string{"greet"}, 1); err == nil || !strings.Contains(err.Error(), "owner is empty") {
		t.Errorf("Claim without an owner returned %v", err)
	}
}

// A listing of unfinished tasks that few match comes in bounded steps, with a cursor, and none is lost.
func TestPendingListingsAreBounded(t *testing.T) {
	t.Parallel()
	const n = 3_000
	b := opened(t, tempFile(t), sqlite.Bounds(1000, 1000, 0))
	list := make([]taskflow.Record, n)
	for i := range list {
		list[i] = pendingRecord(i, "")
		list[i].Name = "many"
	}
	for _, i := range []int{7, 2_500} {
		list[i].Name, list[i].Tags, list[i].Error = "few", map[string]string{"rare": "yes"}, "needle"
	}
	if err := b.PutPending(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		filter taskflow.Filter
		steps  int
	}{
		"name": {taskflow.Filter{Name: "few"}, 3}, "tag": {taskflow.Filter{Tags: map[string]string{"rare": ""}}, 12}, "text": {taskflow.Filter{Text: "needle"}, 12},
	} {
		var found []string
		steps := 0
		for q := (taskflow.Query{Filter: c.filter, Limit: 100}); steps == 0 || q.Before != ""; steps++ {
			p, err := b.QueryPending(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range p.Records {
				found = append(found, r.ID)
			}
			q.Before = p.Next
		}
		if want := []string{list[2_500].ID, list[7].ID}; fmt.Sprint(found) != fmt.Sprint(want) {
			t.Errorf("QueryPending by %s found %v, want %v", name, found, want)
		}
		if steps < c.steps || steps > c.steps+1 {
			t.Errorf("QueryPending by %s took %d steps, want %d: that many rows are looked at in each", name, steps, c.steps)
		}
	}
}
