package backendtest

import (
	"encoding/json"
	"fmt"
	"strings"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func textTopics() []topic {
	return []topic{
		{name: "text/hostile text comes back", test: hostileText},
		{name: "text/large values come back", test: largeValues},
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
		r.Name, r.Error, r.Stack, r.Pool, r.Source, r.Args = text, text, text, text, text, args
		r.Tags, r.Logs, r.LogCount = map[string]string{text: text}, []string{text, text}, 2
		done = append(done, r)
		w := r
		w.ID, w.Status = idAt(base.AddDate(0, 0, i), 0), taskflow.StatusPending
		unfinished = append(unfinished, w)
	}
	k.save(ctx, b, done...)
	_, err := b.SavePending(ctx, unfinished)
	k.must(err, "SavePending")
	k.compare("Load", k.history(ctx, b), done)
	k.compare("LoadPending", k.pending(ctx, b), unfinished)
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

func largeValues(k *kit) {
	b, ctx := k.start(), k.context()
	r := finished(1)
	r.Args = json.RawMessage(`"` + strings.Repeat("x", taskflow.MaxArgsBytes-2) + `"`)
	r.Name, r.Error = strings.Repeat("n", taskflow.MaxNameBytes), strings.Repeat("e", taskflow.MaxErrorBytes)
	r.Stack = strings.Repeat("s\n", taskflow.MaxStackBytes/2)
	r.Tags = map[string]string{}
	for i := range taskflow.MaxTags {
		key := fmt.Sprintf("%03d", i)
		r.Tags[key+strings.Repeat("k", taskflow.MaxTagBytes-3)] = key + strings.Repeat("v", taskflow.MaxTagBytes-3)
	}
	for i := range taskflow.MaxLogLines {
		r.Logs = append(r.Logs, fmt.Sprintf("%d ", i)+strings.Repeat("l", 200))
	}
	r.LogCount = len(r.Logs)
	unfinished := r
	unfinished.ID, unfinished.Status = finished(2).ID, taskflow.StatusPending
	k.save(ctx, b, r)
	_, err := b.SavePending(ctx, []taskflow.Record{unfinished})
	k.must(err, "SavePending")
	k.compare("Load", k.history(ctx, b), []taskflow.Record{r})
	k.compare("LoadPending", k.pending(ctx, b), []taskflow.Record{unfinished})
	many := several(3000, func(n int) taskflow.Record { return finished(n + 10) })
	k.save(ctx, b, many...)
	k.compare("Load of many", k.history(ctx, b), append(many, r))
}
