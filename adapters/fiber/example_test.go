package tasks_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"
	fiberrecover "github.com/gofiber/fiber/v2/middleware/recover"

	tasks "github.com/taskflow-go/taskflow/adapters/fiber"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// A service: the task runs when the response has been sent, and the end of the service waits for it.
func Example() {
	m, err := taskflow.New(taskflow.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		log.Fatal(err)
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Use(fiberrecover.New(), tasks.Middleware(m))
	tasks.Mount(app, m, "/tasks")
	app.Post("/signup/:name", func(c *fiber.Ctx) error {
		name := strings.Clone(c.Params("name")) // what Params returns is reused memory, and so is c
		tasks.Add(c, func(context.Context) error {
			fmt.Println("welcome,", name)
			return nil
		})
		return c.SendStatus(fiber.StatusAccepted)
	})

	ctx, stop := context.WithCancel(context.Background()) // a real service leaves this to SIGTERM: context.Background() will do
	ln, err := net.Listen("tcp", "127.0.0.1:0")
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
	if err := tasks.Run(ctx, app, m, "", tasks.WithListener(ln)); err != nil {
		log.Fatal(err)
	}
	// Output: welcome, ada
}

// An app served and shut down by hand.
func ExampleAttach() {
	m, err := taskflow.New(taskflow.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		log.Fatal(err)
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Use(tasks.Middleware(m))
	app.Get("/", func(c *fiber.Ctx) error {
		tasks.Add(c, func() { fmt.Println("task") })
		return nil
	})

	tasks.Attach(app, m)
	if err := m.Start(context.Background()); err != nil {
		log.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- app.Listener(ln) }()

	resp, err := http.Get("http://" + ln.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	_ = resp.Body.Close()

	if err := app.Shutdown(); err != nil { // first the requests …
		log.Fatal(err)
	}
	if err := m.Stop(context.Background()); err != nil { // … then their tasks
		log.Fatal(err)
	}
	fmt.Println(<-served)
	// Output:
	// task
	// <nil>
}
