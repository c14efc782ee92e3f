package chi

import (
	"context"
	"net/http"
)

type Context struct{}

func (*Context) URLParam(string) string { return "" }
func (c *Context) Clone() *Context      { return c }

func URLParam(*http.Request, string) string          { return "" }
func URLParamFromCtx(context.Context, string) string { return "" }
func RouteContext(context.Context) *Context          { return nil }
