package httpx_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/adapters/internal/httpx"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// BenchmarkHandler shows what a request pays: "empty" minus "bare" is the price of a request that adds nothing. The request's
// context is as deep as one of net/http's; "attached" has a server that tells of its connections.
func BenchmarkHandler(b *testing.B) {
	m, err := taskflow.New(taskflow.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		b.Fatal(err)
	}
	if err := m.Start(context.Background()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := m.Stop(context.Background()); err != nil {
			b.Error(err)
		}
	})
	nothing := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	task := taskflow.WorkOf(func() {})
	adds := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		taskflow.BatchFrom(r.Context()).Add(r.Context(), task)
	})
	for _, bc := range []struct {
		name     string
		h        http.Handler
		attached bool
	}{
		{"bare", nothing, false},
		{"empty", httpx.Handler(m, nothing), false},
		{"empty, attached", httpx.Handler(m, nothing), true},
		{"one task", httpx.Handler(m, adds), false},
		{"one task, attached", httpx.Handler(m, adds), true},
	} {
		b.Run(bc.name, func(b *testing.B) {
			ctx := b.Context()
			told := func(http.ConnState) {}
			if bc.attached {
				srv := &http.Server{ReadHeaderTimeout: time.Minute}
				httpx.Attach(srv, m)
				conn, _ := net.Pipe()
				ctx = srv.ConnContext(ctx, conn)
				told = func(s http.ConnState) { srv.ConnState(conn, s) }
			}
			ctx = context.WithValue(ctx, http.LocalAddrContextKey, "127.0.0.1:80")
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			r := httptest.NewRequest("GET", "/", nil).WithContext(ctx)
			w := httptest.NewRecorder()
			b.ReportAllocs()
			for b.Loop() {
				told(http.StateActive)
				bc.h.ServeHTTP(w, r)
				told(http.StateIdle)
			}
		})
	}
}
