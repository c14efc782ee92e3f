package bench

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/gofiber/fiber/v2"

	chitasks "github.com/taskflow-go/taskflow/adapters/chi"
	fibertasks "github.com/taskflow-go/taskflow/adapters/fiber"
	gintasks "github.com/taskflow-go/taskflow/adapters/gin"
	nettasks "github.com/taskflow-go/taskflow/adapters/nethttp"
)

// servers start, for each framework, a server whose GET / answers "ok" in one of the shapes bare, middleware, go-statement and
// middleware-one-task, and return its address.
var servers = map[string]func(b *testing.B, shape string) (addr string){
	"nethttp": serveNetHTTP, "chi": serveChi, "gin": serveGin, "fiber": serveFiber,
}

func work() {}

func listen(b *testing.B) net.Listener {
	b.Helper()
	l, err := new(net.ListenConfig).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	return l
}

// serveHTTP serves h until the end of the benchmark, as tasks.Run would where attach is not nil.
func serveHTTP(b *testing.B, h http.Handler, attach func(*http.Server)) string {
	b.Helper()
	l := listen(b)
	srv := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	if attach != nil {
		attach(srv)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			b.Error(err)
		}
	})
	b.Cleanup(func() {
		if err := srv.Shutdown(context.Background()); err != nil {
			b.Error(err)
		}
		serving.Wait()
	})
	return l.Addr().String()
}

// handler is that of net/http and Chi; add is the adapter's Add.
func handler(shape string, add func(*http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch shape {
		case "go-statement":
			go work()
		case "middleware-one-task":
			add(r)
		}
		_, _ = io.WriteString(w, "ok") // the client would notice
	}
}

func serveNetHTTP(b *testing.B, shape string) string {
	b.Helper()
	mux := http.NewServeMux()
	mux.Handle("GET /", handler(shape, func(r *http.Request) { nettasks.Add(r, work) }))
	if !strings.HasPrefix(shape, "middleware") {
		return serveHTTP(b, mux, nil)
	}
	m := started(b)
	return serveHTTP(b, nettasks.Middleware(m)(mux), func(srv *http.Server) { nettasks.Attach(srv, m) })
}

func serveChi(b *testing.B, shape string) string {
	b.Helper()
	r := chi.NewRouter()
	var attach func(*http.Server)
	if strings.HasPrefix(shape, "middleware") {
		m := started(b)
		r.Use(chitasks.Middleware(m))
		attach = func(srv *http.Server) { chitasks.Attach(srv, m) }
	}
	r.Get("/", handler(shape, func(r *http.Request) { chitasks.Add(r, work) }))
	return serveHTTP(b, r, attach)
}

func serveGin(b *testing.B, shape string) string {
	b.Helper()
	m, all := engines(b)
	if !strings.HasPrefix(shape, "middleware") {
		return serveHTTP(b, all[shape].Handler(), nil)
	}
	return serveHTTP(b, all[shape].Handler(), func(srv *http.Server) { gintasks.Attach(srv, m) })
}

func serveFiber(b *testing.B, shape string) string {
	b.Helper()
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	if strings.HasPrefix(shape, "middleware") {
		m := started(b)
		app.Use(fibertasks.Middleware(m))
		fibertasks.Attach(app, m)
	}
	app.Get("/", func(c *fiber.Ctx) error {
		switch shape {
		case "go-statement":
			go work()
		case "middleware-one-task":
			fibertasks.Add(c, work)
		}
		return c.SendString("ok")
	})
	return serveApp(b, app)
}

// serveApp serves app until the end of the benchmark.
func serveApp(b *testing.B, app *fiber.App) string {
	b.Helper()
	l := listen(b)
	ready := make(chan struct{})
	app.Hooks().OnListen(func(fiber.ListenData) error { close(ready); return nil })
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := app.Listener(l); err != nil {
			b.Error(err)
		}
	})
	<-ready
	b.Cleanup(func() {
		if err := app.ShutdownWithTimeout(10 * time.Second); err != nil {
			b.Error(err)
		}
		serving.Wait()
	})
	return l.Addr().String()
}
