package taskflow

import (
	"context"
	"log/slog"
)

// Observer is told about every change of every task: for logs, metrics, notifications. Calls come one after the other from a
// goroutine of the manager, a little after the fact, and never hold up a task. An observer that is too slow misses the
// oldest events: lost counts those that it missed right before these. The slice is reused after the call.
type Observer interface {
	Observe(events []Event, lost uint64)
}

// ObserverFunc is a function as an Observer.
type ObserverFunc func(events []Event, lost uint64)

// Observe calls f.
func (f ObserverFunc) Observe(events []Event, lost uint64) { f(events, lost) }

// observe feeds o until the manager has stopped and everything was told. Manager.services waits for it.
func (m *Manager) observe(o Observer, s *Subscription) {
	defer s.Close()
	buf := make([]Event, 0, 256)
	for {
		events, lost, err := s.Next(context.Background(), buf)
		if err != nil {
			return // the hub was closed
		}
		m.tell(o, events, lost)
		clear(buf[:cap(buf)])
	}
}

// tell keeps a panic of an observer from ending the process.
func (m *Manager) tell(o Observer, events []Event, lost uint64) {
	defer func() {
		if p := recover(); p != nil {
			m.log.Error("taskflow: observer panicked", "panic", p)
		}
	}()
	o.Observe(events, lost)
}

// LogObserver returns an observer that writes every change to l: failures at level Error, retries and refusals at Warn, the
// rest at Info. Lines of the tasks' own logs and reports of progress are left out.
func LogObserver(l *slog.Logger) Observer {
	return ObserverFunc(func(events []Event, lost uint64) {
		ctx := context.Background()
		if lost > 0 {
			l.LogAttrs(ctx, slog.LevelWarn, "task events missed", slog.Uint64("count", lost))
		}
		for i := range events {
			if e := &events[i]; e.Kind != EventLog && e.Kind != EventProgress {
				l.LogAttrs(ctx, eventLevel(e), "task", eventAttrs(e)...)
			}
		}
	})
}

func eventLevel(e *Event) slog.Level {
	switch {
	case e.Kind == EventLinked:
		return slog.LevelInfo
	case e.Task.Status == StatusFailed:
		return slog.LevelError
	case e.Kind == EventRetrying, e.Task.Status == StatusInterrupted, e.Task.Status == StatusCancelled:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

func eventAttrs(e *Event) []slog.Attr {
	t := &e.Task
	attrs := []slog.Attr{
		slog.String("event", string(e.Kind)), slog.String("task_id", t.ID), slog.String("task", t.Name),
		slog.String("status", string(t.Status)), slog.Int("attempt", t.Attempts),
	}
	if e.Kind == EventFinished {
		attrs = append(attrs, slog.Duration("duration", t.Duration()))
	}
	if t.Error != "" {
		attrs = append(attrs, slog.String("error", t.Error))
	}
	return attrs
}
