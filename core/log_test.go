package taskflow_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/slogtest"
	"testing/synctest"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func TestTaskLogThroughSlog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var process bytes.Buffer
		l := slog.New(taskflow.SlogHandler(slog.NewTextHandler(&process, &slog.HandlerOptions{Level: slog.LevelWarn})))
		m := started(t)
		h := add(m, func(ctx context.Context) error {
			l.DebugContext(ctx, "too quiet")
			l.InfoContext(ctx, "connecting", "to", "a b", "port", 25)
			l.With("user", 7).WithGroup("smtp").WarnContext(ctx, "slow", "after", time.Second)
			l.Info("no context: not the task's")
			time.Sleep(time.Second)
			return errFlaky
		}, taskflow.Retry(1, nil))
		<-h.Done()
		want := `2000-01-01T00:00:00.000Z INFO connecting to="a b" port=25
2000-01-01T00:00:00.000Z WARN slow user=7 smtp.after=1s
2000-01-01T00:00:01.000Z WARN taskflow: attempt 1 failed: flaky
--- Retry 1 ---
2000-01-01T00:00:01.000Z INFO connecting to="a b" port=25
2000-01-01T00:00:01.000Z WARN slow user=7 smtp.after=1s`
		if r := h.Record(); strings.Join(r.Logs, "\n") != want || r.LogCount != 6 {
			t.Errorf("the log of %d lines is\n%s\nwant\n%s", r.LogCount, strings.Join(r.Logs, "\n"), want)
		}
		if got := process.String(); strings.Count(got, "msg=slow user=7 smtp.after=1s") != 2 || strings.Contains(got, "connecting") {
			t.Errorf("the process's log is %q", got)
		}
	})
}

func TestTaskLogThroughLogger(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]func(io.Writer) slog.Handler{
		"plain":   func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) },
		"wrapped": func(w io.Writer) slog.Handler { return taskflow.SlogHandler(slog.NewTextHandler(w, nil)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var process bytes.Buffer
			m := started(t, taskflow.WithLogger(slog.New(handler(&process))))
			h := add(m, func(ctx context.Context) { taskflow.Logger(ctx).With("n", 1).InfoContext(ctx, "hello") }, taskflow.Name("greeter"))
			<-h.Done()
			if logs := h.Record().Logs; len(logs) != 1 || !strings.HasSuffix(logs[0], " INFO hello n=1") {
				t.Errorf("the task's log is %q", logs)
			}
			if got := process.String(); strings.Count(got, "hello") != 1 || !strings.Contains(got, "task_id="+h.ID()+" task=greeter n=1") {
				t.Errorf("the process's log is %q", got)
			}
		})
	}
	if taskflow.Logger(t.Context()) != slog.Default() {
		t.Error("outside a task it is not slog.Default")
	}
}

func TestSlogHandlerFollowsTheRulesOfHandlers(t *testing.T) {
	t.Parallel()
	var buf bytes.Buffer
	err := slogtest.TestHandler(taskflow.SlogHandler(slog.NewJSONHandler(&buf, nil)), func() []map[string]any { return parseLines(t, buf.Bytes()) })
	if err != nil {
		t.Error(err)
	}
}

func TestSlogHandlerOfTheUntouchedDefault(t *testing.T) {
	t.Parallel()
	// Wrapped as it is, it would lead back to itself once it is the default.
	h := taskflow.SlogHandler(slog.Default().Handler())
	if !h.Enabled(t.Context(), slog.LevelInfo) || taskflow.SlogHandler(h) != h {
		t.Error("not a usable handler, or wrapped twice")
	}
	if taskflow.SlogHandler(nil).Enabled(t.Context(), slog.LevelError) {
		t.Error("a handler of nothing is enabled")
	}
}

func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	m := started(t)
	many := add(m, func(ctx context.Context) {
		l := taskflow.Logger(ctx)
		for i := range 5000 {
			l.Info(fmt.Sprintf("line %d", i))
		}
	})
	long := add(m, func(ctx context.Context) {
		for range 500 {
			taskflow.Logger(ctx).Info(strings.Repeat("x", 4<<10))
		}
		taskflow.Logger(ctx).Info(strings.Repeat("y", 1<<20))
	})
	<-many.Done()
	<-long.Done()
	r := many.Record()
	if n := len(r.Logs); n != taskflow.MaxLogLines+1 || r.LogCount != n {
		t.Errorf("%d lines kept, %d counted", n, r.LogCount)
	}
	if !strings.HasSuffix(r.Logs[0], "line 0") || r.Logs[100] != "--- 4000 lines dropped ---" || !strings.HasSuffix(r.Logs[1000], "line 4999") {
		t.Errorf("first %q, then %q, last %q", r.Logs[0], r.Logs[100], r.Logs[1000])
	}
	r = long.Record()
	size := 0
	for _, line := range r.Logs {
		size += len(line)
	}
	if last := r.Logs[len(r.Logs)-1]; size > taskflow.MaxLogBytes+100 || len(last) != taskflow.MaxLogLine || !strings.HasSuffix(last, "[truncated]") {
		t.Errorf("%d bytes kept, the last line has %d", size, len(last))
	}
}

