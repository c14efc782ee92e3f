// Command chi is a small picture service on Chi: it answers uploads at once and does the work afterwards.
//
//	go run ./examples/chi
//
// It prints what to try, and serves on localhost:8080 unless -addr names another address. Tasks, history and the dashboard's data are in an embedded SQLite file.
package main

import (
	"context"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	tasks "github.com/taskflow-go/taskflow/adapters/chi"
	"github.com/taskflow-go/taskflow/examples/internal/service"
)

func main() { service.Main(run) }

func run(ctx context.Context, s *service.Service, addr string) error {
	r := chi.NewRouter()
	r.Use(middleware.Recoverer, tasks.Middleware(s.Manager))
	tasks.Mount(r, s.Manager, "/tasks")
	routes{s}.add(r)
	return tasks.Run(ctx, r, s.Manager, addr)
}
