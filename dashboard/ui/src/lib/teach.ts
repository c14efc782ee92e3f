// What to write next, for the framework that the page is served by.

const imports: Record<string, string> = { gin: "gin", fiber: "fiber", chi: "chi", "net/http": "nethttp" };

const handlers: Record<string, (body: string) => string> = {
  gin: (body) => `r.POST("/signup", func(c *gin.Context) {\n${body.replaceAll("CTX", "c")}\n})`,
  fiber: (body) =>
    `app.Post("/signup", func(c *fiber.Ctx) error {\n${body.replaceAll("CTX", "c")}\n\treturn c.SendStatus(202)\n})`,
  chi: (body) => `r.Post("/signup", func(w http.ResponseWriter, r *http.Request) {\n${body.replaceAll("CTX", "r")}\n})`,
  "net/http": (body) =>
    `mux.HandleFunc("POST /signup", func(w http.ResponseWriter, r *http.Request) {\n${body.replaceAll("CTX", "r")}\n})`,
};

const known = (framework: string): string => (Object.hasOwn(handlers, framework) ? framework : "net/http");

// addTask is a handler that adds its first task.
export function addTask(framework: string): string {
  const f = known(framework);
  const path = `import tasks "github.com/taskflow-go/taskflow/adapters/${imports[f]}"`;
  const body = `\ttasks.Add(CTX, func(ctx context.Context) error {\n\t\tslog.InfoContext(ctx, "welcome") // lands in the task's log\n\t\treturn nil\n\t})`;
  return `${path}\n\n${handlers[f]?.(body)}`;
}

// defineTask registers a named task, which can be replayed from here.
export function defineTask(framework: string): string {
  const body = '\ttasks.Add(CTX, SendEmail.With(Address{To: "ada@example.com"}))';
  return `var SendEmail = taskflow.Define("send_email", sendEmail,
	taskflow.Retry(3, taskflow.Exponential(time.Second, 2)),
	taskflow.Timeout(30*time.Second))

m, err := taskflow.New(taskflow.WithTasks(SendEmail))

${handlers[known(framework)]?.(body)}`;
}

// addSchedule lets the clock add a task.
export function addSchedule(): string {
  return `var TidyUp = taskflow.Define("tidy_up", tidyUp)

m, err := taskflow.New(
	taskflow.WithBackend(sqlite.Open("tasks.db")),
	taskflow.WithSchedule("nightly", taskflow.Cron("0 3 * * *"), TidyUp.With(Options{}),
		taskflow.TimeZone("Europe/Berlin")))`;
}
