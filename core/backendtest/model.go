package backendtest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
	"pgregory.net/rapid"
)

func modelTopics() []topic {
	return []topic{{name: "model/random histories answer like a list", test: likeAList}}
}

// likeAList saves, saves again and deletes random records, and compares every answer with that of a plain list.
func likeAList(k *kit) {
	all := k.start() // one for all, if it can be emptied: a new one costs more than all that is asked of it
	rapid.Check(k, func(t *rapid.T) {
		k := &kit{tester: t, open: k.open, patience: k.patience}
		ctx := k.context()
		b := all
		if d, ok := b.(taskflow.Deleter); ok {
			_, err := d.DeleteBefore(ctx, base.AddDate(100, 0, 0))
			k.must(err, "DeleteBefore")
		} else {
			b = k.start()
		}
		var list []taskflow.Record
		for range rapid.IntRange(1, 4).Draw(t, "rounds") {
			batch := rapid.SliceOfN(rapid.Custom(randomRecord), 0, 20).Draw(t, "records")
			for i := range batch {
				if len(list) > 0 && rapid.IntRange(0, 3).Draw(t, "again") == 0 { // the same task once more
					old := rapid.SampledFrom(list).Draw(t, "old")
					batch[i].ID, batch[i].CreatedAt = old.ID, old.CreatedAt
				}
				list = slices.DeleteFunc(list, func(r taskflow.Record) bool { return r.ID == batch[i].ID })
				list = append(list, batch[i])
			}
			k.save(ctx, b, batch...)
			if d, ok := b.(taskflow.Deleter); ok && rapid.IntRange(0, 2).Draw(t, "delete") == 0 {
				before := randomTime(t, "before")
				n, err := d.DeleteBefore(ctx, before)
				k.must(err, "DeleteBefore")
				all := len(list)
				list = slices.DeleteFunc(list, func(r taskflow.Record) bool { return r.CreatedAt.Before(before) })
				if n != all-len(list) {
					k.Fatalf("DeleteBefore(%v) returned %d, want %d", before, n, all-len(list))
				}
			}
			k.compare("Load", k.history(ctx, b), list)
			if s, ok := b.(taskflow.StatsReader); ok {
				k.compareStats(ctx, s, list)
			}
			if _, ok := b.(taskflow.Querier); ok {
				for range 5 {
					f := randomFilter(t)
					q := taskflow.Query{Filter: f, Limit: rapid.IntRange(1, 30).Draw(t, "limit"), Full: true}
					k.compare(fmt.Sprintf("Query(%+v)", f), k.pages(ctx, b, q), matching(f, list))
					k.count(ctx, b, fmt.Sprintf("%+v", f), f, len(matching(f, list)))
				}
			}
		}
	})
}

var (
	someNames = []string{"send_email", "Send_Email", "resize", "main.go:42", "naïve 'quoted\"", "100%"}
	someTexts = []string{"", "a", "ab", "abc", "ABC abc", "timeout", "Timeout while reading", "50% off_", "日本語テキスト", "línea\nnueva", `"'\`}
	someKeys  = []string{"tenant", "Tenant", "order id", "ключ", "a.b", `x"y`}
)

func randomTime(t *rapid.T, label string) time.Time {
	return base.Add(time.Duration(rapid.IntRange(0, 50).Draw(t, label)) * time.Millisecond)
}

func randomRecord(t *rapid.T) taskflow.Record {
	at := randomTime(t, "created")
	r := taskflow.Record{
		ID: idAt(at, rapid.IntRange(0, 1<<40).Draw(t, "id")), CreatedAt: at,
		Name: rapid.SampledFrom(someNames).Draw(t, "name"), Status: rapid.SampledFrom(taskflow.Statuses()[2:]).Draw(t, "status"),
		Source: rapid.SampledFrom([]string{taskflow.SourceManual, taskflow.SourceRetry, taskflow.SourceScheduled}).Draw(t, "source"),
		Pool:   taskflow.DefaultPool, Error: rapid.SampledFrom(someTexts).Draw(t, "error"),
		Tags: rapid.MapOfN(rapid.SampledFrom(someKeys), rapid.SampledFrom(someTexts), 0, 3).Draw(t, "tags"),
		Logs: rapid.SliceOfN(rapid.SampledFrom(someTexts), 0, 3).Draw(t, "logs"),
	}
	r.LogCount = len(r.Logs)
	if rapid.Bool().Draw(t, "ran") {
		r.Attempts = 1
		r.StartTime = at.Add(time.Millisecond)
		r.EndTime = r.StartTime.Add(time.Duration(rapid.Int64Range(-1000, 1e9).Draw(t, "µs")) * time.Microsecond)
	}
	return r
}

func randomFilter(t *rapid.T) (f taskflow.Filter) {
	has := func(label string) bool { return rapid.IntRange(0, 2).Draw(t, label) == 0 }
	if has("by status") {
		f.Statuses = rapid.SliceOfN(rapid.SampledFrom(taskflow.Statuses()), 1, 3).Draw(t, "statuses")
	}
	if has("by name") {
		f.Name = rapid.SampledFrom(someNames).Draw(t, "name")
	}
	if has("by text") {
		f.Text = rapid.SampledFrom(append([]string{"EMAIL", "go:", "meo", "ABC", "0%", "_", "本語テ", "ea\nl", idAt(base, 0)[:9]}, someTexts...)).Draw(t, "text")
		if rapid.Bool().Draw(t, "upper") {
			f.Text = strings.ToUpper(f.Text)
		}
	}
	if has("by tag") {
		f.Tags = rapid.MapOfN(rapid.SampledFrom(someKeys), rapid.SampledFrom(someTexts), 1, 2).Draw(t, "tags")
	}
	if has("by source") {
		f.Source = taskflow.SourceRetry
	}
	if has("by since") {
		f.Since = randomTime(t, "since")
	}
	if has("by until") {
		f.Until = randomTime(t, "until")
	}
	return f
}