func TestHostileTextIsKeptAndCleaned(t *testing.T) {
	t.Parallel()
	m := started(t)
	for in, want := range map[string]string{
		"</script><script>alert(1)</script>": "</script><script>alert(1)</script>", // it is text; what shows it escapes it
		"\x1b[31mred\x1b[0m":                 "\x1b[31mred\x1b[0m",
		"مرحبا \u202e evil 😀":                "مرحبا \u202e evil 😀",
		"bad \xff\xfe utf-8":                 "bad \uFFFD utf-8",
		"nul \x00 byte":                      "nul \uFFFD byte",
	} {
		h := add(m, func(ctx context.Context) { taskflow.Logger(ctx).Info(in) }, taskflow.Tag("k", in))
		<-h.Done()
		if r := h.Record(); !strings.HasSuffix(r.Logs[0], "INFO "+want) || r.Tags["k"] != want {
			t.Errorf("%q is kept as %q and %q", in, r.Logs[0], r.Tags["k"])
		}
	}
}

func TestHostileTextStaysWithinTheLimits(t *testing.T) {
	t.Parallel()
	m := started(t)
	for _, in := range []string{strings.Repeat("\x00", 10_000), strings.Repeat("x\xff", 5_000)} {
		h := add(m, func(ctx context.Context) error {
			taskflow.Logger(ctx).Info(in)
			return errors.New(in)
		}, taskflow.Tag("k", in))
		<-h.Done()
		r := wantStatus(t, h, taskflow.StatusFailed)
		e, l, v := len(r.Error), len(r.Logs[0]), len(r.Tags["k"])
		if e > taskflow.MaxErrorBytes || l > taskflow.MaxLogLine || v > taskflow.MaxTagBytes {
			t.Errorf("%.4q…: an error of %d bytes, a log line of %d, a tag's value of %d", in, e, l, v)
		}
	}
}

// valuer is an attribute whose value is made by foreign code.
type valuer func() string

func (f valuer) LogValue() slog.Value { return slog.StringValue(f()) }

func TestAttributeMayLogItself(t *testing.T) {
	t.Parallel()
	m := started(t)
	l := slog.New(taskflow.SlogHandler(slog.DiscardHandler))
	for name, log := range map[string]func(ctx context.Context, v slog.LogValuer){
		"SlogHandler":       func(ctx context.Context, v slog.LogValuer) { l.InfoContext(ctx, "outer", "v", v) },
		"SlogHandler, With": func(ctx context.Context, v slog.LogValuer) { l.With("v", v).InfoContext(ctx, "outer") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := add(m, func(ctx context.Context) {
				log(ctx, valuer(func() string {
					taskflow.Logger(ctx).Info("inner of Logger")
					l.InfoContext(ctx, "inner of SlogHandler")
					return "x"
				}))
			})
			wantDone(t, h)
			got := h.Record().Logs
			for i, want := range []string{"inner of Logger", "inner of SlogHandler", "outer v=x"} {
				if len(got) != 3 || !strings.HasSuffix(got[i], " INFO "+want) {
					t.Fatalf("the log is %q", got)
				}
			}
		})
	}
}

func TestSlowAttributeHoldsUpNoOtherTask(t *testing.T) {
	t.Parallel()
	m := started(t, taskflow.WithConcurrency(2))
	l := slog.New(taskflow.SlogHandler(slog.DiscardHandler)).With("by", "both")
	begun, end := make(chan struct{}), make(chan struct{})
	finish := sync.OnceFunc(func() { close(end) })
	defer finish()
	slow := add(m, func(ctx context.Context) {
		l.InfoContext(ctx, "slow", "v", valuer(func() string { close(begun); <-end; return "x" }))
	})
	<-begun
	quick := add(m, func(ctx context.Context) { l.WithGroup("g").InfoContext(ctx, "quick", "n", 1) })
	wantDone(t, quick)
	finish()
	wantDone(t, slow)
	for want, h := range map[string]taskflow.Handle{" INFO slow by=both v=x": slow, " INFO quick by=both g.n=1": quick} {
		if logs := h.Record().Logs; len(logs) != 1 || !strings.HasSuffix(logs[0], want) {
			t.Errorf("the log is %q, want one line that ends in %q", logs, want)
		}
	}
}

// wantDone waits for a task whose hanging is what the test is about.
func wantDone(t *testing.T, h taskflow.Handle) {
	t.Helper()
	select {
	case <-h.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("the task hangs")
	}
}

func TestAttributesThatAreCalledLikeTheLinesOwn(t *testing.T) {
	t.Parallel()
	m := started(t)
	h := add(m, func(ctx context.Context) {
		taskflow.Logger(ctx).Info("said", slog.Any("level", slog.LevelWarn), slog.String("msg", ""), slog.Group("empty"))
	})
	<-h.Done()
	if logs := h.Record().Logs; len(logs) != 1 || !strings.HasSuffix(logs[0], ` INFO said level=WARN msg=""`) {
		t.Errorf("the log is %q", logs)
	}
}

func TestConcurrentLinesOfOneTask(t *testing.T) {
	t.Parallel()
	m := started(t)
	var late *slog.Logger
	h := add(m, func(ctx context.Context) {
		late = taskflow.Logger(ctx)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for i := range 50 {
					taskflow.Logger(ctx).Info("x", "i", i)
				}
			})
		}
		wg.Wait()
	})
	<-h.Done()
	late.Info("after the end")
	if n := len(h.Record().Logs); n != 400 {
		t.Errorf("%d lines, want 400: none lost, none after the end", n)
	}
}
