package tasks

import (
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

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
