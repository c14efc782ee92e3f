package adaptertest

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/adapters/internal/lifecycle"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
)

// NetHTTPApp is an [App] whose framework has the trait NetHTTP.
type NetHTTPApp interface {
	App
	// Handler is the application as a server of the user's own gets it.
	Handler() http.Handler
	// Attach calls the adapter's Attach.
	Attach(srv *http.Server, m *taskflow.Manager)
}

func newNetHTTP(t testing.TB, f Framework, m *taskflow.Manager) NetHTTPApp {
	t.Helper()
	return f.New(t, m, Setup{}).(NetHTTPApp)
}

// addAndAnswer returns an application whose GET / adds a task that reports when it starts.
func addAndAnswer(t testing.TB, f Framework) (NetHTTPApp, *taskflow.Manager, chan time.Time) {
	t.Helper()
	m := StartedManager(t)
	app := newNetHTTP(t, f, m)
	started := make(chan time.Time, 1)
	app.Handle("/", func(r Request) error {
		r.Add(task(func() { started <- time.Now() }))
		return r.Text(http.StatusOK, "ok")
	})
	return app, m, started
}

// testNetHTTP is what only servers of net/http can do.
func testNetHTTP(t *testing.T, f Framework) {
	t.Run("tasks start wherever the handler is served", func(t *testing.T) { t.Parallel(); testServedAnywhere(t, f) })
	t.Run("a recorder starts tasks at the handler's return", func(t *testing.T) { t.Parallel(); testRecorder(t, f) })
	t.Run("a handler that timed out", func(t *testing.T) { t.Parallel(); testTimedOut(t, f) })
	t.Run("other requests of an HTTP2 connection", func(t *testing.T) { t.Parallel(); testHTTP2Others(t, f) })
	t.Run("hijacked in a server nobody attached", func(t *testing.T) { t.Parallel(); testHijackUnattached(t, f) })
	t.Run("servers of one's own", func(t *testing.T) { t.Parallel(); testOwnNetHTTP(t, f) })
	t.Run("a stream outlives the write time-out", func(t *testing.T) { t.Parallel(); testWriteTimeout(t, f) })
	t.Run("a stream behind TimeoutHandler is refused", func(t *testing.T) { t.Parallel(); testStreamBehindTimeoutHandler(t, f) })
}

func withoutCancel(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(context.WithoutCancel(r.Context())))
	})
}

// Where nothing tells when the response has left, tasks still start, and soon.
func testServedAnywhere(t *testing.T, f Framework) {
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
			m := StartedManager(t)
			app := newNetHTTP(t, f, m)
			started, added := make(chan time.Time, 1), make(chan taskflow.Handle, 1)
			app.Handle("/", func(r Request) error {
				added <- r.Add(task(func() { started <- time.Now() }))
				return r.Text(http.StatusOK, "ok")
			})
			srv := httptest.NewUnstartedServer(tc.wrap(app.Handler()))
			if tc.attach {
				app.Attach(srv.Config, m)
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
				handle := Receive(t, "the handle", added)
				select {
				case at := <-started:
					if late := at.Sub(answered); late > time.Second {
						t.Errorf("the task started %v after the response: only the last resort started it", late)
					}
				case <-time.After(Patience):
					stacks := make([]byte, 1<<20)
					t.Fatalf("the task has not started within %v: rejected %v, record %+v\n%s",
						Patience, handle.Rejected(), handle.Record(), stacks[:runtime.Stack(stacks, true)])
				}
			}
		})
	}
}

func testRecorder(t *testing.T, f Framework) {
	app, _, started := addAndAnswer(t, f)
	app.Handler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	Receive(t, "the task", started)
}

