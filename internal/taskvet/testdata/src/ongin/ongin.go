package ongin

import (
	"context"

	"github.com/gin-gonic/gin"

	tasks "github.com/taskflow-go/taskflow/adapters/gin"
)

func work(...any) {}

func handler(c *gin.Context) {
	tasks.Add(c, func(context.Context) error {
		work(c.Query("a")) // want `task uses c, a \*gin.Context: Gin reuses it for another request`
		return nil
	})
	tasks.Add(c, func() { work(c.Request.Context()) }) // want `task uses c, a \*gin.Context`
	tasks.Add(c, c.Next)                               // want `task is a method of c, a \*gin.Context`

	next := c.Next // want `task is a method of c, a \*gin.Context`
	tasks.Add(c, next)

	x := c
	tasks.Add(c, func() { work(x) }) // want `task uses x, a \*gin.Context`
	cp := c.Copy()
	tasks.Add(c, func() { work(cp) }) // want `task uses cp, a \*gin.Context: .* a Copy is cancelled with the request`
	value := *c
	tasks.Add(c, func() { work(&value) }) // want `task uses value, a \*gin.Context`

	w := c.Writer
	tasks.Add(c, func() { w.WriteHeader(200) }) // want `task uses w, the response`
	r := c.Request
	tasks.Add(c, func() { work(r.Body) }) // want `task uses r.Body, the request's body`

	name := c.Query("name") // Gin's strings are anybody's
	tasks.Add(c, func(ctx context.Context) error { work(ctx, name, r.URL); return nil })
	tasks.Add(c, func() { func(c *gin.Context) { work(c) }(nil) })
}

var _ = func(c *gin.Context) {
	tasks.Add(c, func() { work(c) }) // want `task uses c, a \*gin.Context`
}
