package gin

import (
	"net/http"
	"time"
)

type ResponseWriter interface{ http.ResponseWriter }

type Context struct {
	Request *http.Request
	Writer  ResponseWriter
}

func (c *Context) Query(string) string { return "" }
func (c *Context) Copy() *Context      { return c }
func (c *Context) Next()               {}

func (*Context) Deadline() (t time.Time, ok bool) { return t, false }
func (*Context) Done() <-chan struct{}            { return nil }
func (*Context) Err() error                       { return nil }
func (*Context) Value(any) any                    { return nil }
