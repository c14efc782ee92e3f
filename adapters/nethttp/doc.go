// Package tasks adds background tasks to net/http handlers: they run after the response has been sent.
//
//	m, err := taskflow.New(taskflow.WithTasks(jobs.Resize))
//	...
//	mux := http.NewServeMux()
//	tasks.Mount(mux, m, "/tasks") // dashboard, JSON API, live stream
//	mux.HandleFunc("POST /photos", func(w http.ResponseWriter, r *http.Request) {
//		name := r.PostFormValue("name")
//		tasks.Add(r, jobs.Resize.With(name))                                 // typed: retried, requeued, replayable
//		tasks.Add(r, func(ctx context.Context) error { return audit(ctx, name) }) // a closure: tracked, in memory
//		w.WriteHeader(http.StatusAccepted)
//	})
//	err = tasks.Run(context.Background(), tasks.Middleware(m)(mux), m, ":8080") // start, serve, drain on SIGTERM
//
// It serves every router that is made of http.Handler. A task's context has the values of the request's (trace, user) but not its
// cancellation: it ends with the task's own time-outs, when the task is cancelled, and when the manager stops.
//
// # What to know
//
//   - A task must not use the ResponseWriter, nor the request's Body or MultipartForm: net/http closes and removes them when
//     the handler has returned. Read what the task needs before, move an uploaded file to its new place, and capture that.
//   - Put what recovers from panics outside of Middleware: a handler that panics drops its tasks. Whatever a handler answers, its tasks run.
//   - Tasks start after the last byte when the server is known: through [Run], or [Attach] for a server of your own.
//     Otherwise, and over HTTP/2, where no exact sign exists, they start about a millisecond after the handlers have returned.
//   - http.Server.ListenAndServe returns as soon as Shutdown begins: a main that ends then cuts off requests and tasks. Run waits.
//
// It is not for work that must outlive the machine it was added on: that needs a queue on other machines.
package tasks
