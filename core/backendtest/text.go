package backendtest

import (
	"encoding/json"
	"fmt"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func textTopics() []topic {
	return []topic{
		{name: "text/hostile text comes back", test: hostileText},
		{name: "text/a zero byte is refused or comes back", test: zeroByte},
	}
}

// hostile is text as tasks write it. Invalid UTF-8 and zero bytes are not in it: the manager replaces them.
func hostile() []string {
	return []string{
		`'; DROP TABLE history; --`, `"quoted"`, "back\\slash", "new\nline\r\n\ttab", "\u202eright to left", "שלום עולם", "日本語", "👩‍👩‍👧‍👦 🏳️‍🌈", "e\u0301 é",
		"%s %d %_", "{{.}} ${x} <script>alert(1)</script>", "\u0001\u001b[31mred", "\ufeffbom", "\U0010ffff", "a\u2028b", "  spaces  ", "null", "0", "NaN", "true",
	}
}

func hostileText(k *kit) {
	b, ctx := k.start(), k.context()
	var done, unfinished []taskflow.Record
	for i, text := range hostile() {
		args, err := json.Marshal(text)
		k.must(err, "json.Marshal")
		r := finished(i)
		r.Name, r.Error, r.Stack, r.Pool, r.Source, r.Key, r.Args = text, text, text, text, text, text, args
		r.Tags, r.Logs, r.LogCount = map[string]string{text: text}, []string{text, text}, 2
		done = append(done, r)
		w := r
		w.ID, w.Status = idAt(base.AddDate(0, 0, i), 1<<40), taskflow.StatusPending
		unfinished = append(unfinished, w)
	}
	k.save(ctx, b, done...)
	_, err := b.SavePending(ctx, unfinished)
	k.must(err, "SavePending")
	k.compare("Load", k.history(ctx, b), done)
	k.compareUnfinished(ctx, b, unfinished)
	if _, ok := b.(taskflow.Querier); !ok {
		return
	}
	for i, text := range hostile() {
		for name, f := range map[string]taskflow.Filter{"name": {Name: text}, "text": {Text: text}, "tag": {Tags: map[string]string{text: text}}, "source": {Source: text}} {
			want := matching(f, done)
			if len(want) == 0 {
				k.Fatalf("the model finds nothing by %s %q (%d)", name, text, i)
			}
			k.compare(fmt.Sprintf("Query by %s %q", name, text), k.pages(ctx, b, taskflow.Query{Filter: f, Limit: 10, Full: true}), want)
		}
	}
}

// zeroByte: PostgreSQL cannot store one as text, and others end a text there. The manager writes none; a backend that gets one
// stores it, or says that it cannot: it does not store half of a text, nor half of the call.
func zeroByte(k *kit) {
	b, ctx := k.start(), k.context()
	for name, spoil := range map[string]func(r *taskflow.Record){
		"name": func(r *taskflow.Record) { r.Name = "a\x00b" }, "error": func(r *taskflow.Record) { r.Error = "a\x00b" },
		"stack": func(r *taskflow.Record) { r.Stack = "a\x00b" }, "source": func(r *taskflow.Record) { r.Source = "a\x00b" },
		"pool": func(r *taskflow.Record) { r.Pool = "a\x00b" }, "log": func(r *taskflow.Record) { r.Logs = []string{"a\x00b"} },
		"tag": func(r *taskflow.Record) { r.Tags = map[string]string{"k": "a\x00b"} }, "tag key": func(r *taskflow.Record) { r.Tags = map[string]string{"a\x00b": "v"} },
		"key": func(r *taskflow.Record) { r.Key = "a\x00b" }, "owner": func(r *taskflow.Record) { r.Owner = "a\x00b" },
	} {
		before, beforePending := k.history(ctx, b), k.pending(ctx, b)
		done, sound := finished(len(before)), finished(1000+len(before))
		spoil(&done)
		if _, err := b.Save(ctx, []taskflow.Record{sound, done}); err == nil {
			before = append(before, sound, done)
		}
		k.compare("Load after Save with a zero byte in the "+name, k.history(ctx, b), before)
		if _, ok := b.(taskflow.Journal); !ok {
			continue
		}
		live, sound := waiting(len(beforePending)), waiting(1000+len(beforePending))
		spoil(&live)
		if err := b.(taskflow.Journal).PutPending(ctx, []taskflow.Record{sound, live}); err == nil {
			beforePending = append(beforePending, sound, live)
		}
		k.compare("LoadPending after PutPending with a zero byte in the "+name, k.pending(ctx, b), beforePending)
	}
}
