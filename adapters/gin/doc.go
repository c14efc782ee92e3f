// Package tasks adds background tasks to Gin handlers: they run after the response has been sent.
//
//	m, err := taskflow.New(taskflow.WithTasks(jobs.Resize))
//	...
//	r := gin.Default()
//	r.Use(tasks.Middleware(m))
//	tasks.Mount(r, m, "/tasks") // dashboard, JSON API, live stream
//	r.POST("/photos", func(c *gin.Context) {
//		name := c.PostForm("name")
//		tasks.Add(c, jobs.Resize.With(name))                                 // typed: retried, requeued, replayable
//		tasks.Add(c, func(ctx context.Context) error { return audit(ctx, name) }) // a closure: tracked, in memory
//		c.Status(http.StatusAccepted)
//	})
//	err = tasks.Run(context.Background(), r, m, ":8080") // start, serve, drain on SIGTERM
//
// A task's context has the values of the request's (trace, user) but not its cancellation: it ends with the task's own time-outs,
// when the task is cancelled, and when the manager stops.
//
// # What to know
//
//   - Never use c inside a task. Gin reuses its contexts, so c belongs to somebody else's request by then, and c.Copy still
//     carries the request's cancellation. Read what the task needs before, and capture that.
//   - Put [gin.Recovery] before Middleware, as gin.Default does: a handler that panics drops its tasks, and Recovery answers.
//     Whatever a handler answers, 500 or an abort included, its tasks run.
//   - An uploaded file is gone when the handler has returned. Move it before adding the task, and give the task its new place.
//   - Tasks start after the last byte when the server is known: through [Run], or [Attach] for a server of your own.
//     Otherwise, and over HTTP/2, where no exact sign exists, they start about a millisecond after the handlers have returned.
//   - gin's Engine.Run keeps its server to itself and never shuts it down: tasks that still run at the end of the process are cut off.
//
// It is not for work that must outlive the machine it was added on: that needs a queue on other machines.
package tasks
