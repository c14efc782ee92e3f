package bench

import (
	"bufio"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/gofiber/fiber/v2"

	chitasks "github.com/taskflow-go/taskflow/adapters/chi"
	fibertasks "github.com/taskflow-go/taskflow/adapters/fiber"
	gintasks "github.com/taskflow-go/taskflow/adapters/gin"
	nettasks "github.com/taskflow-go/taskflow/adapters/nethttp"
	"github.com/taskflow-go/taskflow/dashboard"
)

// BenchmarkStreamFirstByte is the time from the request for the live stream, on a new connection, to the first byte of its first event.
func BenchmarkStreamFirstByte(b *testing.B) {
	gin.SetMode(gin.ReleaseMode)
	for name, mounted := range map[string]func(b *testing.B) (addr string){
		"nethttp": func(b *testing.B) string {
			mux := http.NewServeMux()
			nettasks.Mount(mux, started(b), "/tasks")
			return serveHTTP(b, mux, nil)
		},
		"chi": func(b *testing.B) string {
			r := chi.NewRouter()
			chitasks.Mount(r, started(b), "/tasks")
			return serveHTTP(b, r, nil)
		},
		"gin": func(b *testing.B) string {
			e := gin.New()
			gintasks.Mount(e, started(b), "/tasks")
			return serveHTTP(b, e.Handler(), nil)
		},
		"fiber": func(b *testing.B) string {
			app := fiber.New(fiber.Config{DisableStartupMessage: true})
			fibertasks.Mount(app, started(b), "/tasks", dashboard.MaxViewers(10_000)) // fasthttp notices that one has left at the next write
			return serveApp(b, app)
		},
	} {
		b.Run(name, func(b *testing.B) {
			addr := mounted(b)
			var all []float64
			for b.Loop() {
				all = append(all, firstByte(b, addr).Seconds()*1000)
			}
			b.ReportMetric(quantile(all, 0.5), "p50-ms")
			b.ReportMetric(quantile(all, 0.99), "p99-ms")
		})
	}
}

// firstByte opens the stream, waits for its first event and leaves.
func firstByte(b *testing.B, addr string) time.Duration {
	b.Helper()
	c, err := new(net.Dialer).DialContext(b.Context(), "tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = c.Close() }() // nobody reads it any more
	began := time.Now()
	if _, err := c.Write([]byte("GET /tasks/dashboard/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")); err != nil {
		b.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		b.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		b.Fatalf("the stream: %s", resp.Status)
	}
	if _, err := resp.Body.Read(make([]byte, 1)); err != nil {
		b.Fatal(err)
	}
	return time.Since(began)
}
