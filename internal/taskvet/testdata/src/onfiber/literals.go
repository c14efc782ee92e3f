package onfiber

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	tasks "github.com/taskflow-go/taskflow/adapters/fiber"
)

func wrapped(f func()) func() { return f }

// Parameters of literals are what their calls give them.
func parametersOfLiterals(c *fiber.Ctx) {
	func(y string) {
		tasks.Add(c, func() { work(y) }) // want `task uses y, which may be from \(\*fiber.Ctx\).Params`
	}(c.Params("y"))
	func(_ int, a, b string, more ...string) {
		tasks.Add(c, func() { work(a) })
		tasks.Add(c, func() { work(b) })    // want `task uses b`
		tasks.Add(c, func() { work(more) }) // want `task uses more`
	}(1, strings.Clone(c.Params("a")), c.Params("b"), "x", c.Params("d"))
	func(before, after string, found bool) {
		tasks.Add(c, func() { work(before, found) }) // want `task uses before`
	}(strings.Cut(c.Params("a"), "="))
	func(a string, more ...string) {
		tasks.Add(c, func() { work(a) }) // want `task uses a`
		tasks.Add(c, func() { work(more) })
	}(c.Params("a"))
	func(string) {}(c.Params("a"))
	later := func(y string) {
		tasks.Add(c, func() { work(y) }) // want `task uses y`
	}
	later("a")
	later(c.Query("b"))
	safe := func(y string) { tasks.Add(c, func() { work(y) }) }
	safe(strings.Clone(c.Query("b")))
	spread := func(ys ...string) {
		tasks.Add(c, func() { work(ys) }) // want `task uses ys`
	}
	spread(strings.Fields(c.Query("b"))...)
}

// A function that is made of another one calls it.
func argumentsOfCalls(c *fiber.Ctx) {
	name := c.Params("name")
	tasks.Add(c, wrapped(func() { work(name) }))        // want `task uses name`
	tasks.Add(c, wrapped(wrapped(func() { c.Next() }))) // want `task uses c, a \*fiber.Ctx`
	f := wrapped(func() { work(c.Params("a")) })        // want `task uses c, a \*fiber.Ctx`
	tasks.Add(c, f)
	g := func() { work(c) } // want `task uses c, a \*fiber.Ctx`
	tasks.Add(c, wrapped(g))
	tasks.Add(c, wrapped(func() {}))
}
