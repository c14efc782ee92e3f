package dashboard_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// hostile are strings that a task may write and that must reach the page as text.
var hostile = []string{
	`</script><script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, "{{.}} ${x} `x`",
	"\u202egnp.exe", "nul \x00 byte", "invalid \xff\xfe UTF-8", "\x1b[31mred\x1b[0m\x07", "line\nevent: bye\ndata: {}\n\nid: 9",
	"carriage\rreturn\r\ndata: x", "\u2028\u2029", strings.Repeat("\u0301", 300), "",
}

func TestHostileTextIsOnlyEverData(t *testing.T) {
	t.Parallel()
	for _, text := range hostile {
		s := open(t)
		live := httptest.NewServer(s.h)
		t.Cleanup(live.Close)
		t.Cleanup(s.m.BeginShutdown)
		stream := events(s.dialAt(live, ""))
		receive(t, stream, "hello")
		id := s.run(taskflow.WorkOf(func(ctx context.Context) error {
			taskflow.Logger(ctx).Info(text, slog.String("attr", text))
			return errors.New(text)
		}), taskflow.Tag("k"+text, text))
		e := receive(t, stream, "log")
		decodeText[map[string]any](t, e.data)
		for {
			e := receive(t, stream, "task")
			if got := e.task(t); got.ID != id {
				t.Fatalf("%q: an event of %s, want %s", text, got.ID, id)
			} else if got.Status == "failed" {
				break
			}
		}
		for _, at := range []string{"/", "/?include=logs,stacktrace,args", "/" + id, "/audit", "/functions"} {
			w := s.get(at, http.StatusOK)
			body := w.Body.Bytes()
			if !json.Valid(body) || !utf8.Valid(body) || strings.ContainsAny(w.Body.String(), "<>\x00\x1b\u2028") {
				t.Errorf("%q: GET %s answers %s", text, at, body)
			}
			if got := w.Header().Get("Content-Type"); got != "application/json" {
				t.Errorf("%q: GET %s: Content-Type %q", text, at, got)
			}
		}
	}
}

func TestHostileRequestsAreOnlyEverRefused(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, text := range hostile {
		b, err := json.Marshal(map[string][]string{"task_ids": {text}})
		if err != nil {
			t.Fatal(err)
		}
		if got := decode[replayed](t, s.post("/bulk-retry", http.StatusOK, jsonBody(string(b)))); got.Skipped != 1 {
			t.Errorf("%q: %+v, want it skipped", text, got)
		}
	}
	if entries := s.trail(); len(entries) != len(hostile) {
		t.Errorf("%d entries in the audit trail, want %d", len(entries), len(hostile))
	}
}
