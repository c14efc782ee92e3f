package backendtest

import (
	"context"
	"errors"
	"fmt"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func queryTopics() []topic {
	const needs = "Querier"
	has := offers[taskflow.Querier]
	return []topic{
		{name: "query/newest first, page by page", needs: needs, has: has, test: pagesNewestFirst},
		{name: "query/each filter alone", needs: needs, has: has, test: eachFilterAlone},
		{name: "query/listings may be short, full ones may not", needs: needs, has: has, test: fullAndSummary},
		{name: "query/get", needs: needs, has: has, test: getOne},
		{name: "query/count stops at the limit", needs: needs, has: has, test: countStopsAtLimit},
		{name: "query/pending is not listed", needs: needs, has: has, test: pendingIsNotListed},
	}
}

// pages reads the history page after page.
func (k *kit) pages(ctx context.Context, b taskflow.Backend, q taskflow.Query) []taskflow.Record {
	k.Helper()
	return k.walk(ctx, b.(taskflow.Querier).Query, q)
}

// walk reads page after page and checks that the cursor moves on. Short and empty pages with a cursor are allowed.
func (k *kit) walk(ctx context.Context, query func(context.Context, taskflow.Query) (taskflow.Page, error), q taskflow.Query) []taskflow.Record {
	k.Helper()
	var all []taskflow.Record
	for {
		p, err := query(ctx, q)
		k.must(err, "Query")
		if len(p.Records) > q.Limit {
			k.Fatalf("Query with limit %d returned %d records", q.Limit, len(p.Records))
		}
		for _, r := range p.Records {
			if last := q.Before; last != "" && r.ID >= last || len(all) > 0 && r.ID >= all[len(all)-1].ID {
				k.Fatalf("Query before %q: record %s is not older than the ones before it", q.Before, r.ID)
			}
			all = append(all, r)
		}
		if p.Next == "" {
			return all
		}
		if q.Before != "" && p.Next >= q.Before {
			k.Fatalf("Query before %q: Next is %q, which leads nowhere", q.Before, p.Next)
		}
		if n := len(p.Records); n > 0 && p.Next > p.Records[n-1].ID {
			k.Fatalf("Query: Next is %q, after the last record %s: it would be listed twice", p.Next, p.Records[n-1].ID)
		}
		q.Before = p.Next
	}
}

func pagesNewestFirst(k *kit) {
	b, ctx := k.start(), k.context()
	records := several(25, finished)
	for _, i := range []int{12, 3, 24, 0, 7} { // tasks do not end in the order in which they were added
		k.save(ctx, b, records[i])
	}
	k.save(ctx, b, records...)
	for _, limit := range []int{1, 5, 24, 25, 26, 1000} {
		got := k.pages(ctx, b, taskflow.Query{Limit: limit})
		k.compare(fmt.Sprintf("Query by pages of %d", limit), got, records)
	}
	p, err := b.(taskflow.Querier).Query(ctx, taskflow.Query{Limit: 25})
	k.must(err, "Query")
	if len(p.Records) != 25 || p.Next != "" {
		k.Errorf("Query with limit 25 of 25 records returned %d and Next %q; want all and none", len(p.Records), p.Next)
	}
}

// various returns records of which each filter selects a few.
func various() []taskflow.Record {
	records := several(12, finished)
	for i := range records {
		r := &records[i]
		switch i % 4 {
		case 1:
			r.Status, r.Error = taskflow.StatusFailed, "dial tcp 10.0.0.7: Connection Refused"
		case 2:
			r.Name, r.Tags = "Resize_Image", map[string]string{"tenant": "acme", "plan": ""}
		case 3:
			r.Source, r.Tags = taskflow.SourceRetry, map[string]string{"tenant": "Ümläut & 100%_sure", "order": "A-4711"}
		}
	}
	return records
}

func eachFilterAlone(k *kit) {
	b, ctx := k.start(), k.context()
	records := various()
	k.save(ctx, b, records...)
	for _, c := range []struct {
		name   string
		filter taskflow.Filter
		want   []int // remainders of the index by four; nil: none
	}{
		{"everything", taskflow.Filter{}, []int{0, 1, 2, 3}},
		{"one status", taskflow.Filter{Statuses: []taskflow.Status{taskflow.StatusFailed}}, []int{1}},
		{"two statuses", taskflow.Filter{Statuses: []taskflow.Status{taskflow.StatusFailed, taskflow.StatusSuccess}}, []int{0, 1, 2, 3}},
		{"a status given twice", taskflow.Filter{Statuses: []taskflow.Status{taskflow.StatusFailed, taskflow.StatusFailed}}, []int{1}},
		{"a status nobody has", taskflow.Filter{Statuses: []taskflow.Status{"unheard of"}}, nil},
		{"name", taskflow.Filter{Name: "Resize_Image"}, []int{2}},
		{"name in another case", taskflow.Filter{Name: "resize_image"}, nil},
		{"beginning of a name", taskflow.Filter{Name: "Resize"}, nil},
		{"source", taskflow.Filter{Source: taskflow.SourceRetry}, []int{3}},
		{"tag", taskflow.Filter{Tags: map[string]string{"tenant": "acme"}}, []int{2}},
		{"tag with any value", taskflow.Filter{Tags: map[string]string{"tenant": ""}}, []int{2, 3}},
		{"tag that is stored without a value", taskflow.Filter{Tags: map[string]string{"plan": ""}}, []int{2}},
		{"two tags", taskflow.Filter{Tags: map[string]string{"tenant": "", "order": "A-4711"}}, []int{3}},
		{"tag with another's value", taskflow.Filter{Tags: map[string]string{"order": "acme"}}, nil},
		{"text of a name", taskflow.Filter{Text: "RESIZE_"}, []int{2}},
		{"text of an error", taskflow.Filter{Text: "connection refused"}, []int{1}},
		{"text of a tag's value", taskflow.Filter{Text: "a-47"}, []int{3}},
		{"text is not a pattern", taskflow.Filter{Text: "100%_s"}, []int{3}},
		{"text with a wildcard", taskflow.Filter{Text: "res%ze"}, nil},
		{"text of a tag's key", taskflow.Filter{Text: "tenant"}, nil},
		{"text beyond ASCII", taskflow.Filter{Text: "ümläut"}, nil}, // only ASCII letters are alike in both cases
		{"text beyond ASCII as it is", taskflow.Filter{Text: "Ümläut"}, []int{3}},
		{"short text", taskflow.Filter{Text: "47"}, []int{3}},
		{"text in quotes", taskflow.Filter{Text: `"acme" OR 'x'`}, nil},
		{"text across values", taskflow.Filter{Text: "acme\n"}, nil},
		{"unknown text", taskflow.Filter{Text: "nowhere to be found"}, nil},
		{"status and name", taskflow.Filter{Statuses: []taskflow.Status{taskflow.StatusSuccess}, Name: "send_email"}, []int{0, 3}},
		{"status and text of an id", taskflow.Filter{Statuses: []taskflow.Status{taskflow.StatusFailed}, Text: records[0].ID[:8]}, []int{1}},
	} {
		var want []taskflow.Record
		for i, r := range records {
			for _, m := range c.want {
				if i%4 == m {
					want = append(want, r)
				}
			}
		}
		k.compare("Query by "+c.name, k.pages(ctx, b, taskflow.Query{Filter: c.filter, Limit: 2}), want)
		k.count(ctx, b, c.name, c.filter, len(want))
	}
	k.filterByTime(ctx, b, records)
	for _, text := range []string{records[5].ID, records[5].ID[:35]} {
		k.compare("Query by the text "+text, k.pages(ctx, b, taskflow.Query{Filter: taskflow.Filter{Text: text}, Limit: 2}), matching(taskflow.Filter{Text: text}, records))
	}
}

func (k *kit) filterByTime(ctx context.Context, b taskflow.Backend, records []taskflow.Record) {
	k.Helper()
	at := records[4].CreatedAt
	for _, c := range []struct {
		name   string
		filter taskflow.Filter
		want   []taskflow.Record
	}{
		{"since, which is inclusive", taskflow.Filter{Since: at}, records[4:]},
		{"until, which is exclusive", taskflow.Filter{Until: at}, records[:4]},
		{"since and until", taskflow.Filter{Since: at, Until: at.Add(3 * time.Millisecond)}, records[4:7]},
		{"since in another zone", taskflow.Filter{Since: at.In(time.FixedZone("x", 3600))}, records[4:]},
		{"since after until", taskflow.Filter{Since: at, Until: at.Add(-time.Hour)}, nil},
		{"since long ago", taskflow.Filter{Since: time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC)}, records},
		{"until the far future", taskflow.Filter{Until: time.Date(2400, 1, 1, 0, 0, 0, 0, time.UTC)}, records},
	} {
		k.compare("Query by "+c.name, k.pages(ctx, b, taskflow.Query{Filter: c.filter, Limit: 3}), c.want)
		k.count(ctx, b, c.name, c.filter, len(c.want))
	}
}

