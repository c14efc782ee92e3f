package dashboard_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
)

// stuck is a writer whose client reads nothing until let is closed.
type stuck struct {
	*httptest.ResponseRecorder

	let chan struct{}
}

func (s *stuck) Write(b []byte) (int, error) {
	<-s.let
	return s.ResponseRecorder.Write(b)
}

// stuckExport begins an export that does not end until let is closed.
func (s *site) stuckExport(wg *sync.WaitGroup, let chan struct{}, changes ...change) {
	wg.Go(func() {
		w := &stuck{httptest.NewRecorder(), let}
		s.h.ServeHTTP(w, newRequest(s.t.Context(), http.MethodGet, "/export?format=csv", changes))
		if w.Code != http.StatusOK {
			s.t.Errorf("an export ended with %d: %s", w.Code, w.Body)
		}
	})
	synctest.Wait()
}

func TestSlowExportsKeepOnlyTheirOwnClientWaiting(t *testing.T) {
	t.Parallel()
	hash := cheapHash(t, "secret")
	for name, opts := range map[string][]dashboard.Option{
		"by address": {dashboard.PublicViewer()},
		"by user":    {dashboard.User("user0", hash), dashboard.Viewer("user1", hash)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := open(t, opts...)
				slow, other := from("192.0.2.1:1"), from("192.0.2.2:1")
				if name == "by user" {
					slow, other = cookie(s.login("user0", "secret")), cookie(s.login("user1", "secret"))
				}
				let, letOne := make(chan struct{}), make(chan struct{})
				var wg sync.WaitGroup
				defer wg.Wait()
				defer close(let)
				for range 3 {
					s.stuckExport(&wg, let, slow)
				}
				s.stuckExport(&wg, letOne, slow)
				w := s.get("/export?format=json", http.StatusTooManyRequests, slow)
				if text := detail(t, w); !strings.Contains(text, "4 of your exports") || w.Header().Get("Retry-After") == "" {
					t.Errorf("%q does not say whose exports, or when to try again", text)
				}
				s.get("/export?format=json", http.StatusOK, other)
				close(letOne)
				synctest.Wait()
				s.get("/export?format=json", http.StatusOK, slow)
			})
		})
	}
}

func TestExportsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, dashboard.PublicViewer())
		let := make(chan struct{})
		var wg sync.WaitGroup
		for i := range 32 {
			s.stuckExport(&wg, let, from(fmt.Sprintf("192.0.2.%d:1", i/4)))
		}
		detail(t, s.get("/export?format=csv", http.StatusServiceUnavailable, from("192.0.2.99:1")))
		close(let)
		wg.Wait()
		s.get("/export?format=csv", http.StatusOK, from("192.0.2.99:1"))
	})
}

// manyFailures is a backend with n failures, whose errors have 1000 bytes each.
func manyFailures(t *testing.T, n int) *memory.Backend {
	t.Helper()
	b := memory.New()
	var records []taskflow.Record
	for i := range n {
		records = append(records, failedAt(time.Now(), time.Duration(i)*time.Second, "fail", strings.Repeat("x", 1000)))
	}
	if _, err := b.Save(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	return b
}

// paced notes how much is written between two deadlines.
type paced struct {
	*httptest.ResponseRecorder

	since, most int
}

func (p *paced) SetWriteDeadline(time.Time) error { p.since = 0; return nil }

func (p *paced) Write(b []byte) (int, error) {
	p.since += len(b)
	p.most = max(p.most, p.since)
	return p.ResponseRecorder.Write(b)
}

// A client has the write timeout for each 64 KiB, not for a whole page, which a slow one could never read in that time.
func TestExportAsksForProgressInSmallParts(t *testing.T) {
	t.Parallel()
	s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(fail), taskflow.WithBackend(manyFailures(t, 2500))})
	for _, format := range []string{"csv", "json", "ndjson"} {
		w := &paced{ResponseRecorder: httptest.NewRecorder()}
		s.h.ServeHTTP(w, newRequest(t.Context(), http.MethodGet, "/export?format="+format, nil))
		if w.Body.Len() < 2_500_000 || w.most > 70<<10 {
			t.Errorf("%s: of %d bytes up to %d are written within one deadline, want 70 KiB at most", format, w.Body.Len(), w.most)
		}
	}
}

// A client that reads nothing is left after the write timeout, and its place is free.
func TestStuckExportIsDropped(t *testing.T) {
	t.Parallel()
	s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(fail), taskflow.WithBackend(manyFailures(t, 20_000))}, dashboard.WriteTimeout(200*time.Millisecond))
	srv := s.serve(func(*http.Server) {})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for range 4 {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }() // the server has left it by then
		if _, err := io.WriteString(conn, "GET /tasks/export?format=csv HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, make([]byte, 100)); err != nil { // it has begun
			t.Fatal(err)
		}
	}
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for statuses := map[int]int{}; statuses[http.StatusOK] == 0; {
		select {
		case <-look.C:
		case <-ctx.Done():
			t.Fatalf("nobody was let in: %v", statuses)
		}
		w := httptest.NewRecorder()
		s.h.ServeHTTP(w, newRequest(ctx, http.MethodGet, "/export?format=csv&func_name=nobody", nil))
		statuses[w.Code]++
	}
}
