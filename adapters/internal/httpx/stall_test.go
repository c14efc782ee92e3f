package httpx_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
	"github.com/taskflow-go/taskflow/adapters/internal/httpx"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// The connection of such a client never tells that a response is out. It must not decide whether the task runs.
func TestAClientThatStallsDoesNotKeepATaskFromStarting(t *testing.T) {
	t.Parallel()
	large := bytes.Repeat([]byte("x"), 32<<20) // more than the buffers of a connection hold
	for name, tc := range map[string]struct {
		request string
		answer  []byte
	}{
		"it sends no more of the body that the handler ignores": {request: "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nabc", answer: []byte("ok")},
		"it pipelines requests and sends no more of a body": {
			request: "GET / HTTP/1.1\r\nHost: x\r\n\r\nPOST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nabc", answer: []byte("ok"),
		},
		"it does not read the response": {request: "GET / HTTP/1.1\r\nHost: x\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := adaptertest.StartedManager(t)
			ran := make(chan struct{}, 2)
			ln := adaptertest.Listen(t, 0)
			h := httpx.Handler(m, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				taskflow.Add(r.Context(), func() { ran <- struct{}{} })
			}))
			outer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				h.ServeHTTP(w, r)
				answer := tc.answer
				if answer == nil {
					answer = large
				}
				_, _ = w.Write(answer) // fails when the test closes the connection
			})
			const wait = 50 * time.Millisecond
			serveAs(t, outer, ln, func(srv *http.Server) { httpx.AttachImpatiently(srv, m, wait) })
			client := adaptertest.Dial(t, ln.Addr().String())
			began := time.Now()
			client.Send("%s", tc.request)
			for range strings.Count(tc.request, "HTTP/1.1") {
				adaptertest.Receive(t, "the task", ran)
			}
			if took := time.Since(began); took < wait {
				t.Errorf("the last task started after %v: the client did not stall", took)
			}
		})
	}
}

func TestTwoManagersOnOneRoutePanic(t *testing.T) {
	t.Parallel()
	one, two := adaptertest.StartedManager(t), adaptertest.StartedManager(t)
	for name, outer := range map[string]func(http.Handler) http.Handler{
		"of this package": func(h http.Handler) http.Handler { return httpx.Handler(one, h) },
		"of another adapter": func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				h.ServeHTTP(w, r.WithContext(taskflow.ContextWithBatch(r.Context(), one.NewBatch())))
			})
		},
	} {
		for inner, panics := range map[*taskflow.Manager]bool{one: false, two: true} {
			reached := false
			h := outer(httpx.Handler(inner, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true })))
			said := func() (said any) {
				defer func() { said = recover() }()
				h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/orders", nil))
				return nil
			}()
			text, _ := said.(string)
			if panics != strings.Contains(text, "GET /orders passes the middleware of two managers") || panics == reached {
				t.Errorf("outer middleware %s, another manager %v: it panicked with %v and reached the handler %v", name, panics, said, reached)
			}
		}
	}
	dropped := make(chan taskflow.Handle, 1)
	inner := httpx.Handler(two, http.NotFoundHandler())
	h := httpx.Handler(one, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		dropped <- taskflow.Add(r.Context(), func() {})
		inner.ServeHTTP(w, r)
	}))
	func() {
		defer func() { _ = recover() }()
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/orders", nil))
	}()
	if err := (<-dropped).Wait(t.Context()); !errors.Is(err, taskflow.ErrDiscarded) {
		t.Errorf("the task of the outer middleware ended with %v, want ErrDiscarded", err)
	}
}
