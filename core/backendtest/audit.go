package backendtest

import (
	"reflect"
	"slices"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func auditTopics() []topic {
	has := offers[taskflow.AuditLog]
	return []topic{{name: "audit/newest first, page by page", needs: "AuditLog", has: has, test: auditPages}}
}

func auditPages(k *kit) {
	b, ctx := k.start(), k.context()
	log := b.(taskflow.AuditLog)
	var want []taskflow.AuditEntry
	for i := range 7 {
		at := base.Add(time.Duration(i) * time.Millisecond)
		e := taskflow.AuditEntry{
			ID: idAt(at, 0), Time: at, Action: "retry", TaskID: finished(i).ID, Actor: `o'hara "x" ünï`, Remote: "[::1]:4711",
			Detail: map[string]any{"count": 1.5, "names": []any{"a", "b"}, "all": true, "none": nil},
		}
		if i == 3 {
			e.TaskID, e.Detail = "", nil
		}
		k.must(log.AppendAudit(ctx, e), "AppendAudit")
		want = append(want, e)
	}
	slices.Reverse(want)
	var got []taskflow.AuditEntry
	before := ""
	for range 4 {
		page, err := log.Audit(ctx, before, 2)
		k.must(err, "Audit")
		if len(page) > 2 || len(page) == 0 {
			k.Fatalf("Audit before %q with limit 2 returned %d entries after %d of 7", before, len(page), len(got))
		}
		got = append(got, page...)
		before = page[len(page)-1].ID
	}
	if page, err := log.Audit(ctx, before, 2); len(page) != 0 || err != nil {
		k.Errorf("Audit before the oldest entry returned %d entries, %v", len(page), err)
	}
	if len(got) != len(want) {
		k.Fatalf("Audit returned %d entries in pages of 2, want %d", len(got), len(want))
	}
	for i := range want {
		g, w := got[i], want[i]
		if !same(g.Time, w.Time) {
			k.Errorf("Audit: entry %d has the time %v, want %v", i, g.Time, w.Time)
		}
		g.Time = w.Time
		if len(g.Detail) == 0 && len(w.Detail) == 0 {
			g.Detail = w.Detail
		}
		if !reflect.DeepEqual(g, w) {
			k.Errorf("Audit: entry %d is %+v, want %+v", i, g, w)
		}
	}
}
