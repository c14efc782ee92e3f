package taskflow_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// A task is defined once, in a package of jobs that knows no web framework.
var Greet = taskflow.Define("greet", func(_ context.Context, name string) error {
	fmt.Println("hello,", name)
	return nil
}, taskflow.Retry(3, taskflow.Exponential(time.Second, 2)), taskflow.Timeout(30*time.Second))

func Example() {
	m, err := taskflow.New(taskflow.WithTasks(Greet))
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	if err := m.Start(ctx); err != nil { // an adapter's Run does this
		panic(err)
	}
	h := m.Add(taskflow.WorkOf(Greet.With("Ada"))) // in a handler: tasks.Add(c, Greet.With("Ada"))
	if err := h.Wait(ctx); err != nil {
		panic(err)
	}
	fmt.Println(h.Record().Status)
	if err := m.Stop(ctx); err != nil {
		panic(err)
	}
	// Output:
	// hello, Ada
	// success
}

func ExampleBatch() {
	m, err := taskflow.New()
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	if err := m.Start(ctx); err != nil {
		panic(err)
	}
	// What an adapter's middleware does for each request:
	batch := m.NewBatch()
	request := taskflow.ContextWithBatch(ctx, batch)

	// Anywhere below, with nothing but the request's context:
	h := taskflow.Add(request, func() { fmt.Println("the task runs") })

	fmt.Println("the response is sent")
	batch.Release()
	if err := h.Wait(ctx); err != nil {
		panic(err)
	}
	if err := m.Stop(ctx); err != nil {
		panic(err)
	}
	// Output:
	// the response is sent
	// the task runs
}

func ExamplePermanent() {
	charge := func(card string) error {
		if card == "" {
			return taskflow.Permanent(errors.New("no card")) // trying again cannot help
		}
		return nil
	}
	fmt.Println(charge(""))
	// Output: no card
}

func ExampleRetryAfter() {
	busy := errors.New("429 too many requests")
	err := taskflow.RetryAfter(30*time.Second, busy) // what the server asked for, in place of the backoff
	fmt.Println(err, errors.Is(err, busy))
	// Output: 429 too many requests true
}

func ExampleSlogHandler() {
	slogger := slog.New(taskflow.SlogHandler(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})))
	m, err := taskflow.New(taskflow.WithLogger(slogger))
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	if err := m.Start(ctx); err != nil {
		panic(err)
	}
	h := m.Add(taskflow.WorkOf(func(ctx context.Context) {
		slogger.InfoContext(ctx, "connecting", "to", "smtp.example.org")
	}))
	if err := h.Wait(ctx); err != nil {
		panic(err)
	}
	fmt.Println(h.Record().Logs[0][len("2006-01-02T15:04:05.000Z "):])
	if err := m.Stop(ctx); err != nil {
		panic(err)
	}
	// Output: INFO connecting to=smtp.example.org
}

// A schedule adds a call at each of its slots, on one of the instances that share a backend.
func ExampleWithSchedule() {
	m, err := taskflow.New(
		taskflow.WithSchedule("cleanup", taskflow.Every(5*time.Minute), Greet.With("cleaner")),
		taskflow.WithSchedule("report", taskflow.Cron("0 3 * * MON"), Greet.With("reporter"),
			taskflow.TimeZone("Europe/Berlin"), taskflow.CatchUp(), taskflow.Timeout(time.Hour)))
	if err != nil {
		panic(err)
	}
	schedules, err := m.Schedules(context.Background())
	if err != nil {
		panic(err)
	}
	for _, s := range schedules {
		fmt.Println(s.Name, "runs", s.Task, s.Description)
	}
	// Output:
	// cleanup runs greet every 5 minutes
	// report runs greet at 03:00 on Monday (Europe/Berlin)
}
