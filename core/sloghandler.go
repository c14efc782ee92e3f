package taskflow

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
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
	return &slogHandler{next: next}
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
	return slog.New(&slogHandler{next: next, job: c.job})
}

type slogHandler struct {
	next slog.Handler
	line lineFormat
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
	return &slogHandler{next: h.next.WithAttrs(attrs), line: h.line.withAttrs(attrs), job: h.job}
}

func (h *slogHandler) WithGroup(name string) slog.Handler {
	return &slogHandler{next: h.next.WithGroup(name), line: h.line.withGroup(name), job: h.job}
}

// lineFormat formats a record as one line of a task's log: time, level, message, then the attributes as slog's text handler
// writes them. It takes no lock, because attributes run foreign code, which may log itself or be slow.
type lineFormat struct {
	attrs  string   // those of WithAttrs, formatted, each with a space before it
	groups []string // the open groups
}

func (f lineFormat) withAttrs(attrs []slog.Attr) lineFormat {
	f.attrs += f.text(context.Background(), attrs)
	return f
}

func (f lineFormat) withGroup(name string) lineFormat {
	f.groups = append(slices.Clip(f.groups), name)
	return f
}

func (f lineFormat) format(ctx context.Context, r slog.Record) string {
	attrs := make([]slog.Attr, 0, r.NumAttrs())
	r.Attrs(func(a slog.Attr) bool { attrs = append(attrs, a); return true })
	return logStamp(r.Time) + " " + r.Level.String() + " " + r.Message + f.attrs + f.text(ctx, attrs)
}

// text formats attributes within the open groups, each with a space before it.
func (f lineFormat) text(ctx context.Context, attrs []slog.Attr) string {
	if len(attrs) == 0 {
		return ""
	}
	var out strings.Builder
	var h slog.Handler = slog.NewTextHandler(&out, nil)
	for _, name := range f.groups {
		h = h.WithGroup(name)
	}
	r := slog.NewRecord(time.Time{}, slog.LevelInfo, "", 0)
	r.AddAttrs(attrs...)
	if err := h.Handle(ctx, r); err != nil {
		return " (attributes: " + err.Error() + ")"
	}
	// the line says level and message by itself
	return strings.TrimSuffix(strings.TrimPrefix(out.String(), `level=INFO msg=""`), "\n")
}

func logStamp(t time.Time) string {
	if t.IsZero() {
		t = time.Now()
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}
