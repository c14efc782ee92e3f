// Package tasks adds background tasks to Chi handlers: they run after the response has been sent.
//
//	m, err := taskflow.New(taskflow.WithTasks(jobs.Resize))
//	...
//	r := chi.NewRouter()
//	r.Use(tasks.Middleware(m)) // before the routes, as Chi wants it
//	tasks.Mount(r, m, "/tasks") // dashboard, JSON API, live stream
//	r.Post("/photos", func(w http.ResponseWriter, req *http.Request) {
//		name := req.PostFormValue("name")
//		tasks.Add(req, jobs.Resize.With(name))                                 // typed: retried, requeued, replayable
//		tasks.Add(req, func(ctx context.Context) error { return audit(ctx, name) }) // a closure: tracked, in memory
//		w.WriteHeader(http.StatusAccepted)
//	})
//	err = tasks.Run(context.Background(), r, m, ":8080") // start, serve, drain on SIGTERM
//
// A task's context has the values of the request's (trace, user) but not its
// cancellation: it ends with the task's own time-outs, when the task is cancelled, and when the manager stops.
//
// # What to know
//
//   - A task must not use the ResponseWriter, nor the request's Body or MultipartForm: net/http closes and removes them when
//     the handler has returned. Read what the task needs before, move an uploaded file to its new place, and capture that.
//   - Chi reuses the context of its routes, where chi.URLParam looks: with the request, a task or a goroutine of your own reads the
//     parameters of another one. Read them before, or use chi.URLParamFromCtx with the context that the task is given: Add takes a copy.
//   - Put middleware.Recoverer before Middleware: a handler that panics drops its tasks. Whatever a handler answers, its tasks run.
//   - Tasks start after the last byte when the server is known: through [Run], or [Attach] for a server of your own.
//     Otherwise, and over HTTP/2, where no exact sign exists, they start about a millisecond after the handlers have returned.
//   - http.Server.ListenAndServe returns as soon as Shutdown begins: a main that ends then cuts off requests and tasks. Run waits.
//
// It is not for work that must outlive the machine it was added on: that needs a queue on other machines.
package tasks
