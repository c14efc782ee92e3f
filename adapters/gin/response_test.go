package tasks_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	tasks "github.com/taskflow-go/taskflow/adapters/gin"
	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// The server's network is slow, and every task notes how many bytes had left when it started: all of them, always.
func TestTaskStartsAfterTheLastByte(t *testing.T) {
	t.Parallel()
	bodies := map[string]func(c *gin.Context){
		"small":   func(c *gin.Context) { c.String(http.StatusOK, "done") },
		"none":    func(c *gin.Context) { c.Status(http.StatusNoContent) },
		"large":   func(c *gin.Context) { c.String(http.StatusOK, strings.Repeat("x", 20_000)) },
		"chunked": func(c *gin.Context) { c.String(http.StatusOK, "a"); c.Writer.Flush(); c.String(http.StatusOK, "b") },
		"error":   func(c *gin.Context) { c.AbortWithStatus(http.StatusInternalServerError) },
	}
	for _, connection := range []string{"keep-alive", "close"} {
		for kind, respond := range bodies {
			t.Run(connection+"/"+kind, func(t *testing.T) {
				t.Parallel()
				const requests = 40 // times five bodies: 200 for each kind of connection
				ln := adaptertest.Listen(t, 2*time.Millisecond)
				m := newManager(t)
				engine := newEngine(m)
				left := make(chan int64, 1)
				engine.GET("/", func(c *gin.Context) {
					tasks.Add(c, func() { left <- ln.Written() })
					respond(c)
				})
				s := run(t, engine, m, ln)
				var client *adaptertest.Client
				var before int64
				for i := range requests {
					if client == nil || connection == "close" {
						before = ln.Written()
						client = adaptertest.Dial(t, ln.Addr().String())
					}
					client.Request("GET", "/", "Connection: "+connection+"\r\n")
					client.Response()
					if got, want := adaptertest.Receive(t, "the task", left)-before, client.Received(); got != want {
						t.Fatalf("request %d: the task started when %d of %d bytes had left", i, got, want)
					}
				}
				stopClean(t, s)
			})
		}
	}
}

type userKey struct{}

// What a task captured is its own request's, however many others Gin's reused contexts have served by then.
func TestTasksOfConcurrentRequestsKeepTheirValues(t *testing.T) {
	t.Parallel()
	const requests, clients = 1000, 16
	type seen struct {
		id, user string
		ctxErr   error
	}
	results := make(chan seen, requests)
	m := newManager(t)
	engine := gin.New()
	engine.Use(func(c *gin.Context) {
		c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), userKey{}, c.GetHeader("User")))
	}, tasks.Middleware(m))
	engine.GET("/items/:id", func(c *gin.Context) {
		id := c.Param("id")
		tasks.Add(c, func(ctx context.Context) {
			user, _ := ctx.Value(userKey{}).(string)
			results <- seen{id, user, ctx.Err()}
		})
		c.String(http.StatusOK, id)
	})
	ln := adaptertest.Listen(t, 0)
	s := run(t, engine, m, ln)
	var wg sync.WaitGroup
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	defer client.CloseIdleConnections()
	for g := range clients {
		wg.Go(func() {
			for i := g; i < requests; i += clients {
				if err := ask(client, ln.Addr().String(), i); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	stopClean(t, s)
	close(results)
	ids := map[string]bool{}
	for r := range results {
		ids[r.id] = true
		if r.user != "user-"+r.id {
			t.Errorf("task of item %s has the context of %q", r.id, r.user)
		}
		if r.ctxErr != nil {
			t.Errorf("task of item %s: its context has ended: %v", r.id, r.ctxErr)
		}
	}
	if len(ids) != requests {
		t.Errorf("%d different tasks ran, want %d", len(ids), requests)
	}
}

func ask(client *http.Client, addr string, i int) (err error) {
	req, err := http.NewRequest(http.MethodGet, fmt.Sprintf("http://%s/items/%d", addr, i), nil)
	if err != nil {
		return err
	}
	req.Header.Set("User", fmt.Sprintf("user-%d", i))
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if want := fmt.Sprint(i); string(body) != want {
		return fmt.Errorf("item %d: the response is %q", i, body)
	}
	return resp.Body.Close()
}

func TestTaskOutlivesAClientThatLeaves(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(client *adaptertest.Client, handling, goOn chan struct{}, t *testing.T){
		"while the request is handled": func(client *adaptertest.Client, handling, goOn chan struct{}, t *testing.T) {
			adaptertest.Receive(t, "the handler", handling)
			_ = client.Close()
			goOn <- struct{}{}
		},
		"before it is handled": func(client *adaptertest.Client, handling, goOn chan struct{}, t *testing.T) {
			_ = client.Close()
			adaptertest.Receive(t, "the handler", handling)
			goOn <- struct{}{}
		},
		"after the response": func(client *adaptertest.Client, handling, goOn chan struct{}, t *testing.T) {
			adaptertest.Receive(t, "the handler", handling)
			goOn <- struct{}{}
			client.Response()
			_ = client.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newManager(t)
			engine := newEngine(m)
			handling, goOn, ran := make(chan struct{}), make(chan struct{}), make(chan error, 1)
			engine.GET("/", func(c *gin.Context) {
				tasks.Add(c, func(ctx context.Context) { ran <- ctx.Err() })
				handling <- struct{}{}
				<-goOn
				c.String(http.StatusOK, "hello")
			})
			ln := adaptertest.Listen(t, 0)
			s := run(t, engine, m, ln)
			client := adaptertest.Dial(t, ln.Addr().String())
			client.Request("GET", "/", "")
			leave(client, handling, goOn, t)
			if err := adaptertest.Receive(t, "the task", ran); err != nil {
				t.Errorf("the task's context has ended with the client's: %v", err)
			}
			stopClean(t, s)
		})
	}
}

// A goroutine of a handler may still add when the response is out: there is nothing to wait for then.
func TestTaskAddedAfterTheResponseStartsAtOnce(t *testing.T) {
	t.Parallel()
	m := newManager(t)
	engine := newEngine(m)
	requests, ran := make(chan context.Context, 1), make(chan struct{}, 2)
	engine.GET("/", func(c *gin.Context) {
		tasks.Add(c, func() { ran <- struct{}{} })
		requests <- c.Request.Context()
	})
	ln := adaptertest.Listen(t, 0)
	s := run(t, engine, m, ln)
	client := adaptertest.Dial(t, ln.Addr().String())
	client.Request("GET", "/", "")
	client.Response()
	adaptertest.Receive(t, "the task of the handler", ran)
	taskflow.Add(<-requests, func() { ran <- struct{}{} })
	adaptertest.Receive(t, "the task added after the response", ran)
	stopClean(t, s)
}

func TestEagerTaskDoesNotWaitForTheResponse(t *testing.T) {
	t.Parallel()
	m := newManager(t)
	engine := newEngine(m)
	engine.GET("/", func(c *gin.Context) {
		h := tasks.Add(c, func() {}, taskflow.Eager())
		if err := h.Wait(c.Request.Context()); err != nil {
			t.Errorf("the task: %v", err)
		}
	})
	ln := adaptertest.Listen(t, 0)
	s := run(t, engine, m, ln)
	client := adaptertest.Dial(t, ln.Addr().String())
	client.Request("GET", "/", "")
	client.Response()
	stopClean(t, s)
}
