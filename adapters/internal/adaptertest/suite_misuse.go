package adaptertest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// testMisuse: mistakes of a program get a text that says what to write; what is refused at run time does not fail the request.
func testMisuse(t *testing.T, f Framework) {
	t.Run("Mount", func(t *testing.T) { testMountRefusals(t, f) })
	promise := taskflow.Define("promise", func(context.Context, int) error { return nil })
	for name, tc := range map[string]struct {
		setup Setup
		do    func(Request)
		want  string
	}{
		"Add without Middleware":    {Setup{Bare: true}, func(r Request) { r.Add(task(func() {})) }, "tasks.Add: no middleware before the handler of GET /here"},
		"Submit without Middleware": {Setup{Bare: true}, func(r Request) { _, _ = r.Submit(promise.With(1)) }, "tasks.Submit: no middleware before the handler of GET /here"},
		"SubmitMany without Middleware": {Setup{Bare: true}, func(r Request) { _, _ = r.SubmitMany([]taskflow.Call{promise.With(1)}) },
			"tasks.SubmitMany: no middleware before the handler of GET /here"},
		"a nil function": {Setup{}, func(r Request) { r.Add(nil) }, "nil function"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := NewManager(t)
			app := f.New(t, m, tc.setup)
			said := make(chan string, 1)
			app.Handle("/here", func(r Request) error {
				func() {
					defer func() { said <- fmt.Sprint(recover()) }()
					tc.do(r)
				}()
				return r.Text(200, "ok")
			})
			s := serve(t, app, m, Listen(t, 0))
			s.get("/here")
			if got := <-said; !strings.Contains(got, tc.want) {
				t.Errorf("panic %q, want it to say %q", got, tc.want)
			}
			s.stopClean()
		})
	}
	t.Run("Submit without a journal", func(t *testing.T) {
		t.Parallel()
		m := NewManager(t, taskflow.WithTasks(promise))
		app := f.New(t, m, Setup{})
		errs := make(chan error, 2)
		app.Handle("/", func(r Request) error {
			_, err := r.Submit(promise.With(1))
			errs <- err
			_, err = r.SubmitMany([]taskflow.Call{promise.With(1), promise.With(2)})
			errs <- err
			return r.Text(503, "no")
		})
		s := serve(t, app, m, Listen(t, 0))
		s.get("/")
		for _, name := range []string{"Submit", "SubmitMany"} {
			if err := <-errs; !errors.Is(err, taskflow.ErrNotDurable) {
				t.Errorf("%s without a backend: %v, want %v", name, err, taskflow.ErrNotDurable)
			}
		}
		s.stopClean()
	})
	t.Run("Add to a manager that was stopped", func(t *testing.T) {
		t.Parallel()
		m := NewManager(t)
		if err := m.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := m.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		app := f.New(t, m, Setup{})
		handles := make(chan taskflow.Handle, 1)
		app.Handle("/", func(r Request) error {
			handles <- r.Add(task(func() { t.Error("ran") }))
			return r.Text(200, "ok")
		})
		ln := Listen(t, 0)
		shutdown := app.Own(m, ln)
		c := Dial(t, ln.Addr().String())
		c.Request("GET", "/", "Connection: close\r\n")
		if resp, _ := c.Response(); resp.StatusCode != 200 {
			t.Errorf("the request failed with its task: %s", resp.Status)
		}
		if err := (<-handles).Wait(t.Context()); !errors.Is(err, taskflow.ErrStopped) {
			t.Errorf("the task ended with %v, want %v", err, taskflow.ErrStopped)
		}
		if err := shutdown(t.Context()); err != nil {
			t.Errorf("the shutdown: %v", err)
		}
	})
}
