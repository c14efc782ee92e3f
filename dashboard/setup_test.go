package dashboard_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
	"go.uber.org/goleak"
	"golang.org/x/crypto/bcrypt"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errBroken = errors.New("broken")

// The tasks that tests add. hold runs until its context ends.
var (
	ok   = taskflow.Define("ok", func(context.Context, string) error { return nil })
	fail = taskflow.Define("fail", func(context.Context, string) error { return errBroken })
	hold = taskflow.Define("hold", func(ctx context.Context, _ string) error { <-ctx.Done(); return context.Cause(ctx) })
)

// site is a started manager with its dashboard. Every answer that it gives is held to the OpenAPI document.
type site struct {
	t *testing.T
	m *taskflow.Manager
	h *dashboard.Handler
}

func open(t *testing.T, opts ...dashboard.Option) *site {
	t.Helper()
	return openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(ok, fail, hold), taskflow.WithBackend(memory.New())}, opts...)
}

func openWith(t *testing.T, managerOpts []taskflow.ManagerOption, opts ...dashboard.Option) *site {
	t.Helper()
	quiet := taskflow.WithLogger(slog.New(slog.DiscardHandler))
	m, err := taskflow.New(append([]taskflow.ManagerOption{quiet, taskflow.WithStopGrace(time.Second)}, managerOpts...)...)
	if err != nil {
		t.Fatal(err)
	}
	h, err := dashboard.New(m, opts...)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := m.Stop(ctx); err != nil && !errors.Is(err, context.Canceled) { // tests leave tasks behind on purpose
			t.Error(err)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return &site{t, m, h}
}

// run adds work and waits for its end.
func (s *site) run(w taskflow.Work, opts ...taskflow.AddOption) string {
	s.t.Helper()
	handle := s.m.Add(w, opts...)
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Second)
	defer cancel()
	select {
	case <-handle.Done():
	case <-ctx.Done():
		s.t.Fatalf("task %s did not end", handle.ID())
	}
	return handle.ID()
}

func (s *site) runOK() string   { s.t.Helper(); return s.run(taskflow.WorkOf(ok.With("a"))) }
func (s *site) runFail() string { s.t.Helper(); return s.run(taskflow.WorkOf(fail.With("a"))) }

// change alters a request before it is sent.
type change func(*http.Request)

func header(name, value string) change { return func(r *http.Request) { r.Header.Set(name, value) } }

func from(addr string) change { return func(r *http.Request) { r.RemoteAddr = addr } }

func host(name string) change { return func(r *http.Request) { r.Host = name } }

func jsonBody(body string) change {
	return func(r *http.Request) {
		r.Header.Set("Content-Type", "application/json")
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	}
}

func browser(r *http.Request) {
	r.Header.Set("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
}

func cookie(c *http.Cookie) change { return func(r *http.Request) { r.AddCookie(c) } }

func newRequest(ctx context.Context, method, target string, changes []change) *http.Request {
	r := httptest.NewRequestWithContext(ctx, method, "/tasks"+target, nil)
	r.URL.Path = strings.TrimPrefix(r.URL.Path, "/tasks") // as http.StripPrefix does
	r.RemoteAddr, r.Host = "127.0.0.1:50000", "localhost:8080"
	for _, c := range changes {
		c(r)
	}
	return r
}

// do sends a request from this machine, and fails the test when the answer's status is another.
func (s *site) do(method, target string, want int, changes ...change) *httptest.ResponseRecorder {
	s.t.Helper()
	r := newRequest(s.t.Context(), method, target, changes)
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, r)
	if w.Code != want {
		s.t.Fatalf("%s %s: status %d, want %d: %s", method, target, w.Code, want, w.Body)
	}
	if csp := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; script-src 'self';") {
		s.t.Errorf("%s %s: Content-Security-Policy %q", method, target, csp)
	}
	conform(s.t, r, w)
	return w
}

func (s *site) get(target string, want int, changes ...change) *httptest.ResponseRecorder {
	s.t.Helper()
	return s.do(http.MethodGet, target, want, changes...)
}

func (s *site) post(target string, want int, changes ...change) *httptest.ResponseRecorder {
	s.t.Helper()
	return s.do(http.MethodPost, target, want, changes...)
}

func decode[T any](t *testing.T, w *httptest.ResponseRecorder) T {
	t.Helper()
	return decodeText[T](t, w.Body.String())
}

func decodeText[T any](t *testing.T, text string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("decode %s: %v", text, err)
	}
	return v
}

// detail is what a problem document tells.
func detail(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
		t.Fatalf("Content-Type %q, want application/problem+json: %s", got, w.Body)
	}
	return decode[struct{ Detail string }](t, w).Detail
}

type task struct {
	ID        string   `json:"task_id"`
	Name      string   `json:"func_name"`
	Status    string   `json:"status"`
	Error     *string  `json:"error"`
	Logs      []string `json:"logs"`
	LogCount  int      `json:"log_count"`
	Stack     *string  `json:"stacktrace"`
	Tags      map[string]string
	Source    string
	RetryOf   *string `json:"retry_of"`
	RetriedBy *string `json:"retried_by"`
	Args      json.RawMessage
}

func (s *site) list(target string) []task {
	s.t.Helper()
	return decode[[]task](s.t, s.get(target, http.StatusOK))
}

func ids(tasks []task) []string {
	all := []string{}
	for _, t := range tasks {
		all = append(all, t.ID)
	}
	return all
}

type auditEntry struct {
	Action string
	TaskID string `json:"task_id"`
	Actor  string
	Remote string
	Detail map[string]any
}

func (s *site) trail(changes ...change) []auditEntry {
	s.t.Helper()
	return decode[[]auditEntry](s.t, s.get("/audit", http.StatusOK, changes...))
}

func cheapHash(t *testing.T, password string) string {
	t.Helper()
	h, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return string(h)
}
