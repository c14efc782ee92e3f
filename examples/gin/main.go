// Command gin is a small picture service on Gin: it answers uploads at once and does the work afterwards.
//
//	go run ./examples/gin
//
// It prints what to try. Tasks, history and the dashboard's data are in an embedded SQLite file.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/gin-gonic/gin"

	tasks "github.com/taskflow-go/taskflow/adapters/gin"
	"github.com/taskflow-go/taskflow/backends/sqlite"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/examples/internal/jobs"
)

func main() {
	addr := flag.String("addr", "localhost:8080", "address to serve on")
	db := flag.String("db", "tasks.db", "SQLite file for the tasks")
	dir := flag.String("dir", filepath.Join(os.TempDir(), "taskflow-images"), "folder for the pictures")
	flag.Parse()
	// What tasks log with their context is shown with them on the dashboard, too.
	slog.SetDefault(slog.New(taskflow.SlogHandler(slog.NewTextHandler(os.Stderr, nil))))
	if err := run(context.Background(), *addr, *db, *dir); err != nil {
		slog.Error("the service ended", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, addr, db, dir string) error {
	incoming, err := jobs.NewIncoming(filepath.Join(dir, "incoming"))
	if err != nil {
		return err
	}
	storage, err := jobs.NewStorage(filepath.Join(dir, "public"))
	if err != nil {
		return err
	}
	j := jobs.New(storage)
	m, err := taskflow.New(
		taskflow.WithTasks(j.All()...),
		taskflow.WithBackend(sqlite.Open(db)),
		taskflow.WithPool(jobs.CPUPool, runtime.GOMAXPROCS(0)))
	if err != nil {
		return err
	}

	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.Use(gin.Recovery(), tasks.Middleware(m))
	tasks.Mount(r, m, "/tasks")
	s := &service{jobs: j, incoming: incoming, storage: storage}
	s.routes(r)

	printHints(addr)
	return tasks.Run(ctx, r, m, addr)
}

func printHints(addr string) {
	if strings.HasPrefix(addr, ":") {
		addr = "localhost" + addr
	}
	fmt.Printf(`Dashboard: http://%[1]s/tasks

Try, from the root of the repository:

  curl -F image=@examples/gin/samples/hills.jpg   http://%[1]s/images
  curl --data-binary @examples/gin/samples/evening.png -H 'Content-Type: image/png' http://%[1]s/images
  curl -F image=@examples/gin/samples/corrupt.jpg http://%[1]s/images
  curl --json '{"email": "ada@example.com"}'       http://%[1]s/signup
  curl --json '{"item": "frame", "quantity": 2, "email": "ada@example.com"}' http://%[1]s/orders

Ctrl-C stops: running tasks finish, waiting ones are kept for the next start.
`, addr)
}
