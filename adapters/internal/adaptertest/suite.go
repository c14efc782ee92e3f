package adaptertest

import (
	"context"
	"log/slog"
	"net/http"
	"testing"

	"github.com/taskflow-go/taskflow/adapters/internal/lifecycle"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// Suite holds an adapter to everything that all of them promise.
func Suite(t *testing.T, f Framework) {
	if f.Traits().NetHTTP { // alone, so that nothing overloads the machine
		t.Run("HTTP2Order", func(t *testing.T) { testHTTP2Order(t, f) })
		t.Run("NetHTTP", func(t *testing.T) { t.Parallel(); testNetHTTP(t, f) })
	}
	for _, topic := range []struct {
		name string
		test func(*testing.T, Framework)
	}{
		{"Response", testResponse},
		{"Values", testValues},
		{"Fate", testFate},
		{"Clients", testClients},
		{"Hijack", testHijack},
		{"Mount", testMount},
		{"Stream", testStream},
		{"Stop", testStop},
		{"Run", testRun},
		{"Signals", testSignals},
		{"OwnServer", testOwnServer},
		{"Misuse", testMisuse},
	} {
		t.Run(topic.name, func(t *testing.T) {
			t.Parallel()
			topic.test(t, f)
		})
	}
}

// NewManager returns a manager that is not started yet: Run does that.
func NewManager(t testing.TB, opts ...taskflow.ManagerOption) *taskflow.Manager {
	t.Helper()
	m, err := taskflow.New(append([]taskflow.ManagerOption{taskflow.WithLogger(slog.New(slog.DiscardHandler))}, opts...)...)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return m
}

// StartedManager is for tests that have a server of their own, or none. It is stopped at the end of the test.
func StartedManager(t testing.TB, opts ...taskflow.ManagerOption) *taskflow.Manager {
	t.Helper()
	m := NewManager(t, opts...)
	if err := m.Start(context.Background()); err != nil {
		t.Fatalf("Start: %v", err)
	}
	t.Cleanup(func() {
		if err := m.Stop(context.Background()); err != nil {
			t.Errorf("Stop: %v", err)
		}
	})
	return m
}

// running is an application under Run.
type running struct {
	*Service
	t    testing.TB
	ln   *Listener
	addr string
}

// serve runs app on a listener of its own until the test ends.
func serve(t testing.TB, app App, m *taskflow.Manager, ln *Listener, opts ...lifecycle.Option) *running {
	t.Helper()
	s := Start(t, func(ctx context.Context) error {
		return app.Run(ctx, m, "", append(opts, lifecycle.WithListener(ln))...)
	})
	return &running{Service: s, t: t, ln: ln, addr: ln.Addr().String()}
}

// get asks for path on a connection of its own.
func (r *running) get(path string) (*http.Response, string) {
	r.t.Helper()
	c := Dial(r.t, r.addr)
	c.Request("GET", path, "Connection: close\r\n")
	return c.Response()
}

// stopClean ends the service and expects nothing to complain about.
func (r *running) stopClean() {
	r.t.Helper()
	r.Stop()
	if err := r.Wait(); err != nil {
		r.t.Errorf("Run: %v", err)
	}
}

// task makes a function without error of f.
func task(f func()) func(context.Context) error {
	return func(context.Context) error { f(); return nil }
}
