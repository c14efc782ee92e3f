package tasks_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	tasks "github.com/taskflow-go/taskflow/adapters/gin"
	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// addAndAnswer returns an engine whose GET / adds a task that reports when it starts.
func addAndAnswer(t testing.TB) (*gin.Engine, *taskflow.Manager, chan time.Time) {
	t.Helper()
	m := startedManager(t)
	engine := newEngine(m)
	started := make(chan time.Time, 1)
	engine.GET("/", func(c *gin.Context) {
		tasks.Add(c, func() { started <- time.Now() })
		c.String(http.StatusOK, "ok")
	})
	return engine, m, started
}

func withoutCancel(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(context.WithoutCancel(r.Context())))
	})
}

// Where nothing tells when the response has left, tasks still start, and soon.
func TestTasksStartWhereverTheHandlerIsServed(t *testing.T) {
	t.Parallel()
	plain := func(h http.Handler) http.Handler { return h }
	timeout := func(h http.Handler) http.Handler { return http.TimeoutHandler(h, time.Minute, "late") }
	for name, tc := range map[string]struct {
		wrap          func(http.Handler) http.Handler
		attach, http2 bool
	}{
		"a server nobody attached":                   {wrap: plain},
		"an attached server":                         {wrap: plain, attach: true},
		"HTTP/2":                                     {wrap: plain, http2: true},
		"HTTP/2, attached":                           {wrap: plain, http2: true, attach: true},
		"behind TimeoutHandler":                      {wrap: timeout},
		"behind TimeoutHandler, attached":            {wrap: timeout, attach: true},
		"behind a context without cancel":            {wrap: withoutCancel},
		"behind a context without cancel, attached":  {wrap: withoutCancel, attach: true},
		"behind a context without cancel and HTTP/2": {wrap: withoutCancel, http2: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := startedManager(t)
			engine := newEngine(m)
			started, added := make(chan time.Time, 1), make(chan taskflow.Handle, 1)
			engine.GET("/", func(c *gin.Context) {
				added <- tasks.Add(c, func() { started <- time.Now() })
				c.String(http.StatusOK, "ok")
			})
			srv := httptest.NewUnstartedServer(tc.wrap(engine))
			if tc.attach {
				tasks.Attach(srv.Config, m)
			}
			if srv.EnableHTTP2 = tc.http2; tc.http2 {
				srv.StartTLS()
			} else {
				srv.Start()
			}
			defer srv.Close()
			for range 3 {
				resp, err := srv.Client().Get(srv.URL)
				if err != nil {
					t.Fatal(err)
				}
				if tc.http2 != (resp.ProtoMajor == 2) {
					t.Fatalf("the test speaks %s", resp.Proto)
				}
				if _, err := io.Copy(io.Discard, resp.Body); err != nil {
					t.Fatal(err)
				}
				if err := resp.Body.Close(); err != nil {
					t.Fatal(err)
				}
				answered := time.Now()
				handle := adaptertest.Receive(t, "the handle", added)
				select {
				case at := <-started:
					if late := at.Sub(answered); late > time.Second {
						t.Errorf("the task started %v after the response: only the last resort started it", late)
					}
				case <-time.After(adaptertest.Patience):
					stacks := make([]byte, 1<<20)
					t.Fatalf("the task has not started within %v: rejected %v, record %+v\n%s",
						adaptertest.Patience, handle.Rejected(), handle.Record(), stacks[:runtime.Stack(stacks, true)])
				}
			}
		})
	}
}

func TestRecorderStartsTasksAtTheHandlersReturn(t *testing.T) {
	t.Parallel()
	engine, _, started := addAndAnswer(t)
	engine.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	adaptertest.Receive(t, "the task", started)
}

