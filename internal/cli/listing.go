package cli

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// pageSize is what every backend gives at a time.
const pageSize = 1000

// tasks walks through the tasks that match, newest first: finished ones, unfinished ones, and what instances say they have in
// memory only. An error is the last thing that it yields.
func tasks(ctx context.Context, s storage, f selection, page int) iter.Seq2[taskflow.Record, error] {
	return func(yield func(taskflow.Record, error) bool) {
		l := listing{s: s, q: taskflow.Query{Filter: f.Filter, Limit: page}}
		if err := l.begin(ctx); err != nil {
			yield(taskflow.Record{}, err)
			return
		}
		for {
			records, more, err := l.next(ctx)
			if err != nil {
				yield(taskflow.Record{}, err)
				return
			}
			for _, r := range records {
				if f.selects(&r) && !yield(r, nil) {
					return
				}
			}
			if !more {
				return
			}
		}
	}
}

type listing struct {
	s    storage
	q    taskflow.Query
	live []taskflow.Record // in the memory of instances only
}

func (l *listing) wants(final bool) bool {
	return len(l.q.Statuses) == 0 || slices.ContainsFunc(l.q.Statuses, func(s taskflow.Status) bool { return s.Final() == final })
}

func (l *listing) begin(ctx context.Context) error {
	if !l.wants(false) {
		return nil
	}
	instances, err := l.s.Instances(ctx)
	if err != nil {
		return fmt.Errorf("list the instances: %w", err)
	}
	for _, i := range instances {
		for _, r := range i.Live {
			if l.q.Match(&r) {
				l.live = append(l.live, r)
			}
		}
	}
	return nil
}

// next returns the tasks of the next page, which may be none, and whether there can be more.
func (l *listing) next(ctx context.Context) (records []taskflow.Record, more bool, err error) {
	var unfinished, finished taskflow.Page
	// Unfinished before finished: a task that ends in between is in both, and must not be in none.
	if l.wants(false) {
		if unfinished, err = l.s.QueryPending(ctx, l.q); err != nil {
			return nil, false, fmt.Errorf("list the unfinished tasks: %w", err)
		}
	}
	if l.wants(true) {
		if finished, err = l.s.Query(ctx, l.q); err != nil {
			return nil, false, fmt.Errorf("list the history: %w", err)
		}
	}
	// Neither of them has looked further than the newer of their ends. Of a task that is in several, the last state counts.
	end := max(finished.Next, unfinished.Next)
	all := slices.Concat(finished.Records, unfinished.Records, l.live)
	all = slices.DeleteFunc(all, func(r taskflow.Record) bool {
		return r.ID < end || l.q.Before != "" && r.ID >= l.q.Before
	})
	slices.SortStableFunc(all, func(a, b taskflow.Record) int { return strings.Compare(b.ID, a.ID) })
	all = slices.CompactFunc(all, func(a, b taskflow.Record) bool { return a.ID == b.ID })
	l.q.Before = end
	return all, end != "", nil
}

// where says in which of the places a task was found.
type where int

const (
	inHistory where = iota
	inPending       // it has a row
	inMemory        // of an instance only
)

// find returns a task, in full where the backend has it.
func find(ctx context.Context, s storage, id string) (taskflow.Record, where, error) {
	if !taskflow.ValidID(id) {
		return taskflow.Record{}, 0, fmt.Errorf("%q is no task id: they look like 01890a5d-ac96-774b-bcce-b302099a8057", short(printable(id), 64))
	}
	r, err := s.GetPending(ctx, id) // first, as in listing.next
	if err == nil || !errors.Is(err, taskflow.ErrNotFound) {
		return r, inPending, err
	}
	r, err = s.Get(ctx, id)
	if err == nil || !errors.Is(err, taskflow.ErrNotFound) {
		return r, inHistory, err
	}
	instances, err := s.Instances(ctx)
	if err != nil {
		return r, 0, err
	}
	for _, i := range instances {
		for _, r := range i.Live {
			if r.ID == id {
				return r, inMemory, nil
			}
		}
	}
	return r, 0, errNoTask
}

// errNoTask: nobody knows the task.
var errNoTask = errors.New("there is no task of this id (or it is in the memory of an instance only, and not among the newest there)")
