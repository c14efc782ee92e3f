package tasks_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	tasks "github.com/taskflow-go/taskflow/adapters/gin"
	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
)

func TestRunRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	engine := gin.New()
	for name, tc := range map[string]struct {
		engine *gin.Engine
		addr   string
		opt    tasks.RunOption
		want   string
	}{
		"no engine":               {nil, ":0", nil, "the handler is nil"},
		"no address":              {engine, "", nil, `write host:port, like ":8080"`},
		"address without a port":  {engine, "localhost", nil, `listen on "localhost"`},
		"nil option":              {engine, ":0", nil, "an option is nil"},
		"nil listener":            {engine, ":0", tasks.WithListener(nil), "WithListener: the listener is nil"},
		"nil server function":     {engine, ":0", tasks.WithServer(nil), "WithServer: the function is nil"},
		"negative server timeout": {engine, ":0", tasks.WithServerTimeout(-1), "WithServerTimeout: must not be negative, not -1ns"},
		"negative drain timeout":  {engine, ":0", tasks.WithDrainTimeout(-time.Second), "WithDrainTimeout: must not be negative, not -1s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var opts []tasks.RunOption
			if tc.opt != nil || name == "nil option" {
				opts = append(opts, tc.opt)
			}
			err := tasks.Run(t.Context(), tc.engine, adaptertest.NewManager(t), tc.addr, opts...)
			if err == nil || !strings.HasPrefix(err.Error(), "tasks.Run: ") || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Run: %v\nwant tasks.Run: … %s", err, tc.want)
			}
		})
	}
	if err := tasks.Run(t.Context(), engine, nil, ":0"); err == nil || !strings.Contains(err.Error(), "the manager is nil") {
		t.Errorf("Run without a manager: %v", err)
	}
}

func TestRunKeepsTheHooksAndSettingsOfTheServer(t *testing.T) {
	t.Parallel()
	type key struct{}
	states := make(chan http.ConnState, 100)
	m := adaptertest.NewManager(t)
	engine := newEngine(m)
	var mark any
	engine.GET("/", func(c *gin.Context) { mark = c.Request.Context().Value(key{}) })
	ln := adaptertest.Listen(t, 0)
	s := run(t, engine, m, ln, tasks.WithServer(func(srv *http.Server) {
		if srv.ReadHeaderTimeout <= 0 || srv.IdleTimeout <= 0 {
			t.Errorf("the server starts without time-outs: header %v, idle %v", srv.ReadHeaderTimeout, srv.IdleTimeout)
		}
		srv.ConnContext = func(ctx context.Context, _ net.Conn) context.Context { return context.WithValue(ctx, key{}, "mine") }
		srv.ConnState = func(_ net.Conn, s http.ConnState) { states <- s }
	}))
	client := adaptertest.Dial(t, ln.Addr().String())
	client.Request("GET", "/", "Connection: close\r\n")
	client.Response()
	stopClean(t, s)
	if mark != "mine" {
		t.Errorf("ConnContext was lost: the request's context has %v", mark)
	}
	for _, want := range []http.ConnState{http.StateNew, http.StateActive, http.StateClosed} {
		if got := adaptertest.Receive(t, "a connection's state", states); got != want {
			t.Errorf("ConnState was told %v, want %v", got, want)
		}
	}
}

func TestRunServesHTTPSWhenTheServerHasCertificates(t *testing.T) {
	t.Parallel()
	certs := httptest.NewTLSServer(http.NotFoundHandler()) // lends its certificate, and a client that trusts it
	defer certs.Close()
	m := adaptertest.NewManager(t)
	engine := newEngine(m)
	ran := make(chan struct{}, 1)
	engine.GET("/", func(c *gin.Context) { tasks.Add(c, func() { ran <- struct{}{} }) })
	ln := adaptertest.Listen(t, 0)
	s := run(t, engine, m, ln, tasks.WithServer(func(srv *http.Server) { srv.TLSConfig = certs.TLS.Clone() }))
	resp, err := certs.Client().Get("https://" + ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	adaptertest.Receive(t, "the task", ran)
	stopClean(t, s)
}

// UseH2C acts on Engine.Handler, not on the engine itself.
func TestRunKeepsUseH2C(t *testing.T) {
	t.Parallel()
	m := adaptertest.NewManager(t)
	engine := newEngine(m)
	engine.UseH2C = true
	ran := make(chan struct{}, 1)
	engine.GET("/", func(c *gin.Context) { tasks.Add(c, func() { ran <- struct{}{} }) })
	ln := adaptertest.Listen(t, 0)
	s := run(t, engine, m, ln)
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	client := &http.Client{Transport: &http.Transport{Protocols: protocols}}
	resp, err := client.Get("http://" + ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.ProtoMajor != 2 {
		t.Errorf("got %s (%v), want HTTP/2", resp.Proto, err)
	}
	adaptertest.Receive(t, "the task", ran)
	client.CloseIdleConnections()
	stopClean(t, s)
}
