package bench

import (
	"net/http"
	"testing"

	"github.com/gin-gonic/gin"

	tasks "github.com/taskflow-go/taskflow/adapters/gin"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// engines are the same handler, answering "ok", in four shapes; m is the manager of those with the middleware.
func engines(b *testing.B) (m *taskflow.Manager, byName map[string]*gin.Engine) {
	b.Helper()
	gin.SetMode(gin.ReleaseMode)
	m = started(b)
	answer := func(c *gin.Context) { c.String(http.StatusOK, "ok") }
	work := func() {}
	engine := func(handlers ...gin.HandlerFunc) *gin.Engine {
		e := gin.New()
		e.GET("/", handlers...)
		return e
	}
	return m, map[string]*gin.Engine{
		"bare":                engine(answer),
		"middleware":          engine(tasks.Middleware(m), answer),
		"go-statement":        engine(func(c *gin.Context) { go work(); answer(c) }),
		"middleware-one-task": engine(tasks.Middleware(m), func(c *gin.Context) { tasks.Add(c, work); answer(c) }),
	}
}

// BenchmarkHandler is a request through Gin without a network: what the middleware and a task add to it.
func BenchmarkHandler(b *testing.B) {
	_, all := engines(b)
	for _, name := range []string{"bare", "middleware", "go-statement", "middleware-one-task"} {
		b.Run(name, func(b *testing.B) {
			r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "/", http.NoBody)
			if err != nil {
				b.Fatal(err)
			}
			w := discard{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				all[name].ServeHTTP(w, r)
			}
		})
	}
}

// discard is a response nobody reads.
type discard struct{ header http.Header }

func (w discard) Header() http.Header         { return w.header }
func (w discard) Write(p []byte) (int, error) { return len(p), nil }
func (w discard) WriteHeader(int)             {}
