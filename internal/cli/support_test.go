package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/internal/backendurl"
)

// noon is when the commands of tests begin.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// tool runs command lines on backends in memory: redis://NAME is one of each name. Time passes by a millisecond with each look at the
// clock, and ids are made of the time alone.
type tool struct {
	t   *testing.T
	app *app

	mu     sync.Mutex
	now    time.Time
	stores map[string]*memory.Backend
	wrap   func(storage) storage // what a test puts around the backends
}

func newTool(t *testing.T) *tool {
	t.Helper()
	tl := &tool{t: t, now: noon, stores: map[string]*memory.Backend{}, wrap: func(s storage) storage { return s }}
	tl.app = &app{
		now: tl.tick, newID: lowestID, env: func(string) (string, bool) { return "", false },
		in:    strings.NewReader("correct horse\r\nnot this\n"),
		hash:  func(password string) (string, error) { return "$argon2id$v=19$of " + password, nil },
		actor: taskflow.AuditEntry{Actor: "ada", Remote: "command line on laptop"},
		open: map[backendurl.Kind]opener{backendurl.Redis: func(u backendurl.URL, _ *slog.Logger, _ bool) (storage, error) {
			return tl.wrap(lasts{tl.store(u.String())}), nil
		}},
	}
	return tl
}

func lowestID(t time.Time) string { id, _ := taskflow.IDBounds(t); return id }

func (tl *tool) tick() time.Time {
	tl.mu.Lock()
	defer tl.mu.Unlock()
	tl.now = tl.now.Add(time.Millisecond)
	return tl.now
}

// store is the backend behind a URL.
func (tl *tool) store(url string) *memory.Backend {
	tl.mu.Lock()
	defer tl.mu.Unlock()
	if tl.stores[url] == nil {
		tl.stores[url] = memory.New()
	}
	return tl.stores[url]
}

// lasts is a backend in memory that outlives its Close, as one on a disk does.
type lasts struct{ storage }

func (lasts) Close() error { return nil }

// result is what a command line came to.
type result struct {
	code     int
	out, err string
}

func (tl *tool) run(args ...string) result {
	tl.t.Helper()
	return tl.runWith(tl.t.Context(), args...)
}

func (tl *tool) runWith(ctx context.Context, args ...string) result {
	tl.t.Helper()
	var out, err bytes.Buffer
	a := *tl.app
	code := a.run(ctx, args, &out, &err)
	return result{code, out.String(), err.String()}
}

// want compares; outputs are compared without the spaces around them.
func (r result) want(t *testing.T, code int, out, err string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d", r.code, code)
	}
	if got, want := strings.TrimSpace(r.out), strings.TrimSpace(out); got != want {
		t.Errorf("stdout:\n%s\nwant:\n%s", got, want)
	}
	if got, want := strings.TrimSpace(r.err), strings.TrimSpace(err); got != want {
		t.Errorf("stderr:\n%s\nwant:\n%s", got, want)
	}
}

// lines decodes lines of JSON.
func (r result) lines(t *testing.T) (all []map[string]any) {
	t.Helper()
	for line := range strings.Lines(r.out) {
		var v map[string]any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("%q is no JSON: %v", line, err)
		}
		all = append(all, v)
	}
	return all
}

func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// at makes a record that was added so long before noon.
func at(ago time.Duration, name string, status taskflow.Status) taskflow.Record {
	added := noon.Add(-ago)
	r := taskflow.Record{
		ID: lowestID(added), Name: name, Status: status, Source: taskflow.SourceManual, Pool: "default", CreatedAt: added, Args: json.RawMessage(`"x"`),
	}
	if status.Final() {
		r.StartTime, r.EndTime, r.Attempts = added.Add(time.Millisecond), added.Add(1251*time.Millisecond), 1
	}
	return r
}

// shop is a history with something of everything.
type shop struct{ sent, failed, closure, cancelled, interrupted, waiting, running, memoryOnly taskflow.Record }

const holder = "01a21356dfd5e26fefff"

