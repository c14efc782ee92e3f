package immutable

import (
	"github.com/gofiber/fiber/v2"

	tasks "github.com/taskflow-go/taskflow/adapters/fiber"
)

func handler(c *fiber.Ctx) {
	name := c.Params("name")
	tasks.Add(c, func() { print(name) })
	tasks.Add(c, func() { c.Next() }) // want `task uses c, a \*fiber.Ctx`
}
