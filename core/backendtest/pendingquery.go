package backendtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
	"pgregory.net/rapid"
)

func pendingQueryTopics() []topic {
	const needs = "PendingQuerier"
	has := offers[taskflow.PendingQuerier]
	return []topic{
		{name: "pending query/newest first, page by page", needs: needs, has: has, test: pendingPages},
		{name: "pending query/each filter alone", needs: needs, has: has, test: pendingFilters},
		{name: "pending query/listings may be short, full ones may not", needs: needs, has: has, test: pendingFullAndSummary},
		{name: "pending query/get", needs: needs, has: has, test: getPending},
		{name: "pending query/finished tasks are not listed", needs: needs, has: has, test: finishedIsNotListed},
		{name: "pending query/who holds a task is told at once", needs: needs, has: has, test: ownersAreListed},
		{name: "pending query/random rows answer like a list", needs: needs, has: has, test: pendingLikeAList},
	}
}

// unfinished stores rows in whatever way the backend has.
func (k *kit) unfinished(ctx context.Context, b taskflow.Backend, records ...taskflow.Record) {
	k.Helper()
	if _, ok := b.(taskflow.Journal); ok {
		k.put(ctx, b, records...)
		return
	}
	for i := range records {
		records[i].Owner = "" // only a journal keeps it
	}
	_, err := b.SavePending(ctx, records)
	k.must(err, "SavePending")
}

func (k *kit) pendingPages(ctx context.Context, b taskflow.Backend, q taskflow.Query) []taskflow.Record {
	k.Helper()
	return k.walk(ctx, b.(taskflow.PendingQuerier).QueryPending, q)
}

func pendingPages(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	records := several(25, waiting)
	shuffled := slices.Clone(records)
	for i := range shuffled {
		shuffled[i] = records[i*7%25]
	}
	k.unfinished(ctx, here, shuffled...)
	for _, limit := range []int{1, 5, 24, 25, 26, 1000} {
		k.compare(fmt.Sprintf("QueryPending by pages of %d", limit), k.pendingPages(ctx, there, taskflow.Query{Limit: limit, Full: true}), records)
	}
	p, err := there.(taskflow.PendingQuerier).QueryPending(ctx, taskflow.Query{Limit: 25})
	k.must(err, "QueryPending")
	if len(p.Records) != 25 || p.Next != "" {
		k.Errorf("QueryPending with limit 25 of 25 rows returned %d and Next %q; want all and none", len(p.Records), p.Next)
	}
}

func pendingFilters(k *kit) {
	b, ctx := k.start(), k.context()
	records := various()
	for i := range records {
		records[i].Status = taskflow.StatusPending
		if i%4 == 1 {
			records[i].Status = taskflow.StatusRunning
		}
		records[i].Owner = fmt.Sprintf("instance%d", i%3)
	}
	k.unfinished(ctx, b, records...)
	at := records[4].CreatedAt
	for _, f := range []taskflow.Filter{
		{}, {Statuses: []taskflow.Status{taskflow.StatusRunning}}, {Statuses: []taskflow.Status{taskflow.StatusPending, taskflow.StatusRunning}},
		{Statuses: []taskflow.Status{taskflow.StatusFailed}}, {Name: "Resize_Image"}, {Name: "resize_image"}, {Source: taskflow.SourceRetry},
		{Tags: map[string]string{"tenant": "acme"}}, {Tags: map[string]string{"tenant": ""}}, {Tags: map[string]string{"plan": "", "tenant": "acme"}},
		{Text: "RESIZE_"}, {Text: "connection refused"}, {Text: "a-47"}, {Text: "100%_s"}, {Text: "tenant"}, {Text: "Ümläut"}, {Text: "ümläut"}, {Text: "47"},
		{Text: records[5].ID}, {Text: records[5].ID[:35]}, {Text: "instance1"}, {Text: "nowhere to be found"},
		{Since: at}, {Until: at}, {Since: at, Until: at.Add(3 * time.Millisecond)}, {Since: at, Until: at.Add(-time.Hour)},
		{Since: at.In(time.FixedZone("x", 3600))}, {Until: time.Date(2400, 1, 1, 0, 0, 0, 0, time.UTC)},
		{Name: "send_email", Statuses: []taskflow.Status{taskflow.StatusPending}, Source: taskflow.SourceRetry, Since: at},
	} {
		k.compare(fmt.Sprintf("QueryPending(%+v)", f), k.pendingPages(ctx, b, taskflow.Query{Filter: f, Limit: 2, Full: true}), matching(f, records))
	}
}

func pendingFullAndSummary(k *kit) {
	b, ctx := k.start(), k.context()
	r := full()
	r.Status = taskflow.StatusRunning
	k.unfinished(ctx, b, r)
	if _, ok := b.(taskflow.Journal); !ok {
		r.Owner = ""
	}
	k.compare("QueryPending in full", k.pendingPages(ctx, b, taskflow.Query{Limit: 10, Full: true}), []taskflow.Record{r})
	short := k.pendingPages(ctx, b, taskflow.Query{Limit: 10})
	for i := range short {
		short[i] = short[i].Summary()
	}
	k.compare("QueryPending", short, []taskflow.Record{r.Summary()})
}

