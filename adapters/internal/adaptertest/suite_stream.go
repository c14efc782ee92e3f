package adaptertest

import (
	"net"
	"strings"
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
)

func isTask(h taskflow.Handle) func(Event) bool {
	return func(e Event) bool { return e.Name == "task" && strings.Contains(e.Data, h.ID()) }
}

// testStream: the live stream shows each task at once and costs nothing when its viewer is gone or stuck.
func testStream(t *testing.T, f Framework) {
	t.Run("reports tasks", func(t *testing.T) {
		t.Parallel()
		m := NewManager(t)
		app := f.New(t, m, Setup{})
		app.Mount(m, "/tasks")
		handles := make(chan taskflow.Handle, 1)
		app.Handle("/", func(r Request) error { handles <- r.Add(task(func() {})); return r.Text(200, "ok") })
		s := serve(t, app, m, Listen(t, 0))
		stream := OpenStream(t, s.addr, streamPath)
		stream.WaitNamed("hello")
		s.get("/")
		h := <-handles
		stream.Wait("task "+h.ID(), isTask(h))
		s.stopClean()
	})
	t.Run("a viewer who left is freed", func(t *testing.T) {
		t.Parallel()
		m := NewManager(t)
		app := f.New(t, m, Setup{})
		opts := []dashboard.Option{dashboard.MaxViewers(1)}
		if !f.Traits().NetHTTP { // the next write tells, and that is the heartbeat; net/http tells at once
			opts = append(opts, dashboard.Heartbeat(10*time.Millisecond))
		}
		app.Mount(m, "/tasks", opts...)
		s := serve(t, app, m, Listen(t, 0))
		stream := OpenStream(t, s.addr, streamPath)
		stream.WaitNamed("hello")
		if roomForViewer(t, s.addr) {
			t.Error("there is room for a second viewer")
		}
		if err := stream.Close(); err != nil {
			t.Fatal(err)
		}
		Eventually(t, "there is room for the next viewer", func() bool { return roomForViewer(t, s.addr) })
		s.stopClean()
	})
	t.Run("a stuck viewer is dropped", func(t *testing.T) {
		t.Parallel()
		m := NewManager(t)
		app := f.New(t, m, Setup{})
		app.Mount(m, "/tasks", dashboard.MaxViewers(1), dashboard.WriteTimeout(500*time.Millisecond)) // its header must pass, on a busy machine too
		s := serve(t, app, m, Listen(t, 0))
		stuck := Dial(t, s.addr)
		if err := stuck.Conn.(*net.TCPConn).SetReadBuffer(4096); err != nil {
			t.Fatal(err)
		}
		stuck.Request("GET", streamPath, "Accept: text/event-stream\r\n")
		if _, err := stuck.Head(); err != nil { // it is the one viewer, and reads no more from here on
			t.Fatal(err)
		}
		tag := taskflow.Tag("filler", strings.Repeat("x", taskflow.MaxTagBytes))
		Eventually(t, "the stuck viewer's place is free", func() bool {
			for range 200 { // more than all buffers on the way hold, sooner or later
				m.Add(taskflow.WorkOf(func() {}), tag)
			}
			return roomForViewer(t, s.addr)
		})
		began := time.Now()
		s.stopClean()
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("the stop took %v", took)
		}
	})
	t.Run("a connection serves on after its viewer was refused", func(t *testing.T) {
		t.Parallel()
		m := NewManager(t)
		app := f.New(t, m, Setup{})
		app.Mount(m, "/tasks", dashboard.MaxViewers(1))
		s := serve(t, app, m, Listen(t, 0))
		OpenStream(t, s.addr, streamPath).WaitNamed("hello")
		c := Dial(t, s.addr)
		c.Request("GET", streamPath, "")
		if resp, body := c.Response(); resp.StatusCode != 503 {
			t.Errorf("the second viewer got %s %s", resp.Status, body)
		}
		c.Request("GET", "/tasks/metrics", "")
		if resp, body := c.Response(); resp.StatusCode != 200 {
			t.Errorf("the metrics: %s %s", resp.Status, body)
		}
		s.stopClean()
	})
}

// roomForViewer reports whether a mount with room for one viewer has it, and leaves again.
func roomForViewer(t *testing.T, addr string) bool {
	t.Helper()
	c := Dial(t, addr)
	c.Request("GET", streamPath, "Accept: text/event-stream\r\n")
	resp, err := c.Head()
	if err != nil {
		t.Fatalf("ask for the stream: %v", err)
	}
	_ = c.Close()
	return resp.StatusCode == 200
}
