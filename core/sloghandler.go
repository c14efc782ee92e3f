package taskflow

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"
)

// SlogHandler returns a handler that passes everything on to next, and moreover writes what is logged with a task's context
// (slog.InfoContext and so on, anywhere below the task) into that task's log: at level Info and above, and
// at lower levels that next is enabled for. Use it once, in main:
//
//	slog.SetDefault(slog.New(taskflow.SlogHandler(slog.NewTextHandler(os.Stderr, nil))))
//
// The handler of an untouched slog.Default cannot be wrapped (it writes to package log, which SetDefault leads back to
// slog, for ever); a text handler on standard error takes its place.
func SlogHandler(next slog.Handler) slog.Handler {
	switch n := next.(type) {
	case nil:
		next = slog.DiscardHandler
	case *slogHandler:
		return n
	default:
		if fmt.Sprintf("%T", next) == "*slog.defaultHandler" {
			next = slog.NewTextHandler(os.Stderr, nil)
		}
	}
	return &slogHandler{next: next, line: newLineHandler()}
}

// Logger returns a logger that writes into the log of ctx's task, and to the manager's logger with the task's id and
// name. Outside a task it is slog.Default(). It works without SlogHandler; with it, nothing is written twice.
func Logger(ctx context.Context) *slog.Logger {
	c := taskContextFrom(ctx)
	if c == nil {
		return slog.Default()
	}
	next := c.job.m.log.Handler()
	if wrapped, ok := next.(*slogHandler); ok {
		next = wrapped.next
	}
	next = next.WithAttrs([]slog.Attr{slog.String("task_id", c.job.id.String()), slog.String("task", c.job.name)})
	return slog.New(&slogHandler{next: next, line: newLineHandler(), job: c.job})
}

type slogHandler struct {
	next slog.Handler
	line lineHandler
	job  *job // nil: the one of the context
}

func (h *slogHandler) jobOf(ctx context.Context) *job {
	if h.job != nil {
		return h.job
	}
	if c := taskContextFrom(ctx); c != nil {
		return c.job
	}
	return nil
}

func (h *slogHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level) || level >= slog.LevelInfo && h.jobOf(ctx) != nil
}

func (h *slogHandler) Handle(ctx context.Context, r slog.Record) error {
	if j := h.jobOf(ctx); j != nil {
		j.logLine(h.line.format(ctx, r))
	}
	if h.next.Enabled(ctx, r.Level) {
		return h.next.Handle(ctx, r)
	}
	return nil
}

func (h *slogHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &slogHandler{next: h.next.WithAttrs(attrs), line: h.line.with(h.line.text.WithAttrs(attrs)), job: h.job}
}

func (h *slogHandler) WithGroup(name string) slog.Handler {
	return &slogHandler{next: h.next.WithGroup(name), line: h.line.with(h.line.text.WithGroup(name)), job: h.job}
}

// lineHandler formats a record as one line of a task's log: time, level, message, then the attributes as slog's text
// handler writes them. The handlers derived from one another share a buffer.
type lineHandler struct {
	text slog.Handler
	out  *lineBuffer
}

type lineBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *lineBuffer) Write(p []byte) (int, error) { return o.b.Write(p) }

func newLineHandler() lineHandler {
	out := &lineBuffer{}
	text := slog.NewTextHandler(out, &slog.HandlerOptions{
		Level: slog.Level(-1 << 30),
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && (a.Key == slog.LevelKey && a.Value.Kind() == slog.KindAny || a.Key == slog.MessageKey && a.Value.String() == "") {
				return slog.Attr{} // the line says them by itself
			}
			return a
		},
	})
	return lineHandler{text: text, out: out}
}

func (l lineHandler) with(text slog.Handler) lineHandler { return lineHandler{text: text, out: l.out} }

func (l lineHandler) format(ctx context.Context, r slog.Record) string {
	head := logStamp(r.Time) + " " + r.Level.String() + " " + r.Message
	attrs := slog.NewRecord(time.Time{}, r.Level, "", 0)
	r.Attrs(func(a slog.Attr) bool { attrs.AddAttrs(a); return true })
	l.out.mu.Lock()
	defer l.out.mu.Unlock()
	l.out.b.Reset()
	if err := l.text.Handle(ctx, attrs); err != nil {
		return head + " (attributes: " + err.Error() + ")"
	}
	if tail := strings.TrimSpace(l.out.b.String()); tail != "" {
		return head + " " + tail
	}
	return head
}

func logStamp(t time.Time) string {
	if t.IsZero() {
		t = time.Now()
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}
