package redis_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/redis"
	taskflow "github.com/taskflow-go/taskflow/core"
)

func TestDamagedRowsAreSkippedAndNamed(t *testing.T) {
	t.Parallel()
	var log logged
	b := shared(t, redis.Logger(log.logger()))
	write := func(hash, field, value string) {
		if err := redis.Client(b).HSet(t.Context(), redis.Base(b)+hash, field, value).Err(); err != nil {
			t.Fatal(err)
		}
	}
	save(t, b, records(0, 6)...)
	put(t, b, pending(10, ""), pending(11, ""), pending(12, "me"), pending(13, ""), pending(14, ""))
	entry := taskflow.AuditEntry{ID: record(20).ID, Time: base, Action: "login"}
	for range 2 {
		if err := b.AppendAudit(t.Context(), entry); err != nil {
			t.Fatal(err)
		}
		entry.ID = record(21).ID
	}
	for _, id := range []string{"first", "second"} {
		if err := b.Join(t.Context(), taskflow.Instance{ID: id}, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	write("history", record(0).ID, `{`)
	write("history", record(1).ID, `{"func_name":5}`)
	write("history", record(2).ID, `not even JSON`+"\n{}")
	write("history", record(3).ID, `{"func_name":"send_email","format":99}`)
	write("pending", record(10).ID, `0:10:send_email0:{"func_name":`)
	write("pending", record(11).ID, `0:10:send_email0:{"func_name":"send_email","status":"pending","format":99}`)
	write("pending", record(12).ID, `garbage`)
	long := pending(15, "")
	long.Stack = strings.Repeat("x", 1000)
	put(t, b, long)
	write("pending-detail", long.ID, `{"stack":`)
	write("pending", record(13).ID, `999:x`)
	write("audit", record(20).ID, `{`)
	write("instances", "first", `x`)

	sound := []string{record(4).ID, record(5).ID}
	if all, err := b.Load(t.Context()); err != nil || !slices.Equal(ids(all), sound) && !slices.Equal(ids(all), []string{sound[1], sound[0]}) {
		t.Errorf("Load returned %v, %v; want the two sound ones", ids(all), err)
	}
	for _, f := range []taskflow.Filter{{}, {Name: "send_email"}, {Text: "send"}} {
		if p, err := b.Query(t.Context(), taskflow.Query{Limit: 10, Filter: f}); err != nil || len(p.Records) != 2 || p.Next != "" {
			t.Errorf("Query(%+v) returned %v, Next %q, %v; want the two sound ones", f, ids(p.Records), p.Next, err)
		}
	}
	if waiting, err := b.LoadPending(t.Context()); err != nil || !slices.Equal(ids(waiting), []string{record(14).ID}) {
		t.Errorf("LoadPending returned %v, %v; want the sound one", ids(waiting), err)
	}
	if p, err := b.QueryPending(t.Context(), taskflow.Query{Limit: 10}); err != nil || len(p.Records) != 2 {
		t.Errorf("QueryPending returned %v, %v; want the sound one, and the one whose summary is", ids(p.Records), err)
	}
	if entries, err := b.Audit(t.Context(), "", 10); err != nil || len(entries) != 1 {
		t.Errorf("Audit returned %d entries, %v; want the sound one", len(entries), err)
	}
	if all, err := b.Instances(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("Instances returned %d, %v; want the sound one", len(all), err)
	}
	for _, id := range []string{record(0).ID, record(1).ID, record(2).ID, record(3).ID, record(10).ID, record(12).ID, record(20).ID, "first"} {
		if n := strings.Count(log.String(), "field="+id); n != 1 {
			t.Errorf("the log names the damaged row %s %d times, want once", id, n)
		}
	}
	for n, is := range []error{redis.ErrCorrupt, redis.ErrCorrupt, redis.ErrCorrupt, taskflow.ErrNewerFormat} {
		if _, err := b.Get(t.Context(), record(n).ID); !errors.Is(err, is) || errors.Is(err, taskflow.ErrNotFound) {
			t.Errorf("Get of damaged row %d returned %v, want %v", n, err, is)
		}
	}
	if _, err := b.GetPending(t.Context(), record(12).ID); !errors.Is(err, redis.ErrCorrupt) {
		t.Errorf("GetPending of a damaged row returned %v, want ErrCorrupt", err)
	}

	// what cannot be read, or is of a newer version, is not claimed and keeps nobody from what can
	if rows, err := b.Claim(t.Context(), "me", []string{"send_email"}, 10); err != nil || !slices.Equal(ids(rows), []string{record(14).ID}) {
		t.Errorf("Claim returned %v, %v; want the sound one", ids(rows), err)
	}
	for _, n := range []int{10, 11, 15} {
		if row := redis.Client(b).HGet(t.Context(), redis.Base(b)+"pending", record(n).ID).Val(); !strings.HasPrefix(row, "0:") {
			t.Errorf("after Claim row %d, which cannot be read, is %.20q: it is to be free", n, row)
		}
	}

	// what is saved again is sound again, in the totals too
	save(t, b, records(0, 6)...)
	if n := stored(t, b); n != 6 {
		t.Errorf("Load returned %d records after saving again, want 6", n)
	}
	if s, err := b.Stats(t.Context()); err != nil || s.Total() != 6 {
		t.Errorf("Stats counts %d after saving again, %v; want 6", s.Total(), err)
	}
	put(t, b, pending(10, "me"), pending(12, "me"), pending(13, ""))
	if waiting, err := b.LoadPending(t.Context()); err != nil || len(waiting) != 4 {
		t.Errorf("LoadPending returned %d after putting again, %v; want 4 of 6", len(waiting), err)
	}
	write("history", record(0).ID, `{`)
	if n, err := b.DeleteBefore(t.Context(), record(100).CreatedAt); err != nil || n != 6 {
		t.Errorf("DeleteBefore returned %d, %v; want all 6", n, err)
	}
	if s, err := b.Stats(t.Context()); err != nil || s.Total() != 0 {
		t.Errorf("Stats counts %d of nothing, %v", s.Total(), err)
	}
}

func ids(records []taskflow.Record) (list []string) {
	for i := range records {
		list = append(list, records[i].ID)
	}
	return list
}
