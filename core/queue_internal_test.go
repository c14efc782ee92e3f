package taskflow

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The queue must behave like a list that is sorted by priority and otherwise keeps its order.
func TestReadyQueueBehavesLikeASortedList(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		type entry struct {
			job      *job
			priority int
		}
		var q readyQueue
		var model []entry
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				e := entry{&job{}, rapid.IntRange(-3, 3).Draw(t, "priority")}
				q.push(e.job, e.priority)
				at := slices.IndexFunc(model, func(o entry) bool { return o.priority < e.priority })
				if at < 0 {
					at = len(model)
				}
				model = slices.Insert(model, at, e)
			},
			"pop": func(t *rapid.T) {
				var want *job
				if len(model) > 0 {
					want, model = model[0].job, model[1:]
				}
				if got := q.pop(); got != want {
					t.Fatalf("another job than the first of %d", len(model)+1)
				}
			},
			"remove": func(t *rapid.T) {
				if len(model) > 0 {
					i := rapid.IntRange(0, len(model)-1).Draw(t, "which")
					q.remove(model[i].job, model[i].priority)
					model = slices.Delete(model, i, i+1)
				}
			},
			"remove a stranger": func(*rapid.T) { q.remove(&job{}, 0) },
			"": func(t *rapid.T) {
				if q.len() != len(model) {
					t.Fatalf("%d jobs, want %d", q.len(), len(model))
				}
			},
		})
	})
}
