// Package tasks adds background tasks to Fiber v2 handlers: they run after the response has been sent.
//
//	m, err := taskflow.New(taskflow.WithTasks(jobs.Resize))
//	...
//	app := fiber.New()
//	app.Use(recover.New(), tasks.Middleware(m))
//	tasks.Mount(app, m, "/tasks") // dashboard, JSON API, live stream
//	app.Post("/photos", func(c *fiber.Ctx) error {
//		name := strings.Clone(c.FormValue("name")) // Fiber's strings are reused memory
//		tasks.Add(c, jobs.Resize.With(name))                                 // typed: retried, requeued, replayable
//		tasks.Add(c, func(ctx context.Context) error { return audit(ctx, name) }) // a closure: tracked, in memory
//		return c.SendStatus(fiber.StatusAccepted)
//	})
//	err = tasks.Run(context.Background(), app, m, ":8080") // start, serve, drain on SIGTERM
//
// A task's context has the values of the request's UserContext (trace, user) but not its cancellation: it ends with the task's own
// time-outs, when the task is cancelled, and when the manager stops.
//
// # What to know
//
//   - Never use c, or c.Context(), inside a task. Fiber reuses them, so they belong to somebody else's request by then. A UserContext that
//     is built on c.Context() is not given to tasks for that reason: they get an empty one.
//   - Strings and bytes from Fiber (Params, Query, FormValue, Body, Get) are reused memory too, also in a struct that BodyParser or
//     QueryParser filled, and in the UserContext: a closure that captures one, or reads one from its context, sees it change. Take
//     a copy by strings.Clone or utils.CopyString, or make the app with Immutable: true. Arguments of a Call are safe as they
//     are, since With encodes them at once, and so are the texts of taskflow.Tag and taskflow.Name, which are copied.
//   - A handler that returns an error drops its tasks ([ErrHandlerFailed]), and so does one that panics. A status alone, also 500, does not.
//   - Put recover.New() before Middleware: without it a panic ends the process, since fasthttp does not recover. Put before it as well what
//     answers errors itself and returns nil, as Fiber's logger does: behind it, it would hide them.
//   - An uploaded file is gone when the handler has returned. Save it before adding the task, and give the task its new place.
//   - Tasks start after the last byte of the response, also of a body that is streamed for minutes; a client that does not read one
//     holds its tasks up until its connection ends, which Config.WriteTimeout bounds. Where no server tells when that is (adaptor.FiberApp), when the connection is taken
//     over, and when fasthttp.TimeoutHandler has answered already, they start when the handlers have returned.
//   - app.Listen returns as soon as Shutdown begins, so a main function that ends with it cuts off requests and tasks. [Run] waits for both.
//   - Middleware that reads or packs whole responses (compress, etag, cache) holds live streams up: have it skip the dashboard's path.
//     Config.ETag cannot skip one: use the etag middleware in its place.
//   - Fasthttp notices that a viewer of the stream has left at the next write: a heartbeat later at most, see dashboard.Heartbeat.
//
// It is not for work that must outlive the machine it was added on: that needs a queue on other machines.
package tasks
