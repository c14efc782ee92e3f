// Command gin is a small picture service on Gin: it answers uploads at once and does the work afterwards.
//
//	go run ./examples/gin
//
// It prints what to try, and serves on localhost:8080 unless -addr names another address. Tasks, history and the dashboard's data are in an embedded SQLite file.
package main

import (
	"context"

	"github.com/gin-gonic/gin"

	tasks "github.com/taskflow-go/taskflow/adapters/gin"
	"github.com/taskflow-go/taskflow/examples/internal/service"
)

func main() { service.Main(run) }

func run(ctx context.Context, s *service.Service, addr string) error {
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.Use(gin.Recovery(), tasks.Middleware(s.Manager))
	tasks.Mount(r, s.Manager, "/tasks")
	routes{s}.add(r)
	return tasks.Run(ctx, r, s.Manager, addr)
}