// HTTP/2 has no exact moment: the pause after the end of the handlers is enough unless the machine is overloaded. Without the pause nearly
// every task would be early. Not parallel, so that other tests do not overload it.
func TestOverHTTP2TasksStartAfterTheResponse(t *testing.T) {
	const requests = 500
	m := startedManager(t)
	engine := newEngine(m)
	ln := adaptertest.Listen(t, 0)
	left := make(chan int64, 1)
	engine.GET("/", func(c *gin.Context) {
		tasks.Add(c, func() { left <- ln.Written() })
		c.String(http.StatusOK, "ok")
	})
	srv := httptest.NewUnstartedServer(engine)
	if err := srv.Listener.Close(); err != nil {
		t.Fatal(err)
	}
	srv.Listener = ln
	tasks.Attach(srv.Config, m)
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	early := 0
	for i := range requests {
		resp, err := srv.Client().Get(srv.URL)
		if err != nil {
			t.Fatal(err)
		}
		if resp.ProtoMajor != 2 {
			t.Fatalf("the test speaks %s", resp.Proto)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil {
			t.Fatal(err)
		}
		atStart := adaptertest.Receive(t, "the task", left)
		if i > 0 && atStart != ln.Written() { // beside the first response the server writes settings
			early++
		}
	}
	t.Logf("%d of %d tasks started before all bytes had left", early, requests)
	if early > requests/20 {
		t.Errorf("%d of %d tasks started before all bytes had left", early, requests)
	}
}

// http.TimeoutHandler answers for a handler that is too slow: the response is out long before the handler returns.
func TestTaskOfAHandlerThatTimedOutStartsAtItsReturn(t *testing.T) {
	t.Parallel()
	m := startedManager(t)
	engine := newEngine(m)
	goOn, returned, started := make(chan struct{}), make(chan struct{}), make(chan struct{}, 1)
	engine.GET("/", func(c *gin.Context) {
		tasks.Add(c, func() {
			<-returned
			started <- struct{}{}
		})
		<-goOn
	})
	srv := httptest.NewUnstartedServer(http.TimeoutHandler(engine, time.Millisecond, "late"))
	tasks.Attach(srv.Config, m)
	srv.Start()
	defer srv.Close()
	client := adaptertest.Dial(t, srv.Listener.Addr().String())
	client.Request("GET", "/", "")
	if resp, _ := client.Response(); resp.StatusCode != http.StatusServiceUnavailable {
		t.Fatalf("status %d", resp.StatusCode)
	}
	if n := m.Pools()[0].Running; n != 0 {
		t.Errorf("%d tasks run while the handler does", n)
	}
	close(returned)
	began := time.Now()
	close(goOn)
	adaptertest.Receive(t, "the task", started)
	if took := time.Since(began); took > time.Second {
		t.Errorf("the task started %v after the return: only the last resort started it", took)
	}
}

// A stream keeps an HTTP/2 connection busy for hours: what is told about the connection says nothing about other requests on it.
func TestOverHTTP2TasksDoNotWaitForOtherRequestsOfTheConnection(t *testing.T) {
	t.Parallel()
	engine, m, started := addAndAnswer(t)
	over := make(chan struct{})
	engine.GET("/stream", func(c *gin.Context) {
		c.Writer.Flush()
		<-over
	})
	srv := httptest.NewUnstartedServer(engine)
	tasks.Attach(srv.Config, m)
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	defer close(over)
	for _, path := range []string{"/stream", "/"} {
		resp, err := srv.Client().Get(srv.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		if resp.ProtoMajor != 2 {
			t.Fatalf("the test speaks %s", resp.Proto)
		}
	}
	adaptertest.Receive(t, "the task", started)
}

// After a hijack only the handler knows what the response is: tasks do not wait for the end of a web socket.
func TestTasksOfAHijackedConnectionDoNotWaitForItsEnd(t *testing.T) {
	t.Parallel()
	m := startedManager(t)
	engine := newEngine(m)
	before, after, over := make(chan struct{}, 1), make(chan struct{}, 1), make(chan struct{})
	engine.GET("/", func(c *gin.Context) {
		tasks.Add(c, func() { before <- struct{}{} })
		hijack(t, c)
		tasks.Add(c, func() { after <- struct{}{} })
		<-over
	})
	srv := httptest.NewUnstartedServer(engine)
	tasks.Attach(srv.Config, m)
	srv.Start()
	defer srv.Close()
	defer close(over)
	client := adaptertest.Dial(t, srv.Listener.Addr().String())
	client.Request("GET", "/", "Connection: Upgrade\r\nUpgrade: test\r\n")
	adaptertest.Receive(t, "the task from before the hijack", before)
	adaptertest.Receive(t, "the task from after the hijack", after)
}

// Nobody tells an unattached server's middleware of the hijack: the return of the handler is the moment.
func TestTasksOfAHijackedConnectionStartInAServerNobodyAttached(t *testing.T) {
	t.Parallel()
	engine := newEngine(startedManager(t))
	ran := make(chan struct{}, 1)
	engine.GET("/", func(c *gin.Context) {
		tasks.Add(c, func() { ran <- struct{}{} })
		hijack(t, c)
	})
	srv := httptest.NewServer(engine)
	defer srv.Close()
	client := adaptertest.Dial(t, srv.Listener.Addr().String())
	client.Request("GET", "/", "Connection: Upgrade\r\nUpgrade: test\r\n")
	adaptertest.Receive(t, "the task", ran)
}

func hijack(t *testing.T, c *gin.Context) {
	conn, rw, err := c.Writer.Hijack()
	if err != nil {
		t.Errorf("hijack: %v", err)
		return
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := rw.WriteString("HTTP/1.1 101 Switching Protocols\r\n\r\n"); err != nil {
		t.Errorf("write: %v", err)
	}
	if err := rw.Flush(); err != nil {
		t.Errorf("flush: %v", err)
	}
}
