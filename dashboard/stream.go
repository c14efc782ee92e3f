package dashboard

import (
	"fmt"
	"net/http"
	"time"
)

const (
	reconnectAfter = 2 * time.Second
	batchBytes     = 64 << 10 // written to a viewer at once
)

// stream answers GET /dashboard/stream with server-sent events:
//
//	hello  first: {"instance", "resumed"}; resumed false means that the list must be loaded
//	task   a task's new state, as in the list
//	log    lines that a task logged: {"task_id", "lines", "log_count"}
//	progress   {"task_id", "progress"}: how far a running task is
//	operation  how an operation goes, as in /operations
//	counts     how many tasks there are in each status, at most once a second
//	reset  {"reason", "missed"}: some changes are not in the stream, the list must be loaded again
//	bye    {"reason"}: the stream ends, because of "shutdown" or because the "session" is over
//
// Events but hello and bye have an id, from which a viewer that reconnects goes on. Changes of tasks on other instances are in the stream too, up to 2 s
// late.
func (h *Handler) stream(w http.ResponseWriter, r *http.Request) error {
	if !canFlush(w) {
		return refuse(http.StatusNotImplemented, "a middleware in front of the dashboard buffers answers, so it cannot stream; poll the list instead")
	}
	v, err := h.feed.join(r.Header.Get("Last-Event-ID"))
	if err != nil {
		return err
	}
	defer h.feed.leave()
	head := w.Header()
	head.Set("Content-Type", "text/event-stream")
	head.Set("Cache-Control", "no-cache, no-transform")
	head.Set("X-Accel-Buffering", "no") // nginx would collect events otherwise
	s := &streamWriter{w: w, rc: http.NewResponseController(w), timeout: h.cfg.writeTimeout}
	defer s.deadline() // net/http sends what is still buffered when this has returned, perhaps to a stuck viewer, and lifts the deadline then
	s.deadline()
	w.WriteHeader(http.StatusOK)
	if err := h.watch(r, s, v); err != nil {
		h.m.Logger().Debug("dashboard: stream ended", "remote", r.RemoteAddr, "error", err)
	}
	return nil
}

// watch writes until the client, the session, or the manager is gone, or the client is stuck.
func (h *Handler) watch(r *http.Request, s *streamWriter, v *viewer) error {
	hello := fmt.Appendf(nil, "retry: %d\nid: %s\nevent: hello\ndata: {\"instance\":%q,\"resumed\":%t}\n\n",
		reconnectAfter.Milliseconds(), v.b.position(v.seen), h.m.Instance(), v.resumed)
	if err := s.write(hello); err != nil {
		return err
	}
	beat := time.NewTicker(h.cfg.heartbeat)
	defer beat.Stop()
	var expired <-chan time.Time
	session := sessionOf(r)
	if session != nil {
		t := time.NewTimer(time.Until(session.expires()))
		defer t.Stop()
		expired = t.C
	}
	for {
		var logouts <-chan struct{} // taken before the session is looked at, so that no logout is overlooked
		if session != nil {
			if logouts = h.auth.sessions.logouts(); !h.auth.sessions.valid(session) {
				return s.bye("session")
			}
		}
		messages, seen, more, ok := v.b.after(v.seen, batchBytes)
		if !ok {
			messages = [][]byte{fmt.Appendf(nil, "id: %s\nevent: reset\ndata: {\"reason\":\"slow\",\"missed\":%d}\n\n", v.b.position(seen), seen-v.seen)}
		}
		v.seen = seen
		if len(messages) > 0 {
			if err := s.write(messages...); err != nil {
				return err
			}
			if r.Context().Err() == nil && !isClosed(h.m.Draining()) {
				continue
			}
		}
		select {
		case <-more:
		case <-beat.C:
			if err := s.write([]byte(": hb\n\n")); err != nil {
				return err
			}
		case <-logouts:
		case <-expired:
		case <-r.Context().Done():
			return r.Context().Err()
		case <-h.m.Draining():
			return s.bye("shutdown")
		case <-h.feed.ending:
			return s.bye("shutdown")
		case <-v.b.done:
			return s.bye("shutdown")
		}
	}
}

// streamWriter writes to one viewer. Every write has a deadline of its own, which both outlives http.Server.WriteTimeout and
// frees the stream of a viewer that has stopped reading.
type streamWriter struct {
	w       http.ResponseWriter
	rc      *http.ResponseController
	timeout time.Duration
	failed  bool // by send: the client has gone, or is stuck
}

// deadline sets the write deadline. A writer without one belongs to a test or an adapter that has its own.
func (s *streamWriter) deadline() { _ = s.rc.SetWriteDeadline(time.Now().Add(s.timeout)) }

func (s *streamWriter) write(messages ...[]byte) error {
	s.deadline()
	for _, m := range messages {
		if _, err := s.w.Write(m); err != nil {
			return fmt.Errorf("write to the viewer: %w", err)
		}
	}
	if err := s.rc.Flush(); err != nil {
		return fmt.Errorf("flush to the viewer: %w", err)
	}
	return nil
}

func (s *streamWriter) bye(reason string) error {
	return s.write(fmt.Appendf(nil, "event: bye\ndata: {\"reason\":%q}\n\n", reason))
}

// canFlush looks at the innermost writer: some frameworks' Flush does nothing, or panics, when the writer under it cannot flush.
func canFlush(w http.ResponseWriter) bool {
	for {
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			break
		}
		w = u.Unwrap()
	}
	switch w.(type) {
	case http.Flusher, interface{ FlushError() error }:
		return true
	}
	return false
}