func (k *kit) count(ctx context.Context, b taskflow.Backend, name string, f taskflow.Filter, want int) {
	k.Helper()
	n, exact, err := b.(taskflow.Querier).Count(ctx, f, 10_000)
	k.must(err, "Count")
	if n > want || n < want && exact {
		k.Errorf("Count by %s returned %d (exact: %v), want %d", name, n, exact, want)
	}
}

// matching is the model: what f selects, in the order of records.
func matching(f taskflow.Filter, records []taskflow.Record) (found []taskflow.Record) {
	for i := range records {
		if f.Match(&records[i]) {
			found = append(found, records[i])
		}
	}
	return found
}

func fullAndSummary(k *kit) {
	b, ctx := k.start(), k.context()
	r := full()
	k.save(ctx, b, r)
	k.compare("Query in full", k.pages(ctx, b, taskflow.Query{Limit: 10, Full: true}), []taskflow.Record{r})
	short := k.pages(ctx, b, taskflow.Query{Limit: 10})
	for i := range short {
		short[i] = short[i].Summary()
	}
	k.compare("Query", short, []taskflow.Record{r.Summary()})
}

func getOne(k *kit) {
	b, ctx := k.start(), k.context()
	q := b.(taskflow.Querier)
	r := full()
	k.save(ctx, b, finished(1), r)
	got, err := q.Get(ctx, r.ID)
	k.must(err, "Get")
	k.compare("Get", []taskflow.Record{got}, []taskflow.Record{r})
	for _, id := range []string{"", "no id", finished(3).ID, "../../etc/passwd", "x' OR '1'='1"} {
		if got, err := q.Get(ctx, id); !errors.Is(err, taskflow.ErrNotFound) {
			k.Errorf("Get(%q) returned %s, %v; want taskflow.ErrNotFound", id, got.ID, err)
		}
	}
}