// HTTP/2 has no exact moment: the pause after the end of the handlers is enough unless the machine is overloaded. Without the pause nearly
// every task would be early. Not parallel, so that other tests do not overload it.
func testHTTP2Order(t *testing.T, f Framework) {
	const requests = 500
	m := StartedManager(t)
	app := newNetHTTP(t, f, m)
	ln := Listen(t, 0)
	left := make(chan int64, 1)
	app.Handle("/", func(r Request) error {
		r.Add(task(func() { left <- ln.Written() }))
		return r.Text(http.StatusOK, "ok")
	})
	srv := httptest.NewUnstartedServer(app.Handler())
	if err := srv.Listener.Close(); err != nil {
		t.Fatal(err)
	}
	srv.Listener = ln
	app.Attach(srv.Config, m)
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
		atStart := Receive(t, "the task", left)
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
func testTimedOut(t *testing.T, f Framework) {
	m := StartedManager(t)
	app := newNetHTTP(t, f, m)
	goOn, returned, started := make(chan struct{}), make(chan struct{}), make(chan struct{}, 1)
	app.Handle("/", func(r Request) error {
		r.Add(task(func() {
			<-returned
			started <- struct{}{}
		}))
		<-goOn
		return nil
	})
	srv := httptest.NewUnstartedServer(http.TimeoutHandler(app.Handler(), time.Millisecond, "late"))
	app.Attach(srv.Config, m)
	srv.Start()
	defer srv.Close()
	client := Dial(t, srv.Listener.Addr().String())
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
	Receive(t, "the task", started)
	if took := time.Since(began); took > time.Second {
		t.Errorf("the task started %v after the return: only the last resort started it", took)
	}
}

// A stream keeps an HTTP/2 connection busy for hours: what is told about the connection says nothing about other requests on it.
func testHTTP2Others(t *testing.T, f Framework) {
	app, m, started := addAndAnswer(t, f)
	over := make(chan struct{})
	app.Handle("/stream", func(r Request) error {
		err := r.Chunks("x")
		<-over
		return err
	})
	srv := httptest.NewUnstartedServer(app.Handler())
	app.Attach(srv.Config, m)
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
	Receive(t, "the task", started)
}

// Nobody tells an unattached server's middleware of the hijack: the return of the handler is the moment.
func testHijackUnattached(t *testing.T, f Framework) {
	app := newNetHTTP(t, f, StartedManager(t))
	ran := make(chan struct{}, 1)
	app.Handle("/", func(r Request) error {
		r.Add(task(func() { ran <- struct{}{} }))
		return r.Hijack(func(net.Conn) {})
	})
	srv := httptest.NewServer(app.Handler())
	defer srv.Close()
	client := Dial(t, srv.Listener.Addr().String())
	client.Request("GET", "/", "Connection: Upgrade\r\nUpgrade: test\r\n")
	Receive(t, "the task", ran)
}

// testOwnNetHTTP: Attach on servers as users run them: TLS, HTTP/2 in clear text, a unix socket.
func testOwnNetHTTP(t *testing.T, f Framework) {
	certs := httptest.NewTLSServer(http.NotFoundHandler()) // lends its certificate, and a client that trusts it
	defer certs.Close()
	clearText := new(http.Protocols)
	clearText.SetUnencryptedHTTP2(true)
	for name, tc := range map[string]struct {
		network, addr string
		tls           bool
		protocols     *http.Protocols
	}{
		"TLS":                  {"tcp", "127.0.0.1:0", true, nil},
		"HTTP2 in clear text":  {"tcp", "127.0.0.1:0", false, clearText},
		"unix socket":          {"unix", filepath.Join(t.TempDir(), "s"), false, nil},
		"TCP, by another name": {"tcp4", "127.0.0.1:0", false, nil},
	} {
		app, m, started := addAndAnswer(t, f)
		ln, err := net.Listen(tc.network, tc.addr)
		if err != nil {
			t.Fatal(err)
		}
		srv := &http.Server{Handler: app.Handler(), Protocols: tc.protocols}
		app.Attach(srv, m)
		served := make(chan error, 1)
		transport := &http.Transport{Protocols: tc.protocols, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, ln.Addr().Network(), ln.Addr().String())
		}}
		url := "http://127.0.0.1"
		if tc.tls {
			srv.TLSConfig = certs.TLS.Clone()
			transport.TLSClientConfig = certs.Client().Transport.(*http.Transport).TLSClientConfig
			url = "https://127.0.0.1"
			go func() { served <- srv.ServeTLS(ln, "", "") }()
		} else {
			go func() { served <- srv.Serve(ln) }()
		}
		client := &http.Client{Transport: transport}
		for range 3 {
			resp, err := client.Get(url)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if err := resp.Body.Close(); err != nil {
				t.Fatal(err)
			}
			Receive(t, name+": the task", started)
		}
		client.CloseIdleConnections()
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Errorf("%s: Shutdown: %v", name, err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("%s: Serve: %v", name, err)
		}
	}
}

func testWriteTimeout(t *testing.T, f Framework) {
	const writeTimeout = 50 * time.Millisecond
	m := NewManager(t)
	app := newNetHTTP(t, f, m)
	app.Mount(m, "/tasks")
	s := serve(t, app, m, Listen(t, 0), lifecycle.WithServer(func(srv *http.Server) { srv.WriteTimeout = writeTimeout }))
	stream := OpenStream(t, s.addr, streamPath)
	opened := time.Now()
	for time.Since(opened) < 4*writeTimeout {
		h := m.Add(taskflow.WorkOf(func() {}))
		stream.Wait("task "+h.ID(), isTask(h))
	}
	s.stopClean()
}

// http.TimeoutHandler holds back what is written: a stream through it would never show anything.
func testStreamBehindTimeoutHandler(t *testing.T, f Framework) {
	m := StartedManager(t)
	app := newNetHTTP(t, f, m)
	app.Mount(m, "/tasks", dashboard.Public())
	w := httptest.NewRecorder()
	http.TimeoutHandler(app.Handler(), time.Minute, "late").ServeHTTP(w, httptest.NewRequest("GET", streamPath, nil))
	if w.Code != http.StatusNotImplemented {
		t.Errorf("status %d, want %d: %s", w.Code, http.StatusNotImplemented, w.Body)
	}
}
