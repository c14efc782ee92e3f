// Command fiber is a small picture service on Fiber: it answers uploads at once and does the work afterwards.
//
//	go run ./examples/fiber
//
// It prints what to try, and serves on localhost:8080 unless -addr names another address. Tasks, history and the dashboard's data are in an embedded SQLite file.
package main

import (
	"context"

	"github.com/gofiber/fiber/v2"
	fiberrecover "github.com/gofiber/fiber/v2/middleware/recover"

	tasks "github.com/taskflow-go/taskflow/adapters/fiber"
	"github.com/taskflow-go/taskflow/examples/internal/service"
)

func main() { service.Main(run) }

func run(ctx context.Context, s *service.Service, addr string) error {
	app := fiber.New(fiber.Config{
		BodyLimit: service.MaxUpload, DisablePreParseMultipartForm: true, DisableStartupMessage: true, ErrorHandler: fail,
	})
	app.Use(fiberrecover.New(), tasks.Middleware(s.Manager))
	tasks.Mount(app, s.Manager, "/tasks")
	routes{s}.add(app)
	return tasks.Run(ctx, app, s.Manager, addr)
}
