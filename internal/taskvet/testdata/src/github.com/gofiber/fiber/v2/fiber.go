package fiber

import (
	"context"

	"github.com/valyala/fasthttp"
)

type Range struct{ Type string }

type Ctx struct{}

func (c *Ctx) Params(string, ...string) string    { return "" }
func (c *Ctx) Query(string, ...string) string     { return "" }
func (c *Ctx) Queries() map[string]string         { return nil }
func (c *Ctx) Get(string, ...string) string       { return "" }
func (c *Ctx) GetReqHeaders() map[string][]string { return nil }
func (c *Ctx) Body() []byte                       { return nil }
func (c *Ctx) BaseURL() string                    { return "" }
func (c *Ctx) ParamsInt(string) (int, error)      { return 0, nil }
func (c *Ctx) Locals(any, ...any) any             { return nil }
func (c *Ctx) Next() error                        { return nil }
func (c *Ctx) BodyParser(any) error               { return nil }
func (c *Ctx) QueryParser(any) error              { return nil }
func (c *Ctx) Range(int) (Range, error)           { return Range{}, nil }
func (c *Ctx) Context() *fasthttp.RequestCtx      { return nil }
func (c *Ctx) Request() *fasthttp.Request         { return nil }
func (c *Ctx) Response() *fasthttp.Response       { return nil }
func (c *Ctx) UserContext() context.Context       { return nil }
