package adaptertest

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/adapters/internal/lifecycle"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
)

const streamPath = "/tasks/dashboard/stream"

// testStop: the graceful stop waits for what must end and hangs on nothing else.
func testStop(t *testing.T, f Framework) {
	t.Run("everything at once", func(t *testing.T) {
		t.Parallel()
		m := NewManager(t)
		app := f.New(t, m, Setup{})
		app.Mount(m, "/tasks")
		running, handling, finish := make(chan struct{}), make(chan struct{}), make(chan struct{})
		handles := make(chan taskflow.Handle, 2)
		app.Handle("/first", func(r Request) error {
			handles <- r.Add(func(ctx context.Context) error { close(running); <-finish; return context.Cause(ctx) })
			return r.Text(200, "ok")
		})
		app.Handle("/slow", func(r Request) error {
			close(handling)
			<-m.Draining() // the stop has begun: this request is in flight
			handles <- r.Add(func(ctx context.Context) error { return context.Cause(ctx) })
			close(finish)
			return r.Text(200, "answered during the stop")
		})
		s := serve(t, app, m, Listen(t, 0))
		s.get("/first")
		Receive(t, "the first task", running)
		stream := OpenStream(t, s.addr, streamPath)
		stream.WaitNamed("hello")
		silent := Dial(t, s.addr)
		idle := Dial(t, s.addr)
		idle.Request("GET", "/nowhere", "")
		idle.Response()
		cut := []*Client{silent, idle}
		if f.Traits().NetHTTP { // elsewhere a request that is half there is waited for, up to the server time
			half := Dial(t, s.addr)
			half.Send("GET /first HTTP/1.1\r\nHo")
			cut = append(cut, half)
		}
		slow := Dial(t, s.addr)
		slow.Request("GET", "/slow", "")
		Receive(t, "the slow handler", handling)

		began := time.Now()
		s.Stop()
		stream.WaitNamed("bye")
		stream.WaitEnd()
		if _, body := slow.Response(); body != "answered during the stop" {
			t.Errorf("the request in flight got %q", body)
		}
		for _, c := range cut {
			c.WaitClosed()
		}
		if err := s.Wait(); err != nil {
			t.Errorf("Run: %v", err)
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("the stop took %v", took)
		}
		for range 2 {
			if r := (<-handles).Record(); r.Status != taskflow.StatusSuccess {
				t.Errorf("task %s ended %s: %s", r.Name, r.Status, r.Error)
			}
		}
	})
	t.Run("100 streams and 100 silent connections", func(t *testing.T) {
		t.Parallel()
		const each = 100
		m := NewManager(t)
		app := f.New(t, m, Setup{})
		app.Mount(m, "/tasks", dashboard.MaxViewers(each))
		s := serve(t, app, m, Listen(t, 0))
		streams := make([]*Stream, each)
		for i := range streams {
			Dial(t, s.addr)
			streams[i] = OpenStream(t, s.addr, streamPath)
			streams[i].WaitNamed("hello")
		}
		began := time.Now()
		s.stopClean()
		if took := time.Since(began); took > time.Second {
			t.Errorf("the stop took %v", took)
		}
		for _, stream := range streams {
			stream.WaitNamed("bye")
		}
	})
	t.Run("a task outlasts the drain time", func(t *testing.T) {
		t.Parallel()
		m := NewManager(t)
		app := f.New(t, m, Setup{})
		running, cause, handles := make(chan struct{}), make(chan error, 1), make(chan taskflow.Handle, 1)
		app.Handle("/", func(r Request) error {
			handles <- r.Add(func(ctx context.Context) error {
				close(running)
				<-ctx.Done()
				cause <- context.Cause(ctx)
				return ctx.Err()
			})
			return r.Text(200, "ok")
		})
		s := serve(t, app, m, Listen(t, 0), lifecycle.WithDrainTimeout(10*time.Millisecond))
		s.get("/")
		Receive(t, "the task", running)
		s.Stop()
		if err := Receive(t, "the end of the task's context", cause); !errors.Is(err, taskflow.ErrStopped) {
			t.Errorf("cause %v, want %v", err, taskflow.ErrStopped)
		}
		if err := s.Wait(); err == nil {
			t.Error("Run returned nil although a task was cut off")
		}
		if r := (<-handles).Record(); r.Status != taskflow.StatusInterrupted {
			t.Errorf("the task ended %s, want interrupted", r.Status)
		}
	})
	t.Run("a request outlasts the server time", func(t *testing.T) {
		t.Parallel()
		m := NewManager(t)
		app := f.New(t, m, Setup{})
		handling, goOn := make(chan struct{}), make(chan struct{})
		t.Cleanup(func() { close(goOn) })
		app.Handle("/", func(r Request) error {
			close(handling)
			if f.Traits().NetHTTP {
				<-r.Context().Done() // ends when the connection is cut
				return nil
			}
			<-goOn
			return r.Text(200, "too late")
		})
		s := serve(t, app, m, Listen(t, 0), lifecycle.WithServerTimeout(10*time.Millisecond))
		client := Dial(t, s.addr)
		client.Request("GET", "/", "")
		Receive(t, "the handler", handling)
		half := Dial(t, s.addr)
		half.Send("GET / HTTP/1.1\r\nHo")
		s.Stop()
		client.WaitClosed()
		half.WaitClosed()
		err := s.Wait()
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "still in flight after 10ms") {
			t.Errorf("Run: %v", err)
		}
	})
}

