package taskflow

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestTheRegistryKeepsTheOrderOfIDs: whatever comes with an id of its own, between whatever is added and dropped, has its place.
func TestTheRegistryKeepsTheOrderOfIDs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var r registry
		r.init(10)
		var all []*job
		id := func() (id taskID) {
			id[7] = byte(rapid.IntRange(1, 200).Draw(t, "id"))
			return id
		}
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			switch j := (&job{}); {
			case rapid.Bool().Draw(t, "adopt"):
				if j.id = id(); r.adopt(j) {
					all = append(all, j)
				}
			case rapid.Bool().Draw(t, "add"):
				r.add(j, time.Now(), false)
				all = append(all, j)
			case len(all) > 0:
				i := rapid.IntRange(0, len(all)-1).Draw(t, "which")
				r.unlink(all[i])
				all = slices.Delete(all, i, i+1)
			}
		}
		slices.SortFunc(all, func(a, b *job) int { return a.id.compare(b.id) })
		at := r.oldest
		for _, want := range all {
			if at != want || r.byID[want.id] != want {
				t.Fatalf("%v in place of %v", at, want)
			}
			at = at.newer
		}
		if at != nil || len(all) > 0 && r.newest != all[len(all)-1] || len(r.byID) != len(all) {
			t.Fatal("there is more than was taken in")
		}
		for back, i := r.newest, len(all)-1; back != nil; back, i = back.older, i-1 {
			if back != all[i] {
				t.Fatal("the way back differs")
			}
		}
	})
}

// BenchmarkAdopt takes in a row of the backend between 50,000 newer and as many older tasks.
func BenchmarkAdopt(b *testing.B) {
	var r registry
	r.init(10)
	next := func(first byte, n int) (id taskID) {
		id[0], id[8], id[9], id[10], id[11] = first, byte(n>>24), byte(n>>16), byte(n>>8), byte(n)
		return id
	}
	for i := range 50_000 {
		r.adopt(&job{id: next(1, i)})
	}
	for i := range 50_000 {
		r.adopt(&job{id: next(3, i)})
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r.adopt(&job{id: next(2, i)})
	}
}

func TestCancelOfATaskThatAnotherInstanceHasTaken(t *testing.T) {
	t.Parallel()
	m, err := New(WithLogger(slog.New(slog.DiscardHandler)), WithTasks(Define("x", func(context.Context, int) error { return nil })))
	if err != nil {
		t.Fatal(err)
	}
	j := m.jobOf(&Record{ID: NewID(time.Now()), Name: "x", Status: StatusPending, Owner: "me", Args: []byte("1")}, m.tasks["x"])
	m.registry.adopt(j)
	m.dispatch(j)
	if !m.lose(j, "me") { // after Cancel has found the job, and before it has done anything
		t.Fatal("not lost")
	}
	if _, err := m.cancelJob(j, cancelCause("")); err == nil {
		t.Error("a task that another instance holds was cancelled here")
	}
}