func newShop() shop {
	s := shop{
		sent:        at(3*time.Hour, "send_email", taskflow.StatusSuccess),
		failed:      at(2*time.Hour, "send_email", taskflow.StatusFailed),
		closure:     at(100*time.Minute, "web/signup.go:42", taskflow.StatusFailed),
		cancelled:   at(90*time.Minute, "resize", taskflow.StatusCancelled),
		interrupted: at(80*time.Minute, "report", taskflow.StatusInterrupted),
		waiting:     at(30*time.Minute, "resize", taskflow.StatusPending),
		running:     at(20*time.Minute, "report", taskflow.StatusRunning),
		memoryOnly:  at(10*time.Minute, "web/signup.go:57", taskflow.StatusRunning),
	}
	s.sent.Tags = map[string]string{"user": "ada", "source": "signup"}
	s.failed.Error, s.failed.Attempts, s.failed.MaxRetries = "dial tcp 10.0.0.7:25: connection refused", 3, 2
	s.failed.Tags = map[string]string{"user": "bob"}
	s.failed.Args = json.RawMessage(`{"to":"bob@example.com"}`)
	s.failed.Logs = []string{"2026-03-01T10:00:00.001Z INFO connecting to=bob@example.com", "2026-03-01T10:00:00.900Z WARN taskflow: attempt 1 failed: dial tcp 10.0.0.7:25: connection refused"}
	s.failed.LogCount = 2
	s.failed.Priority, s.failed.Durable, s.failed.Owner = 5, true, holder
	s.closure.Closure, s.closure.Args, s.closure.Error = true, nil, "panic: assignment to entry in nil map"
	s.closure.Stack = "goroutine 7 [running]:\n\tmain.signup()\n"
	s.cancelled.StartTime, s.cancelled.Attempts, s.cancelled.Error = time.Time{}, 0, "task cancelled: not needed"
	s.interrupted.Error = "task interrupted: the process ended while it ran"
	s.waiting.RunAt, s.waiting.Durable, s.waiting.Requeue, s.waiting.Key = noon.Add(time.Hour), true, true, "order 7"
	s.running.StartTime, s.running.Attempts, s.running.Owner, s.running.Durable = noon.Add(-19*time.Minute), 1, holder, true
	s.memoryOnly.StartTime, s.memoryOnly.Attempts, s.memoryOnly.Closure, s.memoryOnly.Owner, s.memoryOnly.Args = noon.Add(-9*time.Minute), 1, true, holder, nil
	return s
}

func (s *shop) finished() []taskflow.Record {
	return []taskflow.Record{s.sent, s.failed, s.closure, s.cancelled, s.interrupted}
}

// fill stores the shop, without the instance that holds some of its tasks.
func (s *shop) fill(t *testing.T, b storage) {
	t.Helper()
	must[int](t)(b.Save(t.Context(), s.finished()))
	noError(t, b.PutPending(t.Context(), []taskflow.Record{s.waiting, s.running}))
}

// instance is the one that holds tasks of the shop.
func (s *shop) instance() taskflow.Instance {
	return taskflow.Instance{
		ID: holder, Host: "web-1", PID: 4711, Program: "shop", Version: "v1.4.0", StartedAt: noon.Add(-24 * time.Hour), Running: 2, Waiting: 1,
		Live: []taskflow.Record{s.memoryOnly.Summary()},
	}
}

// seenAt replaces what the backend's clock says of instances, which is not the clock of the tests.
type seenAt struct{ storage }

func (s seenAt) Instances(ctx context.Context) ([]taskflow.Instance, error) {
	all, err := s.storage.Instances(ctx)
	for i := range all {
		all[i].SeenAt, all[i].ExpiresAt = noon.Add(-3*time.Second), noon.Add(12*time.Second)
	}
	return all, err
}

// opened returns a tool whose redis://shop holds the shop, with its instance running.
func opened(t *testing.T) (*tool, shop, *memory.Backend) {
	t.Helper()
	tl, s := newTool(t), newShop()
	tl.wrap = func(b storage) storage { return seenAt{b} }
	b := tl.store("redis://shop")
	noError(t, b.Join(t.Context(), s.instance(), time.Hour))
	s.fill(t, b)
	return tl, s, b
}

func ids(records ...taskflow.Record) string {
	var all []string
	for _, r := range records {
		all = append(all, r.ID)
	}
	return fmt.Sprint(all)
}