// testRun: what Run refuses, and what is true afterwards.
func testRun(t *testing.T, f Framework) {
	t.Run("refuses", func(t *testing.T) {
		t.Parallel()
		for name, tc := range map[string]struct {
			addr string
			opt  lifecycle.Option
			want string
		}{
			"no address":              {"", nil, `write host:port, like ":8080"`},
			"an address without port": {"localhost", nil, `listen on "localhost"`},
			"a nil option":            {":0", nil, "an option is nil"},
			"a nil listener":          {":0", lifecycle.WithListener(nil), "WithListener: the listener is nil"},
			"a negative server time":  {":0", lifecycle.WithServerTimeout(-1), "WithServerTimeout: must not be negative, not -1ns"},
			"a negative drain time":   {":0", lifecycle.WithDrainTimeout(-time.Second), "WithDrainTimeout: must not be negative, not -1s"},
		} {
			m := NewManager(t)
			var opts []lifecycle.Option
			if tc.opt != nil || name == "a nil option" {
				opts = append(opts, tc.opt)
			}
			err := f.New(t, m, Setup{}).Run(t.Context(), m, tc.addr, opts...)
			if err == nil || !strings.HasPrefix(err.Error(), "tasks.Run: ") || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: Run: %v\nwant tasks.Run: … %s", name, err, tc.want)
			}
		}
	})
	t.Run("names an address in use and leaves the manager alone", func(t *testing.T) {
		t.Parallel()
		taken := Listen(t, 0)
		m := NewManager(t)
		err := f.New(t, m, Setup{}).Run(t.Context(), m, taken.Addr().String())
		if err == nil || !strings.Contains(err.Error(), "address "+taken.Addr().String()+" is taken") {
			t.Fatalf("Run on a taken address: %v", err)
		}
		s := serve(t, f.New(t, m, Setup{}), m, Listen(t, 0)) // neither started nor stopped: the same manager serves now
		s.get("/")
		s.stopClean()
	})
	t.Run("twice", func(t *testing.T) {
		t.Parallel()
		m := NewManager(t)
		app := f.New(t, m, Setup{})
		s := serve(t, app, m, Listen(t, 0))
		s.get("/")
		second := Listen(t, 0)
		if err := f.New(t, m, Setup{}).Run(t.Context(), m, "", lifecycle.WithListener(second)); err == nil {
			t.Error("a second Run of a manager that runs returned nil")
		}
		s.get("/") // the first goes on
		s.stopClean()
		third := Listen(t, 0)
		if err := f.New(t, m, Setup{}).Run(t.Context(), m, "", lifecycle.WithListener(third)); !errors.Is(err, taskflow.ErrStopped) {
			t.Errorf("Run of a manager that was stopped: %v, want %v", err, taskflow.ErrStopped)
		}
		for _, ln := range []*Listener{second, third} {
			if c, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("the listener is open after Run has failed: %v, %v", c, err)
			}
		}
	})
	t.Run("with an ended context starts nothing", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		m := NewManager(t)
		ln := Listen(t, 0)
		if err := f.New(t, m, Setup{}).Run(ctx, m, "", lifecycle.WithListener(ln)); err != nil {
			t.Errorf("Run: %v", err)
		}
		if c, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("the listener is open: %v, %v", c, err)
		}
		if err := m.Start(t.Context()); err != nil {
			t.Errorf("the manager cannot be started any more: %v", err)
		}
		if err := m.Stop(t.Context()); err != nil {
			t.Errorf("Stop: %v", err)
		}
	})
	t.Run("told to stop while it starts", func(t *testing.T) {
		t.Parallel()
		opening := make(chan struct{})
		m := NewManager(t, taskflow.WithBackend(&slowBackend{opening: func() { close(opening) }}))
		ln := Listen(t, 0)
		s := serve(t, f.New(t, m, Setup{}), m, ln)
		Receive(t, "the start", opening)
		s.stopClean() // nothing has failed
		if c, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("the listener is open: %v, %v", c, err)
		}
	})
	t.Run("ends in order when its listener fails", func(t *testing.T) {
		t.Parallel()
		m := NewManager(t)
		app := f.New(t, m, Setup{})
		handling, ran := make(chan struct{}), make(chan struct{}, 1)
		app.Handle("/", func(r Request) error {
			handling <- struct{}{}
			<-m.Draining()
			r.Add(task(func() { ran <- struct{}{} }))
			return r.Text(200, "finished")
		})
		ln := Listen(t, 0)
		s := serve(t, app, m, ln)
		client := Dial(t, s.addr)
		client.Request("GET", "/", "")
		Receive(t, "the handler", handling)
		if err := ln.Close(); err != nil {
			t.Fatal(err)
		}
		if _, body := client.Response(); body != "finished" {
			t.Errorf("the request in flight got %q", body)
		}
		if err := s.Wait(); !errors.Is(err, net.ErrClosed) || !strings.Contains(err.Error(), "serve on "+s.addr) {
			t.Errorf("Run: %v, want the listener's failure", err)
		}
		select {
		case <-ran:
		default:
			t.Error("Run returned before the task of the request in flight had run")
		}
	})
}

