package tasks

import (
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/taskflow-go/taskflow/adapters/internal/lifecycle"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// Bridge serves h as Mount serves the dashboard.
func Bridge(h http.Handler, m *taskflow.Manager) fiber.Handler {
	b := &bridge{handler: h, m: m}
	return func(c *fiber.Ctx) error { return b.serve(c, "/below") }
}

// ImpatientMiddleware is Middleware with another wait for the sign that the response is out.
func ImpatientMiddleware(m *taskflow.Manager, wait time.Duration) fiber.Handler {
	return middleware(m, wait)
}

// Requests are those that Mount looks at.
func Requests() []string { return requests() }

// MayPrefork is the check of Run for an app with Prefork on another system.
func MayPrefork(system string, m *taskflow.Manager, opts ...RunOption) error {
	cfg, err := lifecycle.Apply(opts)
	if err != nil {
		return err
	}
	return mayPrefork(system, cfg, m)
}
