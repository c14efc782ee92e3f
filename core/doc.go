// Package taskflow runs background tasks for web handlers, inside the web process.
//
// A handler adds a task, the response goes out, the task runs. It is retried, logged, stored and shown; it ends with the
// server's graceful stop instead of being cut off by it:
//
//	var SendEmail = taskflow.Define("send_email", sendEmail,
//		taskflow.Retry(3, taskflow.Exponential(time.Second, 2)),
//		taskflow.Timeout(30*time.Second))
//
//	func sendEmail(ctx context.Context, to string) error {
//		slog.InfoContext(ctx, "connecting", "to", to) // shown in the task's log, see SlogHandler
//		return smtp.Send(ctx, to)
//	}
//
//	m, err := taskflow.New(taskflow.WithTasks(SendEmail))
//	...
//	r.POST("/signup", func(c *gin.Context) {
//		tasks.Add(c, SendEmail.With(c.PostForm("email"))) // package adapters/gin
//		c.Status(http.StatusAccepted)
//	})
//
// The words: a [Task] is a named, typed function with its policy; a [Call] is a Task bound to its arguments; a [Record] is
// one invocation and its state; a [Manager] owns records, workers and the [Backend]; a [Batch] holds the tasks of one
// request until its response has been sent.
//
// The package knows no web framework, no database and no user interface: see the adapters, backends and dashboard
// folders. It is not a message broker and not a workflow engine: a task runs in the process that added it, from memory; the
// backend is a log, from which the next process takes over what was to be kept.
package taskflow
