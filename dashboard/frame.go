package dashboard

import (
	"encoding/json"
	"slices"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// What one frame may hold. A browser cannot show more; viewers are told to load the list again instead.
const (
	frameTasks = 500
	frameLog   = 256 << 10 // bytes of log lines
)

// frame collects the changes of a short time: of each task its last state, and every line it logged. Used by one goroutine.
type frame struct {
	order  []string // ids, by first change
	tasks  map[string]*change
	log    int    // bytes of lines held
	missed uint64 // changes that are not in the frame
}

type change struct {
	state    *taskflow.Record // nil: it only logged, or said how far it is
	lines    []string
	count    int                      // lines the task has logged in all
	progress *taskflow.ProgressReport // nil: none
}

// event is one message, not yet encoded.
type event struct {
	name string
	data []byte

	task      string // of a task event: whose state it is, see told
	stage     int
	elsewhere bool // it was heard of by looking for what other instances do
}

func taskEvent(r *taskflow.Record) (event, error) {
	data, err := json.Marshal(live(r))
	return event{name: "task", data: data, task: r.ID, stage: stage(r)}, err
}

func (f *frame) add(events []taskflow.Event, lost uint64) {
	f.missed += lost
	for i := range events {
		e := &events[i]
		c := f.change(e.Task.ID)
		if c != nil && c.state != nil && e.Kind == taskflow.EventLog {
			c.state.LogCount = e.Task.LogCount // it is sent after these lines
		}
		switch {
		case c == nil && e.Kind == taskflow.EventProgress: // the next report will do
		case c == nil:
			f.missed++
		case e.Kind == taskflow.EventProgress:
			c.progress = e.Task.Progress
		case e.Kind != taskflow.EventLog:
			c.state, c.progress = new(e.Task), nil // which has it
		case f.log+len(e.Line) > frameLog:
			f.missed++
		default:
			f.log += len(e.Line)
			c.lines = append(c.lines, e.Line)
			c.count = e.Task.LogCount
		}
	}
}

func (f *frame) change(id string) *change {
	c := f.tasks[id]
	if c == nil && len(f.order) < frameTasks {
		if f.tasks == nil {
			f.tasks = make(map[string]*change)
		}
		c = &change{}
		f.tasks[id] = c
		f.order = append(f.order, id)
	}
	return c
}

// changed reports whether a task has changed its status, as far as the frame tells.
func (f *frame) changed() bool {
	if f.missed > 0 {
		return true
	}
	for _, c := range f.tasks {
		if c.state != nil {
			return true
		}
	}
	return false
}

// progressed is the data of a progress event.
type progressed struct {
	ID       string                   `json:"task_id"`
	Progress *taskflow.ProgressReport `json:"progress"`
}

// logged is the data of a log event.
type logged struct {
	ID    string   `json:"task_id"`
	Lines []string `json:"lines"`
	Count int      `json:"log_count"` // after these lines
}

// take returns the frame's events and how many changes are missing from them, and empties it.
func (f *frame) take() (events []event, missed uint64) {
	for _, id := range f.order {
		c := f.tasks[id]
		if len(c.lines) > 0 {
			events = f.encode(events, "log", logged{id, c.lines, c.count})
		}
		if c.state != nil {
			if e, err := taskEvent(c.state); err != nil {
				f.missed++ // see encode
			} else {
				events = append(events, e)
			}
		}
		if c.progress != nil {
			events = f.encode(events, "progress", progressed{id, c.progress})
		}
	}
	missed = f.missed
	f.order = slices.Delete(f.order, 0, len(f.order))
	clear(f.tasks)
	f.log, f.missed = 0, 0
	return events, missed
}

func (f *frame) encode(events []event, name string, v any) []event {
	data, err := json.Marshal(v)
	if err != nil { // no type here can fail; if one ever does, viewers load the list again
		f.missed++
		return events
	}
	return append(events, event{name: name, data: data})
}
