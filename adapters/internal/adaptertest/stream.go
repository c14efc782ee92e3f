package adaptertest

import (
	"bufio"
	"strings"
	"testing"
	"time"
)

// Event is one server-sent event.
type Event struct{ Name, Data string }

// Stream is an open live stream and what has come on it.
type Stream struct {
	*Client
	t      testing.TB
	events chan Event
	ended  chan struct{}
}

// OpenStream asks addr for the stream at path and returns once its head is there.
func OpenStream(t testing.TB, addr, path string) *Stream {
	t.Helper()
	c := Dial(t, addr)
	c.Send("GET %s HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n\r\n", path, addr)
	resp, err := c.Head()
	if err != nil {
		t.Fatalf("open the stream: %v", err)
	}
	if got := resp.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/event-stream") {
		t.Fatalf("GET %s: %s with content type %q instead of a stream", path, resp.Status, got)
	}
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		t.Fatalf("lift the deadline: %v", err)
	}
	s := &Stream{Client: c, t: t, events: make(chan Event, 1024), ended: make(chan struct{})}
	go s.follow(bufio.NewScanner(resp.Body)) // ends with the connection, which the test closes
	return s
}

func (s *Stream) follow(lines *bufio.Scanner) {
	defer close(s.ended)
	lines.Buffer(nil, 1<<20)
	var e Event
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case lines.Text() == "" && e != (Event{}):
			s.events <- e
			e = Event{}
		case name == "event":
			e.Name = value
		case name == "data":
			e.Data += value
		}
	}
}

// Wait returns the first event from now on for which want holds.
func (s *Stream) Wait(what string, want func(Event) bool) Event {
	s.t.Helper()
	timeout := time.After(Patience)
	var seen []Event
	for {
		select {
		case e := <-s.events:
			if want(e) {
				return e
			}
			seen = append(seen, e)
			continue
		default:
		}
		select {
		case e := <-s.events:
			if want(e) {
				return e
			}
			seen = append(seen, e)
		case <-s.ended:
			if len(s.events) == 0 {
				s.t.Fatalf("the stream ended without %s; it had %v", what, seen)
			}
		case <-timeout:
			s.t.Fatalf("no %s on the stream within %v; it had %v", what, Patience, seen)
		}
	}
}

// WaitNamed waits for an event of that name.
func (s *Stream) WaitNamed(name string) Event {
	s.t.Helper()
	return s.Wait("event "+name, func(e Event) bool { return e.Name == name })
}

// WaitEnd waits until the server has ended the stream.
func (s *Stream) WaitEnd() {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(Patience):
		s.t.Fatalf("the stream has not ended within %v", Patience)
	}
}