func getPending(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	r := full()
	r.Status, r.Owner = taskflow.StatusPending, ""
	k.unfinished(ctx, here, waiting(1), r)
	q := there.(taskflow.PendingQuerier)
	got, err := q.GetPending(ctx, r.ID)
	k.must(err, "GetPending")
	k.compare("GetPending", []taskflow.Record{got}, []taskflow.Record{r})
	for _, id := range []string{"", "no id", waiting(3).ID, "../../etc/passwd", "x' OR '1'='1"} {
		if got, err := q.GetPending(ctx, id); !errors.Is(err, taskflow.ErrNotFound) {
			k.Errorf("GetPending(%q) returned %s, %v; want taskflow.ErrNotFound", id, got.ID, err)
		}
	}
}

func finishedIsNotListed(k *kit) {
	b, ctx := k.start(), k.context()
	r := waiting(1)
	k.unfinished(ctx, b, r)
	k.save(ctx, b, finished(5))
	q := b.(taskflow.PendingQuerier)
	k.compare("QueryPending", k.pendingPages(ctx, b, taskflow.Query{Limit: 10, Full: true}), []taskflow.Record{r})
	if _, err := q.GetPending(ctx, finished(5).ID); !errors.Is(err, taskflow.ErrNotFound) {
		k.Errorf("GetPending of a finished task returned %v; want taskflow.ErrNotFound", err)
	}
	k.save(ctx, b, ended(r))
	if _, claims := b.(taskflow.Claimer); claims { // or a Journal: only then Save removes the row
		k.compare("QueryPending after the end of the task", k.pendingPages(ctx, b, taskflow.Query{Limit: 10}), nil)
		if _, err := q.GetPending(ctx, r.ID); !errors.Is(err, taskflow.ErrNotFound) {
			k.Errorf("GetPending after the end of the task returned %v; want taskflow.ErrNotFound", err)
		}
	}
}

func ownersAreListed(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	if _, ok := here.(taskflow.Claimer); !ok {
		k.Log("not tested: the backend is no Claimer")
		return
	}
	r := waiting(1)
	_, err := here.SavePending(ctx, []taskflow.Record{r})
	k.must(err, "SavePending")
	k.claim(ctx, here, "first", []string{r.Name}, 1, r)
	r.Owner = "first"
	check := func(when string) {
		k.compare("QueryPending "+when, k.pendingPages(ctx, there, taskflow.Query{Limit: 10, Full: true}), []taskflow.Record{r})
		got, err := there.(taskflow.PendingQuerier).GetPending(ctx, r.ID)
		k.must(err, "GetPending")
		k.compare("GetPending "+when, []taskflow.Record{got}, []taskflow.Record{r})
	}
	check("after Claim")
	if s, ok := here.(taskflow.InstanceStore); ok {
		_, err := s.Expire(ctx)
		k.must(err, "Expire")
		r.Owner = ""
		check("after Expire")
	}
}

// pendingLikeAList stores and replaces random rows, and compares every answer with that of a plain list.
func pendingLikeAList(k *kit) {
	b := k.start() // one for all: it can be cleared, and a new one costs more than all that is asked of it
	rapid.Check(k, func(t *rapid.T) {
		k := &kit{tester: t, patience: k.patience}
		ctx := k.context()
		k.must(b.ClearPending(ctx), "ClearPending")
		var list []taskflow.Record
		for range rapid.IntRange(1, 4).Draw(t, "rounds") {
			batch := rapid.SliceOfNDistinct(rapid.Custom(randomPending), 0, 20, func(r taskflow.Record) string { return r.ID }).Draw(t, "records")
			list = slices.DeleteFunc(list, func(r taskflow.Record) bool {
				return slices.ContainsFunc(batch, func(n taskflow.Record) bool { return n.ID == r.ID })
			})
			if _, journal := b.(taskflow.Journal); !journal { // a snapshot replaces all
				list = nil
			}
			list = append(list, batch...)
			k.unfinished(ctx, b, slices.Clone(batch)...)
			for range 5 {
				f := randomFilter(t)
				q := taskflow.Query{Filter: f, Limit: rapid.IntRange(1, 30).Draw(t, "limit"), Full: true}
				k.compare(fmt.Sprintf("QueryPending(%+v)", f), k.pendingPages(ctx, b, q), matching(f, list))
			}
		}
	})
}

// randomPending returns a record without owner.
func randomPending(t *rapid.T) taskflow.Record {
	r := randomRecord(t)
	r.Status = rapid.SampledFrom([]taskflow.Status{taskflow.StatusPending, taskflow.StatusRunning}).Draw(t, "live")
	return r
}
