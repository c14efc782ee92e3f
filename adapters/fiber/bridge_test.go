package tasks_test

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	tasks "github.com/taskflow-go/taskflow/adapters/fiber"
	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
)

// streamThen writes one flushed part with a deadline that is soon over, and calls f.
func streamThen(f func(http.ResponseWriter)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		rc := http.NewResponseController(w)
		if err := rc.SetWriteDeadline(time.Now().Add(adaptertest.Patience)); err != nil {
			panic(err)
		}
		_, _ = io.WriteString(w, "first ")
		_ = rc.Flush()
		f(w)
	})
}

func TestConnectionServesAfterAStream(t *testing.T) {
	t.Parallel()
	m := adaptertest.NewManager(t)
	app := newApp(m)
	app.Get("/stream", tasks.Bridge(streamThen(func(w http.ResponseWriter) {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
		_, _ = io.WriteString(w, "last") // without a flush
	}), m))
	app.Get("/plain", func(c *fiber.Ctx) error {
		<-time.After(150 * time.Millisecond) // until the stream's last deadline is over
		return c.SendString("plain")
	})
	_, addr := run(t, app, m)
	c := adaptertest.Dial(t, addr)
	for range 2 {
		c.Request("GET", "/stream", "")
		if _, body := c.Response(); body != "first last" {
			t.Errorf("the stream was %q", body)
		}
		c.Request("GET", "/plain", "")
		if _, body := c.Response(); body != "plain" {
			t.Errorf("after the stream came %q", body)
		}
	}
}

func TestPanicsOfTheHandler(t *testing.T) {
	t.Parallel()
	m := adaptertest.NewManager(t)
	app := newApp(m)
	app.Get("/early", tasks.Bridge(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("early") }), m))
	app.Get("/late", tasks.Bridge(streamThen(func(http.ResponseWriter) { panic("late") }), m))
	_, addr := run(t, app, m)
	if body := ask(t, addr, "/early"); body != "early" { // Fiber's ErrorHandler shows what was recovered
		t.Errorf("answer %q", body)
	}
	c := adaptertest.Dial(t, addr)
	c.Request("GET", "/late", "")
	resp, err := c.Head()
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("the stream %q ended as if it were whole", body)
	}
}

func TestViewerLeavesAndContextEnds(t *testing.T) {
	t.Parallel()
	m := adaptertest.NewManager(t)
	app, ended := newApp(m), make(chan struct{})
	app.Get("/", tasks.Bridge(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		for r.Context().Err() == nil {
			_, _ = io.WriteString(w, "beat\n")
			_ = http.NewResponseController(w).Flush()
		}
	}), m))
	_, addr := run(t, app, m)
	c := adaptertest.Dial(t, addr)
	c.Request("GET", "/", "")
	if _, err := c.Head(); err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	adaptertest.Receive(t, "the end of the handler", ended)
}

func TestRequestIsCopiedWhole(t *testing.T) {
	t.Parallel()
	cert := httptest.NewTLSServer(nil)
	defer cert.Close()
	m := adaptertest.NewManager(t)
	app, got := newApp(m), make(chan *http.Request, 1)
	app.Post("/in/*", tasks.Bridge(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r }), m))
	ln := adaptertest.Listen(t, 0)
	adaptertest.Start(t, func(ctx context.Context) error {
		return tasks.Run(ctx, app, m, "", tasks.WithListener(tls.NewListener(ln, &tls.Config{Certificates: cert.TLS.Certificates, MinVersion: tls.VersionTLS12})))
	})
	resp, err := cert.Client().Post("https://"+ln.Addr().String()+"/in/x%20y?q=1", "text/plain", strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	r := adaptertest.Receive(t, "the request", got)
	body, err := io.ReadAll(r.Body)
	if err != nil || string(body) != "body" || r.ContentLength != 4 {
		t.Errorf("body %q, %v", body, err)
	}
	if r.TLS == nil || !r.TLS.HandshakeComplete {
		t.Errorf("TLS state %+v", r.TLS)
	}
	if r.Host != ln.Addr().String() || r.RequestURI != "/in/x%20y?q=1" || r.URL.Path != "/below" || r.URL.RawQuery != "q=1" ||
		!strings.HasPrefix(r.RemoteAddr, "127.0.0.1:") || r.Header.Get("Content-Type") != "text/plain" || r.Method != "POST" {
		t.Errorf("request %+v", r)
	}
}
