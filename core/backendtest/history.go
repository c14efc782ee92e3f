package backendtest

import (
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func historyTopics() []topic {
	return []topic{
		{name: "history/a new backend is empty", test: newIsEmpty},
		{name: "history/every field comes back", test: everyFieldComesBack},
		{name: "history/a record without values comes back", test: bareRecordComesBack},
		{name: "history/saving again replaces", test: savingAgainReplaces},
		{name: "history/saving nothing is fine", test: savingNothing},
		{name: "history/survives a restart", test: historySurvivesRestart},
		{name: "history/stays apart from pending", test: historyStaysApart},
	}
}

func newIsEmpty(k *kit) {
	b, ctx := k.start(), k.context()
	k.compare("Load", k.history(ctx, b), nil)
	k.compare("LoadPending", k.pending(ctx, b), nil)
}

func everyFieldComesBack(k *kit) {
	r := full()
	if missing := unset(r); len(missing) > 0 {
		k.Fatalf("the test record has no value for %v: give it one in backendtest's full()", missing)
	}
	b, ctx := k.start(), k.context()
	k.save(ctx, b, r)
	k.compare("Load", k.history(ctx, b), []taskflow.Record{r})
}

func bareRecordComesBack(k *kit) {
	b, ctx := k.start(), k.context()
	r := taskflow.Record{ID: idAt(base, 0), Name: "x", Status: taskflow.StatusCancelled, CreatedAt: base}
	k.save(ctx, b, r)
	k.compare("Load", k.history(ctx, b), []taskflow.Record{r})
}

func savingAgainReplaces(k *kit) {
	b, ctx := k.start(), k.context()
	first, second := full(), full()
	second.ID = first.ID
	second.Status, second.Error, second.Stack = taskflow.StatusSuccess, "", ""
	second.Tags, second.Logs, second.LogCount, second.Args, second.RetryOf, second.Owner = map[string]string{"other": "tag"}, nil, 0, nil, "", ""
	second.RunAt = time.Time{}
	other := finished(5)
	k.save(ctx, b, first, other)
	k.save(ctx, b, first)
	k.compare("Load after the same record was saved twice", k.history(ctx, b), []taskflow.Record{first, other})
	k.save(ctx, b, second)
	k.compare("Load after a record was replaced", k.history(ctx, b), []taskflow.Record{second, other})
	third := second
	third.Name = "renamed"
	k.save(ctx, b, second, third)
	k.compare("Load after one call saved a record twice", k.history(ctx, b), []taskflow.Record{third, other})
}

func savingNothing(k *kit) {
	b, ctx := k.start(), k.context()
	k.save(ctx, b)
	if n, err := b.SavePending(ctx, nil); n != 0 || err != nil {
		k.Errorf("SavePending of nothing returned %d, %v", n, err)
	}
	k.compare("Load", k.history(ctx, b), nil)
}

func historySurvivesRestart(k *kit) {
	if k.reopen == nil {
		k.skip(noReopen)
	}
	b, ctx := k.start(), k.context()
	records := append(several(100, finished), full())
	k.save(ctx, b, records...)
	unfinished := several(10, waiting)
	_, err := b.SavePending(ctx, unfinished)
	k.must(err, "SavePending")
	k.must(b.Close(), "Close")
	b = k.opened(k.reopen(b))
	k.compare("Load after a restart", k.history(ctx, b), records)
	k.compare("LoadPending after a restart", k.pending(ctx, b), unfinished)
}

func historyStaysApart(k *kit) {
	b, ctx := k.start(), k.context()
	done, unfinished := several(3, finished), []taskflow.Record{waiting(10), waiting(11)}
	k.save(ctx, b, done...)
	_, err := b.SavePending(ctx, unfinished)
	k.must(err, "SavePending")
	k.compare("Load", k.history(ctx, b), done)
	k.compare("LoadPending", k.pending(ctx, b), unfinished)
	k.must(b.ClearPending(ctx), "ClearPending")
	k.compare("Load after ClearPending", k.history(ctx, b), done)
	k.compare("LoadPending after ClearPending", k.pending(ctx, b), nil)
}
