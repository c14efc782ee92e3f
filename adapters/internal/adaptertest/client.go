package adaptertest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"time"
)

// Patience is how long tests wait for what must happen before they give up. It is long: only failing tests wait that long.
const Patience = 10 * time.Second

// Client is one connection that speaks HTTP/1 by hand, so that a test decides what is sent when, and sees every byte that comes.
type Client struct {
	net.Conn
	t    testing.TB
	in   *bufio.Reader
	read int64
}

// Dial connects to addr. The test closes the connection at its end.
func Dial(t testing.TB, addr string) *Client {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // the test may have closed it
	c := &Client{Conn: conn, t: t}
	c.in = bufio.NewReader(countingReader{c})
	return c
}

type countingReader struct{ c *Client }

func (r countingReader) Read(b []byte) (int, error) {
	n, err := r.c.Conn.Read(b)
	r.c.read += int64(n)
	return n, err
}

// Send writes text as it is.
func (c *Client) Send(format string, args ...any) {
	c.t.Helper()
	if _, err := fmt.Fprintf(c.Conn, format, args...); err != nil {
		c.t.Fatalf("send: %v", err)
	}
}

// Request sends a request without a body; header lines end in \r\n.
func (c *Client) Request(method, path, header string) {
	c.t.Helper()
	c.Send("%s %s HTTP/1.1\r\nHost: %s\r\n%sContent-Length: 0\r\n\r\n", method, path, c.RemoteAddr(), header)
}

// Response reads the next response to its last byte.
func (c *Client) Response() (*http.Response, string) {
	c.t.Helper()
	resp, err := c.Head()
	if err != nil {
		c.t.Fatalf("read the response: %v", err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatalf("read the body: %v", err)
	}
	return resp, string(body)
}

// Head reads the head of the next response; its body can be read as it comes.
func (c *Client) Head() (*http.Response, error) {
	if err := c.SetReadDeadline(time.Now().Add(Patience)); err != nil {
		return nil, err
	}
	return http.ReadResponse(c.in, nil)
}

// Received is the number of bytes that have come so far.
func (c *Client) Received() int64 { return c.read }

// WaitClosed waits until the server has closed the connection.
func (c *Client) WaitClosed() {
	c.t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(Patience)); err != nil {
		c.t.Fatalf("set the deadline: %v", err)
	}
	if _, err := io.Copy(io.Discard, c.in); err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			c.t.Fatalf("the server has not closed the connection within %v", Patience)
		}
	}
}
