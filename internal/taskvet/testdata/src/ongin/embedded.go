package ongin

import (
	"github.com/gin-gonic/gin"

	tasks "github.com/taskflow-go/taskflow/adapters/gin"
)

// Context is a context of the program's own.
type Context struct {
	*gin.Context
	User string
}

type outer struct{ Context }

func (Context) Own() {}

func embedding(c *gin.Context) {
	x := Context{c, "ada"}
	tasks.Add(c, func() { work(x.Query("a")) })  // want `task uses x.Query, a \*gin.Context`
	tasks.Add(c, func() { work(x.Request.URL) }) // want `task uses x.Request, a \*gin.Context`
	tasks.Add(c, x.Next)                         // want `task is a method of x, a \*gin.Context`
	o := &outer{x}
	tasks.Add(c, func() { work(o.Query("a")) }) // want `task uses o.Query, a \*gin.Context`
	tasks.Add(c, func() { work(x.User, o.User) })
	tasks.Add(c, x.Own)
	var r any = c.Request
	tasks.Add(c, func() { work(r) })
}
