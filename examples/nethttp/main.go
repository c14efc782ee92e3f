// Command nethttp is a small picture service on net/http: it answers uploads at once and does the work afterwards.
//
//	go run ./examples/nethttp
//
// It prints what to try, and serves on localhost:8080 unless -addr names another address. Tasks, history and the dashboard's data are in an embedded SQLite file.
package main

import (
	"context"
	"net/http"

	tasks "github.com/taskflow-go/taskflow/adapters/nethttp"
	"github.com/taskflow-go/taskflow/examples/internal/service"
)

func main() { service.Main(run) }

func run(ctx context.Context, s *service.Service, addr string) error {
	mux := http.NewServeMux()
	tasks.Mount(mux, s.Manager, "/tasks")
	routes{s}.add(mux)
	return tasks.Run(ctx, tasks.Middleware(s.Manager)(mux), s.Manager, addr)
}
