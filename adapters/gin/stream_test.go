package tasks_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	tasks "github.com/taskflow-go/taskflow/adapters/gin"
	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
)

const streamPath = "/tasks/dashboard/stream"

func isTask(h taskflow.Handle) func(adaptertest.Event) bool {
	return func(e adaptertest.Event) bool { return e.Name == "task" && strings.Contains(e.Data, h.ID()) }
}

func TestStreamReportsTasksThroughGin(t *testing.T) {
	t.Parallel()
	m := newManager(t)
	engine := newEngine(m)
	tasks.Mount(engine, m, "/tasks")
	handles := make(chan taskflow.Handle, 1)
	engine.GET("/", func(c *gin.Context) { handles <- tasks.Add(c, func() {}) })
	ln := adaptertest.Listen(t, 0)
	s := run(t, engine, m, ln)
	stream := adaptertest.OpenStream(t, ln.Addr().String(), streamPath)
	stream.WaitNamed("hello")
	get(t, "http://"+ln.Addr().String())
	h := <-handles
	stream.Wait("task "+h.ID(), isTask(h))
	stopClean(t, s)
}

func TestStreamOutlivesTheServersWriteTimeout(t *testing.T) {
	t.Parallel()
	const writeTimeout = 50 * time.Millisecond
	m := newManager(t)
	engine := gin.New()
	tasks.Mount(engine, m, "/tasks")
	ln := adaptertest.Listen(t, 0)
	s := run(t, engine, m, ln, tasks.WithServer(func(srv *http.Server) { srv.WriteTimeout = writeTimeout }))
	stream := adaptertest.OpenStream(t, ln.Addr().String(), streamPath)
	opened := time.Now()
	for time.Since(opened) < 4*writeTimeout {
		h := m.Add(taskflow.WorkOf(func() {}))
		stream.Wait("task "+h.ID(), isTask(h))
	}
	stopClean(t, s)
}

// conns counts the open connections of a server: a viewer that is gone or dropped holds none.
type conns struct{ opened, closed chan struct{} }

func watchConns() *conns {
	return &conns{make(chan struct{}, 100), make(chan struct{}, 100)}
}

func (c *conns) option() tasks.RunOption {
	return tasks.WithServer(func(srv *http.Server) {
		srv.ConnState = func(_ net.Conn, s http.ConnState) {
			switch s {
			case http.StateNew:
				c.opened <- struct{}{}
			case http.StateClosed:
				c.closed <- struct{}{}
			}
		}
	})
}

func TestStreamOfAClientThatLeftIsFreed(t *testing.T) {
	t.Parallel()
	m := newManager(t)
	engine := gin.New()
	tasks.Mount(engine, m, "/tasks")
	ln := adaptertest.Listen(t, 0)
	conns := watchConns()
	s := run(t, engine, m, ln, conns.option())
	stream := adaptertest.OpenStream(t, ln.Addr().String(), streamPath)
	stream.WaitNamed("hello")
	if err := stream.Close(); err != nil {
		t.Fatal(err)
	}
	adaptertest.Receive(t, "the end of the connection", conns.closed)
	stopClean(t, s)
}

// A viewer that stops reading holds up neither the tasks nor the stop.
func TestStuckViewerIsDropped(t *testing.T) {
	t.Parallel()
	m := newManager(t)
	engine := gin.New()
	tasks.Mount(engine, m, "/tasks", dashboard.WriteTimeout(50*time.Millisecond))
	ln := adaptertest.Listen(t, 0)
	conns := watchConns()
	s := run(t, engine, m, ln, conns.option())
	stuck := adaptertest.Dial(t, ln.Addr().String())
	if err := stuck.Conn.(*net.TCPConn).SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	stuck.Request("GET", streamPath, "Accept: text/event-stream\r\n")
	adaptertest.Receive(t, "the connection", conns.opened)
	tag := taskflow.Tag("filler", strings.Repeat("x", taskflow.MaxTagBytes))
	dropped := false
	adaptertest.Eventually(t, "the stuck viewer is dropped", func() bool {
		for range 200 { // more than all buffers on the way hold, sooner or later
			m.Add(taskflow.WorkOf(func() {}), tag)
		}
		select {
		case <-conns.closed:
			dropped = true
		default:
		}
		return dropped
	})
	began := time.Now()
	stopClean(t, s)
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("the stop took %v", took)
	}
}

// http.TimeoutHandler holds back what is written: a stream through it would never show anything.
func TestStreamBehindTimeoutHandlerIsRefused(t *testing.T) {
	t.Parallel()
	engine := gin.New()
	tasks.Mount(engine, startedManager(t), "/tasks", dashboard.Public())
	w := httptest.NewRecorder()
	http.TimeoutHandler(engine, time.Minute, "late").ServeHTTP(w, httptest.NewRequest("GET", streamPath, nil))
	if w.Code != http.StatusNotImplemented {
		t.Errorf("status %d, want %d: %s", w.Code, http.StatusNotImplemented, w.Body)
	}
}
