package tasks_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/gin-gonic/gin"

	tasks "github.com/taskflow-go/taskflow/adapters/gin"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// A service: the task runs when the response has been sent, and the end of the service waits for it.
func Example() {
	m, err := taskflow.New(taskflow.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		log.Fatal(err)
	}
	r := gin.New()
	r.Use(gin.Recovery(), tasks.Middleware(m))
	tasks.Mount(r, m, "/tasks")
	r.POST("/signup/:name", func(c *gin.Context) {
		name := c.Param("name") // c itself is of no use in a task: Gin reuses it
		tasks.Add(c, func(context.Context) error {
			fmt.Println("welcome,", name)
			return nil
		})
		c.Status(http.StatusAccepted)
	})

	ctx, stop := context.WithCancel(context.Background()) // a real service leaves this to SIGTERM: context.Background() will do
	ln, err := listenLocal()
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		defer stop()
		resp, err := http.Post("http://"+ln.Addr().String()+"/signup/ada", "", nil)
		if err != nil {
			log.Print(err)
			return
		}
		_ = resp.Body.Close()
	}()
	if err := tasks.Run(ctx, r, m, "", tasks.WithListener(ln)); err != nil {
		log.Fatal(err)
	}
	// Output: welcome, ada
}

// A handler that must not promise what it cannot keep uses Submit: it says no where Add would accept and hope.
func ExampleSubmit() {
	sendInvoice := taskflow.Define("send_invoice", func(context.Context, int) error { return nil })
	m, err := taskflow.New(taskflow.WithTasks(sendInvoice), // and no backend, so nothing can be kept
		taskflow.WithLogger(slog.New(slog.NewTextHandler(os.Stderr, nil))))
	if err != nil {
		log.Fatal(err)
	}
	r := gin.New()
	r.Use(tasks.Middleware(m))
	r.POST("/invoices", func(c *gin.Context) {
		task, err := tasks.Submit(c, sendInvoice.With(17))
		if err != nil {
			c.String(http.StatusServiceUnavailable, err.Error())
			return
		}
		c.JSON(http.StatusAccepted, gin.H{"task_id": task.ID()})
	})
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/invoices", nil))
	fmt.Println(w.Code, w.Body)
	// Output: 503 taskflow: submit "send_invoice": taskflow: task would not be durable: there is no backend: give New a WithBackend, of backends/sqlite for example
}

// A server of one's own, started and stopped by hand.
func ExampleAttach() {
	m, err := taskflow.New(taskflow.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		log.Fatal(err)
	}
	r := gin.New()
	r.Use(tasks.Middleware(m))
	r.GET("/", func(c *gin.Context) { tasks.Add(c, func() { fmt.Println("task") }) })

	srv := &http.Server{Handler: r.Handler()}
	tasks.Attach(srv, m)
	if err := m.Start(context.Background()); err != nil {
		log.Fatal(err)
	}
	ln, err := listenLocal()
	if err != nil {
		log.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()

	resp, err := http.Get("http://" + ln.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	_ = resp.Body.Close()

	if err := srv.Shutdown(context.Background()); err != nil { // first the requests …
		log.Fatal(err)
	}
	if err := m.Stop(context.Background()); err != nil { // … then their tasks
		log.Fatal(err)
	}
	fmt.Println(<-served)
	// Output:
	// task
	// http: Server closed
}
