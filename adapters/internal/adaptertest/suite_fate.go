package adaptertest

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	taskflow "github.com/taskflow-go/taskflow/core"
)

var errHandler = errors.New("the handler's own error")

// testFate: whatever is answered is an answer and lets the tasks run; a panic, or an error where handlers return errors, drops them.
func testFate(t *testing.T, f Framework) {
	t.Run("status", func(t *testing.T) {
		t.Parallel()
		m := NewManager(t)
		app := f.New(t, m, Setup{Recover: true})
		ran := make(chan string, 1)
		statuses := map[string]int{"/ok": 200, "/accepted": 202, "/moved": 302, "/bad": 400, "/forbidden": 403, "/gone": 410, "/broken": 500}
		for path, status := range statuses {
			app.Handle(path, func(r Request) error {
				r.Add(task(func() { ran <- path }))
				return r.Text(status, "text")
			})
		}
		statuses["/group/inside/7"] = 200
		app.Group("/group").Group("/inside").Handle("/:n", func(r Request) error {
			r.Add(task(func() { ran <- "/group/inside/7" }))
			return r.Text(200, "inside")
		})
		s := serve(t, app, m, Listen(t, 0))
		for path, status := range statuses {
			if resp, _ := s.get(path); resp.StatusCode != status {
				t.Errorf("GET %s: status %d, want %d", path, resp.StatusCode, status)
			}
			if got := Receive(t, "the task of "+path, ran); got != path {
				t.Errorf("GET %s ran the task of %s", path, got)
			}
		}
		s.stopClean()
	})
	t.Run("panic with recovery", func(t *testing.T) {
		t.Parallel()
		drops(t, f, Setup{Recover: true}, 500, "the handler panicked", func(Request) error { panic("boom") })
	})
	if !f.Traits().FatalPanics {
		t.Run("panic without recovery", func(t *testing.T) {
			t.Parallel()
			drops(t, f, Setup{}, 0, "the handler panicked", func(Request) error { panic("boom") })
		})
	}
	if f.Traits().ReturnsErrors {
		t.Run("returned error", func(t *testing.T) {
			t.Parallel()
			drops(t, f, Setup{}, 500, "the handler returned an error: "+errHandler.Error(), func(Request) error { return errHandler })
		})
	}
	t.Run("middleware twice", func(t *testing.T) {
		t.Parallel()
		m := NewManager(t)
		app := f.New(t, m, Setup{Twice: true})
		ran := make(chan struct{}, 10)
		app.Handle("/", func(r Request) error { r.Add(task(func() { ran <- struct{}{} })); return r.Text(200, "ok") })
		s := serve(t, app, m, Listen(t, 0))
		s.get("/")
		Receive(t, "the task", ran)
		s.stopClean()
		if more := len(ran); more > 0 {
			t.Errorf("the task ran %d times", more+1)
		}
	})
}

// drops shows that a handler that fails so drops its task, with a record that says why; status 0: the connection is cut.
func drops(t *testing.T, f Framework, setup Setup, status int, why string, fail func(Request) error) {
	m := NewManager(t)
	app := f.New(t, m, setup)
	handles, requests := make(chan taskflow.Handle, 1), make(chan context.Context, 1)
	app.Handle("/", func(r Request) error {
		handles <- r.Add(task(func() { t.Error("the task of a request that failed ran") }))
		requests <- r.Context()
		return fail(r)
	})
	s := serve(t, app, m, Listen(t, 0))
	client := Dial(t, s.addr)
	client.Request("GET", "/", "")
	switch resp, err := client.Head(); {
	case status == 0 && err == nil:
		t.Errorf("answered %s, want the connection cut", resp.Status)
	case status != 0 && (err != nil || resp.StatusCode != status):
		t.Errorf("answered %v (%v), want %d", resp, err, status)
	}
	h := Receive(t, "the handle", handles)
	if err := h.Wait(context.Background()); !errors.Is(err, taskflow.ErrDiscarded) && !errors.Is(err, taskflow.ErrCancelled) {
		t.Errorf("the dropped task ended with %v", err)
	}
	if r := h.Record(); r.Status != taskflow.StatusCancelled || !strings.Contains(r.Error, why) {
		t.Errorf("the record is %s (%q), want cancelled because %s", r.Status, r.Error, why)
	}
	late := taskflow.Add(<-requests, func() { t.Error("a task added after the failure ran") })
	if err := late.Rejected(); !errors.Is(err, taskflow.ErrDiscarded) {
		t.Errorf("a task added after the failure: rejected with %v, want %v", err, taskflow.ErrDiscarded)
	}
	s.stopClean()
}

// testClients: a task does not depend on the client, whenever that leaves.
func testClients(t *testing.T, f Framework) {
	for name, leave := range map[string]func(t *testing.T, client *Client, handling, goOn chan struct{}){
		"leaves before the request is handled": func(t *testing.T, client *Client, handling, goOn chan struct{}) {
			_ = client.Close()
			Receive(t, "the handler", handling)
			goOn <- struct{}{}
		},
		"leaves while the request is handled": func(t *testing.T, client *Client, handling, goOn chan struct{}) {
			Receive(t, "the handler", handling)
			_ = client.Close()
			goOn <- struct{}{}
		},
		"leaves after the response": func(t *testing.T, client *Client, handling, goOn chan struct{}) {
			Receive(t, "the handler", handling)
			goOn <- struct{}{}
			client.Response()
			_ = client.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := NewManager(t)
			app := f.New(t, m, Setup{})
			handling, goOn, ran := make(chan struct{}), make(chan struct{}), make(chan error, 1)
			app.Handle("/", func(r Request) error {
				r.Add(func(ctx context.Context) error { ran <- ctx.Err(); return nil })
				handling <- struct{}{}
				<-goOn
				return r.Text(200, "hello")
			})
			s := serve(t, app, m, Listen(t, 0))
			client := Dial(t, s.addr)
			client.Request("GET", "/", "")
			leave(t, client, handling, goOn)
			if err := Receive(t, "the task", ran); err != nil {
				t.Errorf("the task's context has ended with the client's: %v", err)
			}
			s.stopClean()
		})
	}
}

// testHijack: after a hijack only the handler knows what the response is: tasks do not wait for the end of a web socket.
func testHijack(t *testing.T, f Framework) {
	m := NewManager(t)
	app := f.New(t, m, Setup{})
	ran, after, over := make(chan struct{}, 1), make(chan struct{}, 1), make(chan struct{})
	app.Handle("/", func(r Request) error {
		r.Add(task(func() { ran <- struct{}{} }))
		return r.Hijack(func(net.Conn) {
			if f.Traits().NetHTTP { // elsewhere the handler has returned by now
				r.Add(task(func() { after <- struct{}{} }))
			}
			<-over
		})
	})
	s := serve(t, app, m, Listen(t, 0))
	client := Dial(t, s.addr)
	client.Request("GET", "/", "Connection: Upgrade\r\nUpgrade: test\r\n")
	Receive(t, "the task, while the upgraded connection lasts", ran)
	if f.Traits().NetHTTP {
		Receive(t, "the task from after the hijack", after)
	}
	close(over)
	client.WaitClosed()
	s.stopClean()
}
