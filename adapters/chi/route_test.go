package tasks_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/go-chi/chi/v5"

	tasks "github.com/taskflow-go/taskflow/adapters/chi"
	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// Chi reuses the route's context for other requests: a task that looks into its context for a parameter must find its own request's.
func TestParametersInATasksContextAreItsOwnRequests(t *testing.T) {
	t.Parallel()
	const requests, clients = 1000, 16
	m := adaptertest.NewManager(t)
	r := chi.NewRouter()
	r.Use(tasks.Middleware(m))
	goOn := make(chan struct{}) // tasks look when all requests are through
	wrong := make(chan string, 2*requests)
	r.Get("/items/{id}", func(w http.ResponseWriter, req *http.Request) {
		id := chi.URLParam(req, "id")
		look := func(ctx context.Context) {
			<-goOn
			if got := chi.URLParamFromCtx(ctx, "id"); got != id {
				wrong <- fmt.Sprintf("the task of item %s sees %q", id, got)
			}
		}
		tasks.Add(req, look)
		taskflow.Add(req.Context(), look)
		w.WriteHeader(http.StatusAccepted)
	})
	ln := adaptertest.Listen(t, 0)
	s := adaptertest.Start(t, func(ctx context.Context) error { return tasks.Run(ctx, r, m, "", tasks.WithListener(ln)) })
	var wg sync.WaitGroup
	for g := range clients {
		c := adaptertest.Dial(t, ln.Addr().String())
		wg.Go(func() {
			for i := g; i < requests; i += clients {
				c.Request("GET", fmt.Sprintf("/items/%d", i), "")
				c.Response()
			}
		})
	}
	wg.Wait()
	close(goOn)
	s.Stop()
	if err := s.Wait(); err != nil {
		t.Fatal(err)
	}
	close(wrong)
	n := 0
	for text := range wrong {
		if n++; n <= 5 {
			t.Error(text)
		}
	}
	if n > 0 {
		t.Errorf("%d of %d tasks saw another request's parameter", n, 2*requests)
	}
}

func TestMountRefusesARouteThatChiWouldReplace(t *testing.T) {
	t.Parallel()
	r := chi.NewRouter()
	r.Mount("/tasks", http.NotFoundHandler())
	defer func() {
		if got, want := fmt.Sprint(recover()), `tasks.Mount("/tasks"): the router has a route at "/tasks`; len(got) < len(want) || got[:len(want)] != want {
			t.Errorf("panic %q, want %s…", got, want)
		}
	}()
	tasks.Mount(r, adaptertest.NewManager(t), "/tasks")
}
