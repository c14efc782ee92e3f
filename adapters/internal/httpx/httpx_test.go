package httpx_test

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
	"github.com/taskflow-go/taskflow/adapters/internal/httpx"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// serve runs an attached server until the test ends.
func serve(t *testing.T, m *taskflow.Manager, h http.Handler, ln net.Listener) {
	t.Helper()
	serveAs(t, h, ln, func(srv *http.Server) { httpx.Attach(srv, m) })
}

func serveAs(t *testing.T, h http.Handler, ln net.Listener, attach func(*http.Server)) {
	t.Helper()
	srv := &http.Server{Handler: h, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	attach(srv)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	t.Cleanup(func() {
		if err := srv.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Errorf("Close: %v", err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve: %v", err)
		}
	})
}

// unhashableListener gives connections of a type that cannot be the key of a map.
type unhashableListener struct{ net.Listener }

type unhashableConn struct {
	net.Conn
	_ []byte
}

func (l unhashableListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return unhashableConn{Conn: c}, nil
}

func TestConnectionsThatCannotBeTrackedAreServedAllTheSame(t *testing.T) {
	t.Parallel()
	m := adaptertest.StartedManager(t)
	ran := make(chan struct{}, 1)
	ln := unhashableListener{adaptertest.Listen(t, 0)}
	serve(t, m, httpx.Handler(m, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		taskflow.Add(r.Context(), func() { ran <- struct{}{} })
	})), ln)
	client := adaptertest.Dial(t, ln.Addr().String())
	for range 2 {
		client.Request("GET", "/", "")
		client.Response()
		adaptertest.Receive(t, "the task", ran)
	}
}

// A handler that dispatches parts of its request to other handlers: each part has tasks, there is one response.
func TestTasksOfAllPartsOfARequestWaitForItsResponse(t *testing.T) {
	t.Parallel()
	m := adaptertest.StartedManager(t)
	ln := adaptertest.Listen(t, time.Millisecond)
	const parts = 3
	left := make(chan int64, parts)
	part := httpx.Handler(m, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		taskflow.Add(r.Context(), func() { left <- ln.Written() })
	}))
	serve(t, m, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for range parts {
			part.ServeHTTP(httptest.NewRecorder(), r)
		}
		if _, err := io.WriteString(w, "all parts"); err != nil {
			t.Error(err)
		}
	}), ln)
	client := adaptertest.Dial(t, ln.Addr().String())
	for range 20 {
		client.Request("GET", "/", "")
		client.Response()
		for range parts {
			if got, want := adaptertest.Receive(t, "the task of a part", left), client.Received(); got != want {
				t.Fatalf("a task started when %d of %d bytes had left", got, want)
			}
		}
	}
}

// http.TimeoutHandler may answer before the middleware is even reached: nothing more is told about that response.
func TestTasksOfAMiddlewareReachedAfterTheResponseStart(t *testing.T) {
	t.Parallel()
	m := adaptertest.StartedManager(t)
	goOn, ran := make(chan struct{}), make(chan struct{}, 1)
	handling, finish := make(chan struct{}), make(chan struct{})
	inner := httpx.Handler(m, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		taskflow.Add(r.Context(), func() { ran <- struct{}{} })
	}))
	late := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-goOn
		inner.ServeHTTP(w, r)
	})
	mux := http.NewServeMux()
	mux.Handle("/late", http.TimeoutHandler(late, time.Millisecond, "too late"))
	mux.HandleFunc("/lasting", func(http.ResponseWriter, *http.Request) {
		handling <- struct{}{}
		<-finish
	})
	ln := adaptertest.Listen(t, 0)
	serve(t, m, mux, ln)
	client := adaptertest.Dial(t, ln.Addr().String())
	timeOut := func() {
		client.Request("GET", "/late", "")
		if resp, _ := client.Response(); resp.StatusCode != http.StatusServiceUnavailable {
			t.Fatalf("status %d", resp.StatusCode)
		}
	}

	timeOut() // and then the connection is idle
	began := time.Now()
	goOn <- struct{}{}
	adaptertest.Receive(t, "the task, on an idle connection", ran)
	if took := time.Since(began); took > time.Second {
		t.Errorf("the task started after %v: only the last resort started it", took)
	}

	timeOut() // and then the connection serves another request, which lasts
	defer close(finish)
	client.Request("GET", "/lasting", "")
	adaptertest.Receive(t, "the next request", handling)
	goOn <- struct{}{}
	adaptertest.Receive(t, "the task, while the next request lasts", ran)
}

