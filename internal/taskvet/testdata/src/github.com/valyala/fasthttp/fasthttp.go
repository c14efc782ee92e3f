package fasthttp

import (
	"context"
	"net"
)

type Args struct{ buf []byte }

func (a *Args) Peek(string) []byte               { return nil }
func (a *Args) PeekMulti(string) [][]byte        { return nil }
func (a *Args) String() string                   { return "" }
func (a *Args) AppendBytes(dst []byte) []byte    { return dst }
func (a *Args) VisitAll(func(key, value []byte)) {}
func (a *Args) Len() int                         { return 0 }

type RequestHeader struct{ bufKV []byte }

func (h *RequestHeader) Peek(string) []byte         { return nil }
func (h *RequestHeader) CopyTo(*RequestHeader)      {}
func (h *RequestHeader) VisitAll(func(k, v []byte)) {}

type Request struct{ Header RequestHeader }

func (r *Request) Body() []byte                      { return nil }
func (r *Request) BodyGunzip() ([]byte, error)       { return nil, nil }
func (r *Request) BodyUncompressed() ([]byte, error) { return nil, nil }

type Response struct{ body []byte }

func (r *Response) Body() []byte { return nil }

type RequestCtx struct {
	context.Context
	Request Request
}

func (ctx *RequestCtx) QueryArgs() *Args  { return nil }
func (ctx *RequestCtx) PostBody() []byte  { return nil }
func (ctx *RequestCtx) RemoteIP() net.IP  { return nil }
func (ctx *RequestCtx) UserValue(any) any { return nil }
