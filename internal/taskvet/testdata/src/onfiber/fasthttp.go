package onfiber

import (
	"context"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	tasks "github.com/taskflow-go/taskflow/adapters/fiber"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// What fasthttp's own methods return is memory of the request, too.
func below(c *fiber.Ctx) {
	body := c.Request().Body()
	tasks.Add(c, func() { work(body) }) // want `task uses body, which may be from \(\*fiber.Ctx\).Request`
	value := c.Context().QueryArgs().Peek("a")
	tasks.Add(c, func() { work(value) }) // want `task uses value, which may be from \(\*fiber.Ctx\).Context`
	values := c.Context().QueryArgs().PeekMulti("a")
	tasks.Add(c, func() { work(values) }) // want `task uses values`
	header := &c.Request().Header
	tasks.Add(c, func() { header.Peek("A") }) // want `task uses header, which may be from \(\*fiber.Ctx\).Request`
	agent := header.Peek("User-Agent")
	tasks.Add(c, func() { work(agent) }) // want `task uses agent`
	plain, err := c.Request().BodyUncompressed()
	tasks.Add(c, func() { work(plain, err) }) // want `task uses plain`
	answer := c.Response().Body()
	tasks.Add(c, func() { work(answer) }) // want `task uses answer, which may be from \(\*fiber.Ctx\).Response`
	args := c.Context().QueryArgs()
	tasks.Add(c, func() { work(args) })       // want `task uses args`
	tasks.Add(c, func() { work(args.Len()) }) // want `task uses args`
	args.VisitAll(func(key, value []byte) {
		tasks.Add(c, func() { work(key, value) }) // want `task uses key` `task uses value`
	})
	visit := func(k, _ []byte) {
		tasks.Add(c, func() { work(k) }) // want `task uses k`
	}
	c.Request().Header.VisitAll(visit)
	var ctx context.Context = c.Context()
	tasks.Add(c, func() { work(ctx) }) // want `task uses ctx, which is from c.Context\(\), memory of the request that fasthttp reuses`
}

func bare(ctx *fasthttp.RequestCtx, parent context.Context) {
	body := ctx.PostBody()
	taskflow.Add(parent, func() { work(body) }) // want `task uses body, which may be from \(\*fiber.Ctx\).Context`
	header := ctx.Request.Header.Peek("A")
	taskflow.Add(parent, func() { work(header) }) // want `task uses header`
}

func belowCopied(c *fiber.Ctx) {
	text := string(c.Request().Body())
	plain, _ := c.Request().BodyGunzip()
	query := c.Context().QueryArgs().String()
	bytes := c.Context().QueryArgs().AppendBytes(nil)
	var header fasthttp.RequestHeader
	c.Request().Header.CopyTo(&header)
	ip := c.Context().RemoteIP()
	user := c.Context().UserValue("user")
	tasks.Add(c, func() { work(text, plain, query, bytes, header.Peek("A"), ip, user) })
	own := new(fasthttp.Args)
	peeked := own.Peek("a")
	tasks.Add(c, func() { work(own, peeked) })
}
