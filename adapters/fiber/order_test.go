package tasks_test

import (
	"errors"
	"io"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/logger"

	tasks "github.com/taskflow-go/taskflow/adapters/fiber"
	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// Fiber's logger answers a handler's error itself and returns nil: whoever is outside of it sees a handler that went well. docs/fiber.md says so.
func TestWhatAnswersErrorsGoesOutsideOfTheMiddleware(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		order func(log, ours fiber.Handler) []any
		drops bool
	}{
		"outside": {func(log, ours fiber.Handler) []any { return []any{log, ours} }, true},
		"inside":  {func(log, ours fiber.Handler) []any { return []any{ours, log} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := adaptertest.NewManager(t)
			app, handles := fiber.New(fiber.Config{DisableStartupMessage: true}), make(chan taskflow.Handle, 1)
			app.Use(tc.order(logger.New(logger.Config{Output: io.Discard}), tasks.Middleware(m))...)
			app.Get("/", func(c *fiber.Ctx) error {
				handles <- tasks.Add(c, func() {})
				return fiber.ErrTeapot
			})
			_, addr := run(t, app, m)
			if body := ask(t, addr, "/"); body != fiber.ErrTeapot.Message {
				t.Errorf("the answer is %q", body)
			}
			err := adaptertest.Receive(t, "the handle", handles).Wait(t.Context())
			if dropped := errors.Is(err, tasks.ErrHandlerFailed) && errors.Is(err, fiber.ErrTeapot); dropped != tc.drops || !dropped && err != nil {
				t.Errorf("the task of the handler that failed ended with %v; dropped: want %t", err, tc.drops)
			}
		})
	}
}
