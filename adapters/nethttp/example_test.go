package tasks_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"

	tasks "github.com/taskflow-go/taskflow/adapters/nethttp"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// A service: the task runs when the response has been sent, and the end of the service waits for it.
func Example() {
	m, err := taskflow.New(taskflow.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	tasks.Mount(mux, m, "/tasks")
	mux.HandleFunc("POST /signup/{name}", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		tasks.Add(r, func(context.Context) error {
			fmt.Println("welcome,", name)
			return nil
		})
		w.WriteHeader(http.StatusAccepted)
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
	if err := tasks.Run(ctx, tasks.Middleware(m)(mux), m, "", tasks.WithListener(ln)); err != nil {
		log.Fatal(err)
	}
	// Output: welcome, ada
}
