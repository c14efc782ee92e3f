package tasks

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/gofiber/fiber/v2"
)

// newRequest returns the request of c for a net/http handler. All of it is copied, since the handler may outlive c; fasthttp's own
// conversion is not, for the sake of speed.
func newRequest(ctx context.Context, c *fiber.Ctx, path string) (*http.Request, error) {
	body, err := bodyOf(c)
	if err != nil {
		return nil, err
	}
	rctx, in := c.Context(), c.Request()
	r := &http.Request{
		Method:        string(in.Header.Method()),
		URL:           &url.URL{Path: path, RawQuery: string(in.URI().QueryString())},
		Proto:         string(in.Header.Protocol()),
		Header:        http.Header{},
		Body:          io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)),
		Host:          string(in.Host()),
		RemoteAddr:    rctx.RemoteAddr().String(),
		RequestURI:    string(in.Header.RequestURI()),
	}
	var ok bool
	if r.ProtoMajor, r.ProtoMinor, ok = http.ParseHTTPVersion(r.Proto); !ok {
		r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.1", 1, 1
	}
	in.Header.VisitAll(func(name, value []byte) { r.Header.Add(string(name), string(value)) })
	r.Header.Del(fiber.HeaderHost) // it is in r.Host, as net/http has it
	if rctx.IsTLS() {
		r.TLS = rctx.TLSConnectionState()
		if r.TLS == nil { // fasthttp cannot see it below MaxConnsPerIP
			r.TLS = &tls.ConnectionState{HandshakeComplete: true}
		}
	}
	return r.WithContext(ctx), nil
}

// bodyOf returns a copy of the request's body as it came, encodings included.
func bodyOf(c *fiber.Ctx) ([]byte, error) {
	if !c.Request().IsBodyStream() {
		return bytes.Clone(c.Request().Body()), nil
	}
	limit := c.App().Config().BodyLimit // of a body that is streamed, fasthttp does not check it
	body, err := io.ReadAll(io.LimitReader(c.Context().RequestBodyStream(), int64(limit)+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the request's body: %w", err)
	case len(body) > limit:
		return nil, fiber.ErrRequestEntityTooLarge
	}
	return body, nil
}