func countStopsAtLimit(k *kit) {
	b, ctx := k.start(), k.context()
	k.save(ctx, b, several(20, finished)...)
	for limit, want := range map[int]int{1: 1, 19: 19, 20: 20, 21: 20} {
		for _, f := range []taskflow.Filter{{}, {Name: "send_email"}, {Name: "send_email", Source: taskflow.SourceManual}} {
			n, exact, err := b.(taskflow.Querier).Count(ctx, f, limit)
			k.must(err, "Count")
			if n != want || exact != (limit > 20) {
				k.Errorf("Count(%+v) with limit %d of 20 returned %d (exact: %v), want %d", f, limit, n, exact, want)
			}
		}
	}
}

func pendingIsNotListed(k *kit) {
	b, ctx := k.start(), k.context()
	r := waiting(1)
	_, err := b.SavePending(ctx, []taskflow.Record{r})
	k.must(err, "SavePending")
	k.compare("Query", k.pages(ctx, b, taskflow.Query{Limit: 10}), nil)
	k.count(ctx, b, "nothing", taskflow.Filter{}, 0)
	if _, err := b.(taskflow.Querier).Get(ctx, r.ID); !errors.Is(err, taskflow.ErrNotFound) {
		k.Errorf("Get of a pending task returned %v; want taskflow.ErrNotFound, the history does not have it", err)
	}
}
