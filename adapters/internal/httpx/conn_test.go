package httpx_test

import (
	"context"
	"net"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
	"weak"

	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
	"github.com/taskflow-go/taskflow/adapters/internal/httpx"
	"github.com/taskflow-go/taskflow/adapters/internal/lifecycle"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// watchedListener tells which connections it has accepted, and keeps none of them alive.
type watchedListener struct {
	net.Listener
	accepted chan weak.Pointer[watchedConn]
}

type watchedConn struct{ net.Conn }

func (l watchedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	w := &watchedConn{c}
	l.accepted <- weak.Make(w)
	return w, nil
}

// A server that runs for months must not keep what belongs to a connection.
func TestConnectionsThatHaveEndedAreForgotten(t *testing.T) {
	t.Parallel()
	m := adaptertest.StartedManager(t)
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(_ http.ResponseWriter, r *http.Request) { taskflow.Add(r.Context(), func() {}) })
	mux.HandleFunc("/hijack", func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Errorf("hijack: %v", err)
			return
		}
		if err := conn.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	ln := watchedListener{adaptertest.Listen(t, 0), make(chan weak.Pointer[watchedConn], 2)}
	serve(t, m, httpx.Handler(m, mux), ln)
	for _, path := range []string{"/", "/hijack"} {
		client := adaptertest.Dial(t, ln.Addr().String())
		client.Request("GET", path, "Connection: close\r\n")
		client.WaitClosed()
		conn := adaptertest.Receive(t, "the connection", ln.accepted)
		adaptertest.Eventually(t, "the connection of GET "+path+" is garbage", func() bool {
			runtime.GC()
			return conn.Value() == nil
		})
	}
}

// The server may have accepted a connection and not have told anybody when its shutdown closes those that are silent.
func TestAConnectionThatWasJustAcceptedDoesNotDelayAShutdown(t *testing.T) {
	t.Parallel()
	m := adaptertest.StartedManager(t)
	known, accepted, goOn := make(chan struct{}, 2), make(chan struct{}), make(chan struct{})
	var conns atomic.Int32
	var srv *http.Server
	ln := adaptertest.Listen(t, 0)
	serveAs(t, http.NotFoundHandler(), ln, func(s *http.Server) {
		srv = s
		s.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
			if conns.Add(1) == 2 {
				close(accepted)
				<-goOn
			}
			return ctx
		}
		s.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				known <- struct{}{}
			}
		}
		httpx.Attach(s, m)
	})
	first := adaptertest.Dial(t, ln.Addr().String())
	adaptertest.Receive(t, "the first connection", known)
	second := adaptertest.Dial(t, ln.Addr().String())
	adaptertest.Receive(t, "the second connection", accepted)
	began := time.Now()
	ended := make(chan error, 1)
	go func() { ended <- srv.Shutdown(t.Context()) }() // awaited below
	first.WaitClosed()                                 // the silent connections are closed now
	close(goOn)
	second.WaitClosed()
	if err := adaptertest.Receive(t, "the shutdown", ended); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if took := time.Since(began); took > 3*time.Second { // net/http gives a silent connection 5 s
		t.Errorf("the shutdown took %v", took)
	}
}

// A client that sends its header drop by drop, or nothing more, does not hold a connection for ever.
func TestRunLimitsHowLongClientsTakeForAHeader(t *testing.T) {
	t.Parallel()
	var header, idle time.Duration
	look := lifecycle.WithServer(func(srv *http.Server) { header, idle = srv.ReadHeaderTimeout, srv.IdleTimeout })
	m := adaptertest.NewManager(t)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := httpx.Run(ctx, http.NotFoundHandler(), m, "", look, lifecycle.WithListener(adaptertest.Listen(t, 0))); err != nil {
		t.Fatal(err)
	}
	if header != 10*time.Second || idle != 2*time.Minute {
		t.Errorf("a header may take %v and a connection idle for %v, want 10 s and 2 min", header, idle)
	}
}
