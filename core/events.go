package taskflow

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// EventKind says what happened to a task.
type EventKind string

// The kinds of events.
const (
	EventAdded    EventKind = "added"    // accepted: it waits
	EventStarted  EventKind = "started"  // an attempt began
	EventRetrying EventKind = "retrying" // an attempt failed, it waits for the next
	EventFinished EventKind = "finished" // it reached its final status, or was refused at Add
	EventLog      EventKind = "log"      // it wrote a line to its log
	EventMoved    EventKind = "moved"    // another instance holds it from now on, see ErrLeaseLost
	EventProgress EventKind = "progress" // it said how far it is, see Progress; not more often than four times a second
	EventLinked   EventKind = "linked"   // it had ended before; now a task repeats it, see Record.RetriedBy
)

// Event is one change of a task.
type Event struct {
	Seq  uint64 // counts the manager's events from 1, without gaps
	Kind EventKind
	Time time.Time
	Task Record // as it was right after the change, without log, stack and arguments; for EventLog just its ID and LogCount, for EventProgress its ID and Progress
	Line string // EventLog: the line
}

// eventRing is how many events a subscriber may fall behind before it loses the oldest.
const eventRing = 4096

// hub keeps the latest events in a ring that all subscribers read at their own pace: publishing never waits for any of
// them, it only wakes those that sleep.
type hub struct {
	active atomic.Int32 // subscribers; nothing is kept while there are none
	mu     sync.Mutex
	ring   []Event
	seq    uint64 // of the last event
	subs   map[*Subscription]struct{}
	closed bool
}

// wanted reports whether it is worth building an event.
func (h *hub) wanted() bool { return h.active.Load() > 0 }

func (h *hub) publish(e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.subs) == 0 {
		return
	}
	h.seq++
	e.Seq = h.seq
	if h.ring == nil {
		h.ring = make([]Event, eventRing)
	}
	h.ring[h.seq%eventRing] = e
	for s := range h.subs {
		select {
		case s.wake <- struct{}{}:
		default: // it has been told already
		}
	}
}

// close ends all subscriptions once they have read what is left.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for s := range h.subs {
		close(s.done)
	}
	clear(h.subs)
	h.active.Store(0)
}

// Subscription follows the changes of all tasks. A subscriber that falls behind loses the oldest events and is told how
// many; it never holds up a task and never costs more memory. Made by [Manager.Subscribe]. Next may not be called concurrently.
type Subscription struct {
	h    *hub
	next uint64 // seq of the next event to read
	wake chan struct{}
	done chan struct{}
}

// Subscribe starts following the changes of tasks, from now on. Close it.
func (m *Manager) Subscribe() *Subscription {
	h := &m.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	s := &Subscription{h: h, next: h.seq + 1, wake: make(chan struct{}, 1), done: make(chan struct{})}
	if h.closed {
		close(s.done)
		return s
	}
	if h.subs == nil {
		h.subs = make(map[*Subscription]struct{})
	}
	h.subs[s] = struct{}{}
	h.active.Add(1)
	return s
}

// Next waits for events and appends them to buf[:0], at most as many as its capacity (or 256 if that is 0), oldest first. lost counts the
// events before these that the subscriber was too slow to see. It fails with the context's error, or with ErrStopped once
// the manager has stopped, or the subscription was closed, and everything was read.
func (s *Subscription) Next(ctx context.Context, buf []Event) (events []Event, lost uint64, err error) {
	if cap(buf) == 0 {
		buf = make([]Event, 0, 256)
	}
	for {
		if events, lost = s.read(buf[:0]); len(events) > 0 {
			return events, lost, nil
		}
		select {
		case <-s.wake:
		case <-s.done:
			if events, lost = s.read(buf[:0]); len(events) > 0 {
				return events, lost, nil
			}
			return nil, 0, ErrStopped
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
}

func (s *Subscription) read(buf []Event) (events []Event, lost uint64) {
	h := s.h
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.seq >= eventRing && s.next <= h.seq-eventRing {
		lost = h.seq - eventRing + 1 - s.next
		s.next += lost
	}
	for s.next <= h.seq && len(buf) < cap(buf) {
		buf = append(buf, h.ring[s.next%eventRing])
		s.next++
	}
	return buf, lost
}

// Close ends the subscription; a waiting Next returns. Calling it again does nothing.
func (s *Subscription) Close() {
	h := s.h
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.subs[s]; !ok {
		return
	}
	delete(h.subs, s)
	h.active.Add(-1)
	close(s.done)
	s.next = h.seq + 1
	if len(h.subs) == 0 {
		clear(h.ring) // let go of the records
	}
}
