package fiberfix

import (
	"bytes"
	"strings"

	"github.com/gofiber/fiber/v2"

	tasks "github.com/taskflow-go/taskflow/adapters/fiber"
)

var _ = bytes.Clone

func work(...any) {}

func handler(c *fiber.Ctx) {
	name := c.Params("name")
	tasks.Add(c, func() { work(name) }) // want `task uses name`
	tasks.Add(c, func() { work(name) }) // want `task uses name`

	var trimmed = strings.TrimSpace(c.Query("a"))
	trimmed = c.Query("b", trimmed)
	tasks.Add(c, func() { work(trimmed) }) // want `task uses trimmed`

	body := c.Body()
	tasks.Add(c, func() { work(body) }) // want `task uses body`

	before, _, _ := strings.Cut(name, ",") // no single place to copy
	tasks.Add(c, func() { work(before) })  // want `task uses before`
}

func shadowed(c *fiber.Ctx, strings []string) {
	name := c.Params("name")            // strings is no package here
	tasks.Add(c, func() { work(name) }) // want `task uses name`
}

func more(c *fiber.Ctx, prefix string) {
	func(y string) {
		tasks.Add(c, func() { work(y) }) // want `task uses y`
	}(c.Params("y"))

	sum := prefix + c.Params("a")
	tasks.Add(c, func() { work(sum) }) // want `task uses sum`

	var grown string
	grown += c.Params("b")
	tasks.Add(c, func() { work(grown) }) // want `task uses grown`

	raw := c.Request().Body()
	tasks.Add(c, func() { work(raw) }) // want `task uses raw`
}
