package adaptertest

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// testResponse: the server's network is slow, and every task notes how many bytes had left when it started: all of them, always.
func testResponse(t *testing.T, f Framework) {
	bodies := map[string]func(Request) error{
		"small":   func(r Request) error { return r.Text(200, "done") },
		"none":    func(r Request) error { return r.Text(204, "") },
		"large":   func(r Request) error { return r.Text(200, strings.Repeat("x", 20_000)) },
		"chunked": func(r Request) error { return r.Chunks("a", "b") },
		"error":   func(r Request) error { return r.Text(500, "broken") },
	}
	for _, connection := range []string{"keep-alive", "close"} {
		for kind, respond := range bodies {
			t.Run(connection+"/"+kind, func(t *testing.T) {
				t.Parallel()
				const requests = 40 // times five bodies: 200 for each kind of connection
				ln := Listen(t, 2*time.Millisecond)
				m := NewManager(t)
				app := f.New(t, m, Setup{})
				left := make(chan int64, 1)
				app.Handle("/", func(r Request) error {
					r.Add(task(func() { left <- ln.Written() }))
					return respond(r)
				})
				s := serve(t, app, m, ln)
				var client *Client
				var before int64
				for i := range requests {
					if client == nil || connection == "close" {
						before = ln.Written()
						client = Dial(t, s.addr)
					}
					client.Request("GET", "/", "Connection: "+connection+"\r\n")
					client.Response()
					if got, want := Receive(t, "the task", left)-before, client.Received(); got != want {
						t.Fatalf("request %d: the task started when %d of %d bytes had left", i, got, want)
					}
				}
				s.stopClean()
			})
		}
	}
	t.Run("eager tasks do not wait", func(t *testing.T) {
		t.Parallel()
		m := NewManager(t)
		app := f.New(t, m, Setup{})
		app.Handle("/", func(r Request) error {
			if err := r.Add(task(func() {}), taskflow.Eager()).Wait(context.Background()); err != nil {
				t.Errorf("the task: %v", err)
			}
			return r.Text(200, "ok")
		})
		s := serve(t, app, m, Listen(t, 0))
		s.get("/")
		s.stopClean()
	})
	t.Run("tasks added after it start at once", func(t *testing.T) {
		t.Parallel()
		m := NewManager(t)
		app := f.New(t, m, Setup{})
		requests, ran := make(chan context.Context, 1), make(chan struct{}, 2)
		app.Handle("/", func(r Request) error {
			r.Add(task(func() { ran <- struct{}{} }))
			requests <- r.Context()
			return r.Text(200, "ok")
		})
		s := serve(t, app, m, Listen(t, 0))
		s.get("/")
		Receive(t, "the task of the handler", ran)
		taskflow.Add(<-requests, func() { ran <- struct{}{} })
		Receive(t, "the task added after the response", ran)
		s.stopClean()
	})
}

type userKey struct{}

// testValues: what a task captured, what its context has, and what its options said, is its own request's, however many others the
// framework's reused memory has served by then. The race detector does not see reused strings, so values are compared.
func testValues(t *testing.T, f Framework) {
	const requests, clients = 1000, 16
	type seen struct {
		id, viaCore, user string
		ctxErr            error
	}
	results, handles := make(chan seen, requests), make(chan taskflow.Handle, requests)
	m := NewManager(t)
	app := f.New(t, m, Setup{Value: userKey{}})
	app.Handle("/items/:id", func(r Request) error {
		id := r.Param("id")
		var other seen
		h := taskflow.Add(r.Context(), func(ctx context.Context) { // from a service that has only the context
			other.viaCore, _ = ctx.Value(userKey{}).(string)
		})
		raw := r.RawParam("id")
		handles <- r.Add(func(ctx context.Context) error {
			if err := h.Wait(ctx); err != nil {
				return err
			}
			user, _ := ctx.Value(userKey{}).(string)
			results <- seen{id, other.viaCore, user, ctx.Err()}
			return nil
		}, taskflow.Name(raw), taskflow.Tag("item", raw), taskflow.Tag(raw, "key"), taskflow.Options(taskflow.Tag("joined", raw)), taskflow.Tag("true", id))
		return r.Text(200, id)
	})
	s := serve(t, app, m, Listen(t, 0))
	var wg sync.WaitGroup
	for g := range clients {
		client := Dial(t, s.addr)
		wg.Go(func() {
			for i := g; i < requests; i += clients {
				client.Request("GET", fmt.Sprintf("/items/%d", i), fmt.Sprintf("User: user-%d\r\n", i))
				if _, body := client.Response(); body != fmt.Sprint(i) {
					t.Errorf("item %d: the response is %q", i, body)
				}
			}
		})
	}
	wg.Wait()
	s.stopClean()
	close(results)
	close(handles)
	for h := range handles {
		record := h.Record()
		id := record.Tags["true"]
		if want := map[string]string{"true": id, "item": id, id: "key", "joined": id}; record.Name != id || !maps.Equal(record.Tags, want) {
			t.Errorf("the task of item %s has name %q and tags %q", id, record.Name, record.Tags)
		}
	}
	ids := map[string]bool{}
	for r := range results {
		ids[r.id] = true
		if r.user != "user-"+r.id || r.viaCore != "user-"+r.id {
			t.Errorf("the tasks of item %s have the contexts of %q and %q", r.id, r.user, r.viaCore)
		}
		if r.ctxErr != nil {
			t.Errorf("the task of item %s: its context has ended: %v", r.id, r.ctxErr)
		}
	}
	if len(ids) != requests {
		t.Errorf("%d different tasks ran, want %d", len(ids), requests)
	}
}
