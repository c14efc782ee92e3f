package dashboard

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// The bounds of one request that looks for tasks.
const (
	countLimit = 10_000 // matches that are counted
	lookPages  = 30     // pages of maxLimit that are looked at to count
	findPages  = 10     // and for one page of the list
	maxSources = 10     // there are three
)

// selection is what the filter parameters ask for: what every backend can filter by, and what is then looked at record by record.
type selection struct {
	taskflow.Filter

	sources  []string // any of these; set when there are several
	instance string   // that holds the task, or ran it
	priority string   // a number; empty: any
	group    string   // failure group
}

// selectionParams are the names of the parameters that a selection is made of.
func selectionParams() []string {
	return []string{"status", "func_name", "q", "tag", "since", "until", "source", "instance", "priority", "failure_group"}
}

// selection reads the filter parameters. What no task can match is refused: an empty answer would look as if there were none.
func (p params) selection(now time.Time) (s selection, err error) {
	if s.Filter, err = p.filter(now); err != nil {
		return s, err
	}
	if s.sources, err = p.list("source"); err != nil {
		return s, err
	}
	if len(s.sources) > maxSources { // each is looked for in each record
		return s, refuse(http.StatusBadRequest, "source has %d values; at most %d are possible", len(s.sources), maxSources)
	}
	for _, name := range s.sources {
		if known := []string{taskflow.SourceManual, taskflow.SourceRetry, taskflow.SourceScheduled}; !slices.Contains(known, name) {
			return s, refuse(http.StatusBadRequest, "source=%q is unknown; possible: %s", name, strings.Join(known, ", "))
		}
	}
	if !s.Since.IsZero() && !s.Until.IsZero() && !s.Since.Before(s.Until) {
		return s, refuse(http.StatusBadRequest, "since, until: the window from %s to %s is empty: its beginning must be before its end",
			s.Since.UTC().Format(time.RFC3339), s.Until.UTC().Format(time.RFC3339))
	}
	if len(s.sources) == 1 {
		s.Source, s.sources = s.sources[0], nil
	}
	for name, to := range map[string]*string{"instance": &s.instance, "priority": &s.priority, "failure_group": &s.group} {
		if *to, err = p.one(name); err != nil {
			return s, err
		}
	}
	if n, err := strconv.Atoi(s.priority); s.priority != "" {
		if err != nil || n < -taskflow.MaxPriority || n > taskflow.MaxPriority {
			return s, refuse(http.StatusBadRequest, "priority=%q is not a number from -%d to %d", s.priority, taskflow.MaxPriority, taskflow.MaxPriority)
		}
		s.priority = strconv.Itoa(n) // "+5" is 5
	}
	if s.group != "" {
		if !isFailureGroup(s.group) {
			return s, refuse(http.StatusBadRequest, "failure_group=%q is not one that this API gave: it has 16 hexadecimal digits", s.group)
		}
		s.only(taskflow.StatusFailed, taskflow.StatusInterrupted)
	}
	return s, nil
}

// only narrows the selection to some statuses.
func (s *selection) only(statuses ...taskflow.Status) {
	if len(s.Statuses) == 0 {
		s.Statuses = statuses
		return
	}
	s.Statuses = slices.DeleteFunc(slices.Clone(s.Statuses), func(st taskflow.Status) bool { return !slices.Contains(statuses, st) })
	if len(s.Statuses) == 0 {
		s.Statuses = []taskflow.Status{"none"} // nothing has it; no statuses at all would be everything
	}
}

// simple reports whether the core's filter is all there is.
func (s *selection) simple() bool {
	return len(s.sources) == 0 && s.instance == "" && s.priority == "" && s.group == ""
}

// selects reports whether a record that the core's filter lets through is selected.
func (s *selection) selects(r *taskflow.Record) bool {
	return (len(s.sources) == 0 || slices.Contains(s.sources, r.Source)) &&
		(s.instance == "" || s.instance == r.Owner) &&
		(s.priority == "" || s.priority == strconv.Itoa(r.Priority)) &&
		(s.group == "" || s.group == failureGroup(r))
}

// find is Manager.List for a selection. What it looks at is bounded: a page may be short, even empty, and have a Next.
func (h *Handler) find(ctx context.Context, s *selection, q taskflow.Query) (taskflow.Page, error) {
	q.Filter = s.Filter
	if s.simple() {
		return h.m.List(ctx, q)
	}
	var found taskflow.Page
	want := q.Limit
	if q.Limit = maxLimit; q.Full {
		q.Limit = maxFullLimit
	}
	for range findPages {
		page, err := h.listPage(ctx, q)
		if err != nil {
			return found, err
		}
		found.Next = page.Next
		for i := range page.Records {
			if !s.selects(&page.Records[i]) {
				continue
			}
			found.Records = append(found.Records, page.Records[i])
			if len(found.Records) == want {
				if i < len(page.Records)-1 {
					found.Next = page.Records[i].ID
				}
				return found, nil
			}
		}
		if q.Before = page.Next; q.Before == "" {
			break
		}
	}
	return found, nil
}

// walk visits the selected tasks, newest first, until visit returns false, an error, or there is nothing more. all is false when the bounds
// ended it: after so many pages. pages below 1 is no bound.
func (h *Handler) walk(ctx context.Context, s *selection, before string, pages int, visit func(*taskflow.Record) (more bool, err error)) (all bool, err error) {
	q := taskflow.Query{Filter: s.Filter, Before: before, Limit: maxLimit}
	for n := 1; ; n++ {
		page, err := h.listPage(ctx, q)
		if err != nil {
			return false, err
		}
		for i := range page.Records {
			if !s.selects(&page.Records[i]) {
				continue
			}
			if more, err := visit(&page.Records[i]); err != nil || !more {
				return false, err
			}
		}
		if page.Next == "" {
			return true, nil
		}
		if q.Before = page.Next; n == pages {
			return false, nil
		}
	}
}

// looksAtOnce is how many pages of walks over many tasks are read at the same time: they must not keep plain listings waiting.
const looksAtOnce = 2

// listPage is Manager.List that takes no longer than a request may. It takes its turn among others that look at many tasks.
func (h *Handler) listPage(ctx context.Context, q taskflow.Query) (taskflow.Page, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	select {
	case h.looks <- struct{}{}:
		defer func() { <-h.looks }()
	case <-ctx.Done():
		return taskflow.Page{}, refuse(http.StatusServiceUnavailable, "others are looking through many tasks; try again").after(5 * time.Second)
	}
	return h.m.List(ctx, q)
}

// samples is how many tasks an answer about many shows.
const samples = 5

// tally is what a look at the selected tasks found.
type tally struct {
	matched int
	exact   bool
	samples []taskflow.Record
}

// tally counts the selected tasks with ids below before, up to countLimit, and calls each with every one of them.
func (h *Handler) tally(ctx context.Context, s *selection, before string, each func(*taskflow.Record)) (t tally, err error) {
	t.samples = []taskflow.Record{}
	t.exact, err = h.walk(ctx, s, before, lookPages, func(r *taskflow.Record) (bool, error) {
		if t.matched == countLimit {
			return false, nil
		}
		if t.matched++; len(t.samples) < samples {
			t.samples = append(t.samples, r.Summary())
		}
		if each != nil {
			each(r)
		}
		return true, nil
	})
	return t, err
}

// isFailureGroup reports whether s has the form of a failure group.
func isFailureGroup(s string) bool {
	return len(s) == groupDigits && strings.Trim(s, "0123456789abcdef") == ""
}