// testOwnServer: a server of the user's own. Attach is enough for tasks to start after the response and for its shutdown to end streams.
func testOwnServer(t *testing.T, f Framework) {
	m := StartedManager(t)
	app := f.New(t, m, Setup{})
	app.Mount(m, "/tasks")
	ln := Listen(t, time.Millisecond)
	left := make(chan int64, 1)
	app.Handle("/", func(r Request) error { r.Add(task(func() { left <- ln.Written() })); return r.Text(200, "done") })
	shutdown := app.Own(m, ln)
	client := Dial(t, ln.Addr().String())
	for i := range 20 {
		client.Request("GET", "/", "")
		client.Response()
		if got, want := Receive(t, "the task", left), client.Received(); got != want {
			t.Fatalf("request %d: the task started when %d of %d bytes had left", i, got, want)
		}
	}
	stream := OpenStream(t, ln.Addr().String(), streamPath)
	stream.WaitNamed("hello")
	var silent *Client
	if f.Traits().NetHTTP {
		silent = Dial(t, ln.Addr().String())
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	if err := shutdown(ctx); err != nil {
		t.Errorf("the shutdown: %v", err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("the shutdown took %v", took)
	}
	stream.WaitEnd()
	if silent != nil {
		silent.WaitClosed()
	}
}
