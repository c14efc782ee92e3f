package onfiber

import (
	"net/url"

	"github.com/gofiber/fiber/v2"

	tasks "github.com/taskflow-go/taskflow/adapters/fiber"
)

func addTask(c *fiber.Ctx, name string) { tasks.Add(c, func() { work(name) }) }

func nameOf(c *fiber.Ctx) string { return c.Params("name") }

type deep struct{ user user }

// What docs/what-not-to-capture.md says is not found.
func notFound(c *fiber.Ctx) {
	addTask(c, c.Params("name"))
	name := nameOf(c)
	tasks.Add(c, func() { work(name) })
	_, err := url.Parse(c.Query("u"))
	tasks.Add(c, func() { work(err) })
	c.Locals("name", c.Params("name"))
	kept := c.Locals("name").(string)
	tasks.Add(c, func() { work(kept) })
	names := make(chan string, 1)
	names <- c.Params("name")
	tasks.Add(c, func() { work(<-names) })
	d := deep{user{Name: c.Params("name")}}
	tasks.Add(c, func() { work(d.user.Mail) }) // want `task uses d.user.Mail`
}
