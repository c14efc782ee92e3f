package dashboard_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
)

// serve starts a real server with the given change to it.
func (s *site) serve(change func(*http.Server)) *httptest.Server {
	s.t.Helper()
	srv := httptest.NewUnstartedServer(http.StripPrefix("/tasks", s.h))
	change(srv.Config)
	srv.Start()
	s.t.Cleanup(srv.Close)
	s.t.Cleanup(s.m.BeginShutdown) // before the server is closed: that waits for its streams
	return srv
}

func (s *site) dial(srv *httptest.Server) *http.Response {
	s.t.Helper()
	return s.dialAt(srv, "/tasks")
}

func (s *site) dialAt(srv *httptest.Server, prefix string) *http.Response {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, srv.URL+prefix+"/dashboard/stream", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	res, err := srv.Client().Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := res.Body.Close(); err != nil {
			s.t.Error(err)
		}
	})
	return res
}

func TestStreamOutlivesTheServersWriteTimeout(t *testing.T) {
	t.Parallel()
	s := open(t, dashboard.Heartbeat(20*time.Millisecond))
	srv := s.serve(func(c *http.Server) { c.WriteTimeout = 100 * time.Millisecond })
	stream := events(s.dial(srv))
	begin := time.Now()
	for time.Since(begin) < 300*time.Millisecond {
		receive(t, stream, ":hb")
	}
	s.runOK()
	receive(t, stream, "task")
}

func TestServerShutsDownAtOnceWithOpenStreams(t *testing.T) {
	t.Parallel()
	s := open(t)
	srv := s.serve(func(c *http.Server) { c.RegisterOnShutdown(s.m.BeginShutdown) })
	stream := events(s.dial(srv))
	receive(t, stream, "hello")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := srv.Config.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	receive(t, stream, "bye")
}

func TestStuckViewerIsDropped(t *testing.T) {
	t.Parallel()
	s := open(t, dashboard.MaxViewers(1), dashboard.WriteTimeout(200*time.Millisecond))
	srv := s.serve(func(c *http.Server) {
		c.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
			if tcp, ok := conn.(*net.TCPConn); ok {
				if err := tcp.SetWriteBuffer(4 << 10); err != nil {
					t.Error(err)
				}
			}
			return ctx
		}
	})
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("GET /tasks/dashboard/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err != nil { // it watches, and reads nothing from now on
		t.Fatal(err)
	}
	if res := s.dial(srv); res.StatusCode != http.StatusServiceUnavailable {
		t.Fatalf("status %d beside the stuck viewer, want 503", res.StatusCode)
	}
	bulky := strings.Repeat("x", 8000)
	for end := time.Now().Add(10 * time.Second); ; {
		s.run(taskflow.WorkOf(func(ctx context.Context) { taskflow.Logger(ctx).Info(bulky) }))
		req := httptest.NewRecorder()
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // only to see whether there is room
		s.h.ServeHTTP(req, newRequest(ctx, http.MethodGet, "/dashboard/stream", nil))
		if req.Code == http.StatusOK {
			return
		}
		if time.Now().After(end) {
			t.Fatal("the stuck viewer still holds its place")
		}
	}
}

// deadlines notes the write deadlines that are set on it.
type deadlines struct {
	*httptest.ResponseRecorder
	last time.Time
}

func (d *deadlines) SetWriteDeadline(t time.Time) error { d.last = t; return nil }

func TestTheEndOfAStreamHasAWriteDeadlineToo(t *testing.T) {
	t.Parallel()
	s := open(t, dashboard.WriteTimeout(time.Hour))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	s.h.ServeHTTP(w, newRequest(ctx, http.MethodGet, "/dashboard/stream", nil))
	if left := time.Until(w.last); w.Code != http.StatusOK || left < 50*time.Minute || left > time.Hour {
		t.Errorf("status %d; the deadline that remains is %v, want an hour from now", w.Code, w.last)
	}
}

func TestAConnectionServesRequestsAfterAStream(t *testing.T) {
	t.Parallel()
	const timeout = 250 * time.Millisecond // with less a busy machine cuts the stream itself
	s := open(t, dashboard.WriteTimeout(timeout))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		cancel() // so that it ends at once, on a connection that lives on
		s.h.ServeHTTP(w, r.WithContext(ctx))
	}))
	t.Cleanup(srv.Close)
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	for range 2 {
		if _, err := conn.Write([]byte("GET /dashboard/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("status %d, %v", res.StatusCode, err)
		}
		if err := res.Body.Close(); err != nil {
			t.Fatal(err)
		}
		<-time.After(2 * timeout) // the deadline of the first would be over
	}
}

// buffering is a writer that cannot flush, like the one of http.TimeoutHandler, under one that pretends to.
type buffering struct{ http.ResponseWriter }

type pretending struct{ http.ResponseWriter }

func (pretending) Flush()                        {}
func (p pretending) Unwrap() http.ResponseWriter { return p.ResponseWriter }

func TestStreamIsRefusedWhereNothingCanBeFlushed(t *testing.T) {
	t.Parallel()
	s := open(t)
	for name, wrap := range map[string]func(http.ResponseWriter) http.ResponseWriter{
		"no Flush":          func(w http.ResponseWriter) http.ResponseWriter { return buffering{w} },
		"a Flush of no use": func(w http.ResponseWriter) http.ResponseWriter { return pretending{buffering{w}} },
	} {
		w := httptest.NewRecorder()
		s.h.ServeHTTP(wrap(w), newRequest(t.Context(), http.MethodGet, "/dashboard/stream", nil))
		if w.Code != http.StatusNotImplemented || !strings.Contains(detail(t, w), "poll") {
			t.Errorf("%s: status %d: %s", name, w.Code, w.Body)
		}
	}
	w := httptest.NewRecorder()
	http.TimeoutHandler(s.h, 10*time.Second, "").ServeHTTP(w, newRequest(t.Context(), http.MethodGet, "/dashboard/stream", nil))
	if w.Code != http.StatusNotImplemented {
		t.Errorf("behind http.TimeoutHandler: status %d: %s", w.Code, w.Body)
	}
}
