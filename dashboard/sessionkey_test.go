package dashboard_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
)

// silent is a backend that does not answer when it is asked for a secret.
type silent struct{ *memory.Backend }

func (silent) LoadOrStoreSecret(ctx context.Context, _ string, _ []byte) ([]byte, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// Requests do not queue up for a backend that does not answer: all wait for one question, and each may leave.
func TestManyRequestsWaitForTheKeyOfSessionsTogether(t *testing.T) {
	t.Parallel()
	hash := cheapHash(t, "secret")
	synctest.Test(t, func(t *testing.T) {
		s := openWith(t, []taskflow.ManagerOption{taskflow.WithBackend(silent{memory.New()})}, dashboard.User("ada", hash))
		begin := time.Now()
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				ctx, want := t.Context(), 5*time.Second
				if i%2 == 1 {
					want = time.Second
					left, cancel := context.WithTimeout(ctx, want)
					defer cancel()
					ctx = left
				}
				time.Sleep(time.Duration(i) * time.Millisecond)
				w := httptest.NewRecorder()
				s.h.ServeHTTP(w, newRequest(ctx, http.MethodGet, "/metrics", nil))
				if took := time.Since(begin); took > want+20*time.Millisecond {
					t.Errorf("request %d was answered with %d after %v, want %v", i, w.Code, took, want)
				}
			})
		}
		wg.Wait()
	})
}