// An upgrade hijacks the connection, and then serves requests that still have its context.
func TestTasksOfRequestsServedAfterAHijackStart(t *testing.T) {
	t.Parallel()
	m := adaptertest.StartedManager(t)
	over, ran := make(chan struct{}), make(chan struct{}, 1)
	defer close(over)
	inner := httpx.Handler(m, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		taskflow.Add(r.Context(), func() { ran <- struct{}{} })
	}))
	ln := adaptertest.Listen(t, 0)
	serve(t, m, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Errorf("hijack: %v", err)
			return
		}
		defer func() { _ = conn.Close() }()
		inner.ServeHTTP(httptest.NewRecorder(), r)
		<-over
	}), ln)
	adaptertest.Dial(t, ln.Addr().String()).Request("GET", "/", "")
	adaptertest.Receive(t, "the task", ran)
}

func TestOnePanicOfTwoRequestsOnAConnectionDropsOnlyItsOwnTasks(t *testing.T) {
	t.Parallel()
	m := adaptertest.StartedManager(t)
	recovers := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				if recover() != nil {
					w.WriteHeader(http.StatusInternalServerError)
				}
			}()
			h.ServeHTTP(w, r)
		})
	}
	handles := make(chan taskflow.Handle, 1)
	ln := adaptertest.Listen(t, 0)
	serve(t, m, recovers(httpx.Handler(m, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		handles <- taskflow.Add(r.Context(), func() {})
		if r.URL.Path == "/panic" {
			panic("boom")
		}
	}))), ln)
	client := adaptertest.Dial(t, ln.Addr().String())
	for _, path := range []string{"/", "/panic", "/", "/panic", "/"} {
		client.Request("GET", path, "")
		client.Response()
		err := (<-handles).Wait(t.Context())
		if path == "/panic" && !errors.Is(err, taskflow.ErrDiscarded) || path == "/" && err != nil {
			t.Errorf("the task of %s ended with %v", path, err)
		}
	}
}

// Fiber, say, serving a net/http handler: the batch of the outermost middleware is the one.
func TestBatchOfAnotherAdapterIsKept(t *testing.T) {
	t.Parallel()
	m := adaptertest.StartedManager(t)
	outer := m.NewBatch()
	h := httpx.Handler(m, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if got := taskflow.BatchFrom(r.Context()); got != outer {
			t.Error("the middleware has hidden the batch that was there")
		}
	}))
	r := httptest.NewRequest("GET", "/", nil)
	h.ServeHTTP(httptest.NewRecorder(), r.WithContext(taskflow.ContextWithBatch(r.Context(), outer)))
}

func TestServeBelowShowsOnlyTheRestOfThePath(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ path, rest, want string }{
		{"/a/tasks", "", ""},
		{"/a/tasks/", "/", "/"},
		{"/a/tasks/x%2Fy", "/x/y", "/x/y"},
	} {
		r := httptest.NewRequest("GET", tc.path+"?q=1", nil)
		httpx.ServeBelow(http.HandlerFunc(func(_ http.ResponseWriter, below *http.Request) {
			if below.URL.Path != tc.want || below.URL.RawPath != "" || below.URL.RawQuery != "q=1" {
				t.Errorf("%s below the mount is %+v, want path %q and the query", tc.path, below.URL, tc.want)
			}
		}), httptest.NewRecorder(), r, tc.rest)
		if r.URL.EscapedPath() != tc.path {
			t.Errorf("the request itself was changed to %s", r.URL)
		}
	}
}
