package tasks_test

import (
	"context"
	"testing"

	"github.com/gofiber/fiber/v2"

	tasks "github.com/taskflow-go/taskflow/adapters/fiber"
	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// What a middleware further out made of Fiber's own context is still there for handlers, and not for tasks, whose requests are over.
func TestAUserContextBuiltOnTheRequestIsTheHandlersOnly(t *testing.T) {
	t.Parallel()
	type (
		key   struct{}
		local struct{}
		inner struct{}
	)
	for name, outer := range map[string]func(*fiber.Ctx) context.Context{
		"a value on it": func(c *fiber.Ctx) context.Context { return context.WithValue(c.Context(), key{}, "ada") },
		"itself": func(c *fiber.Ctx) context.Context {
			c.Locals(key{}, "ada")
			return c.Context()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := adaptertest.NewManager(t)
			app := fiber.New(fiber.Config{DisableStartupMessage: true})
			app.Use(func(c *fiber.Ctx) error {
				c.Locals(local{}, "pooled")
				c.SetUserContext(outer(c))
				return c.Next()
			}, tasks.Middleware(m))
			seen := make(chan any, 4)
			look := func(ctx context.Context) {
				for _, k := range []any{key{}, local{}} {
					seen <- ctx.Value(k)
				}
			}
			app.Get("/", func(c *fiber.Ctx) error {
				if got := c.UserContext().Value(key{}); got != "ada" {
					t.Errorf("the handler finds %v in its UserContext, want what was put there", got)
				}
				if taskflow.BatchFrom(c.UserContext()) == nil {
					t.Error("the UserContext has no batch")
				}
				tasks.Add(c, look)
				taskflow.Add(context.WithValue(c.UserContext(), inner{}, 1), look)
				return nil
			})
			_, addr := run(t, app, m)
			ask(t, addr, "/")
			for range 4 {
				if got := adaptertest.Receive(t, "a value of a task's context", seen); got != nil {
					t.Errorf("a task sees %v of a request that is over", got)
				}
			}
		})
	}
}
