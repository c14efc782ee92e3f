package dashboard_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
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

func TestTitleIsEscaped(t *testing.T) {
	t.Parallel()
	const title = `</title><script>alert("1")</script>`
	s := open(t, dashboard.Title(title), dashboard.User("ada", cheapHash(t, "secret")))
	c := s.login("ada", "secret")
	for _, page := range []string{s.get("/dashboard", http.StatusOK, cookie(c)).Body.String(), s.get("/auth/login", http.StatusOK).Body.String()} {
		if strings.Contains(page, "<script>alert") || !strings.Contains(page, "&lt;script&gt;") {
			t.Errorf("the title is not escaped:\n%s", page)
		}
	}
}

func TestPageObeysItsContentSecurityPolicy(t *testing.T) {
	t.Parallel()
	s := open(t, dashboard.User("ada", cheapHash(t, "secret")))
	c := s.login("ada", "secret")
	pages := s.get("/dashboard", http.StatusOK, cookie(c)).Body.String() + s.get("/auth/login", http.StatusOK).Body.String()
	for what, pattern := range map[string]string{
		"an inline script": `<script[^>]*>[^<]`, "an inline style": `<style|\sstyle=`, "an event handler": `\son[a-z]+=`,
		"an absolute address": `(src|href|action)="(/|https?:|//|data:|javascript:)`,
	} {
		if found := regexp.MustCompile(pattern).FindString(pages); found != "" {
			t.Errorf("the pages have %s: %q", what, found)
		}
	}
	script := s.get("/dashboard/app.js", http.StatusOK, cookie(c)).Body.String()
	for _, banned := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "DOMParser", "srcdoc", "setHTMLUnsafe"} {
		if strings.Contains(script, banned) {
			t.Errorf("the script uses %s", banned)
		}
	}
}

func TestAssetsAreRevalidated(t *testing.T) {
	t.Parallel()
	s := open(t)
	for at, file := range map[string]string{"/dashboard/app.js": "ui/app.js", "/dashboard/app.css": "ui/app.css"} {
		w := s.get(at, http.StatusOK)
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if w.Body.String() != string(want) || w.Header().Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: other text than %s, or Cache-Control %q", at, file, w.Header().Get("Cache-Control"))
		}
		s.get(at, http.StatusNotModified, header("If-None-Match", w.Header().Get("ETag")))
	}
}

func TestDashboardPageIsServed(t *testing.T) {
	t.Parallel()
	w := open(t, dashboard.Title("Jobs of Ada")).get("/dashboard", http.StatusOK)
	body := w.Body.String()
	if !strings.Contains(body, "<title>Jobs of Ada</title>") || strings.Contains(body, "Sign out") {
		t.Errorf("the page has another title, or a sign-out without users:\n%s", body)
	}
	if got := w.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q, want no-store", got)
	}
}
