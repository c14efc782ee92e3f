package dashboard

import (
	"math"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// stage says how far a task is on its way: of two states of it, the one with the smaller stage was before. Attempts are counted over processes, and a
// status that is final is the last.
func stage(r *taskflow.Record) int {
	switch {
	case r.Status.Final():
		return math.MaxInt
	case r.Status == taskflow.StatusRunning:
		return 2 * r.Attempts
	}
	return 2*r.Attempts + 1 // it waits for the attempt that follows
}

// toldTasks is of how many tasks, at least, it is remembered how far they were when they were told of.
const toldTasks = 4096

// told remembers how far tasks were when the stream told of them last: what instances say of each other is a little old, and an older state must not
// follow a newer one. What this instance does itself is told in its order, and is only compared with what was heard from others meanwhile: a
// task may have been theirs, and be ours, or the other way round. The zero value has told of nothing. The broadcast's mutex guards it.
type told struct{ here, elsewhere stages }

// old reports whether a newer state than the event's was told of; otherwise the event is the newest.
func (t *told) old(e *event) bool {
	if e.task == "" {
		return false
	}
	if e.stage < t.elsewhere.of(e.task) {
		return true
	}
	if !e.elsewhere {
		t.here.set(e.task, e.stage)
		return false
	}
	if e.stage < t.here.of(e.task) {
		return true
	}
	t.elsewhere.set(e.task, e.stage)
	return false
}

// stages are those of the tasks that were set last: from toldTasks up to twice as many.
type stages struct{ young, old map[string]int }

// of is the stage of a task; -1, which is before all, for one that is not known.
func (s *stages) of(id string) int {
	if n, ok := s.young[id]; ok {
		return n
	}
	if n, ok := s.old[id]; ok {
		return n
	}
	return -1
}

func (s *stages) set(id string, n int) {
	if len(s.young) >= toldTasks {
		s.young, s.old = nil, s.young
	}
	if s.young == nil {
		s.young = map[string]int{}
	}
	s.young[id] = n
}
