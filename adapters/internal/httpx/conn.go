package httpx

import (
	"context"
	"net"
	"net/http"
	"reflect"
	"sync"
	"sync/atomic"
	"time"
)

// trackKey finds, in a request's context, the *Request of a middleware further out or else the *conn that serves it.
type trackKey struct{}

// conn follows one HTTP/1 connection. It serves one request at a time, so what the server says about the connection says
// when a response is out. Made by the server's accept loop, told by the connection's own goroutine, joined by handlers.
type conn struct {
	net.Conn
	stalled time.Duration // how long tasks wait for it

	mu    sync.Mutex
	state http.ConnState
	open  *Request // the requests whose response has not left, linked by next: one, or several when a handler dispatches parts
}

// join makes q, which nobody else knows yet, wait for the response that the connection is serving now. False: nothing will be told
// about it.
func (c *conn) join(q *Request) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.state {
	case http.StateClosed, http.StateHijacked:
		return false
	case http.StateIdle:
		q.sent = true // http.TimeoutHandler has answered before the middleware was reached
	default:
		q.next, c.open = c.open, q
	}
	return true
}

// change is told each new state of the connection, in order.
func (c *conn) change(s http.ConnState) {
	c.mu.Lock()
	open := c.open
	c.open = nil
	c.state = s
	c.mu.Unlock()
	for q := open; q != nil; q = q.next {
		if s == http.StateHijacked {
			q.release() // from here on only the handler knows what a response is
		} else {
			q.responseSent() // StateActive too: the next request has come, so the response before it is out
		}
	}
}

// isSilent reports whether the client has connected but sent no complete request yet.
func (c *conn) isSilent() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state == http.StateNew
}

// conns follows the connections of one server.
type conns struct {
	stalled  time.Duration
	all      sync.Map // net.Conn to *conn
	stopping atomic.Bool
}

// accepted is the server's ConnContext hook: from here on the requests of c can find their connection.
func (cs *conns) accepted(ctx context.Context, c net.Conn) context.Context {
	if !canBeKey(c) {
		return ctx // cannot be found again: its requests are served as if nobody had attached
	}
	t := &conn{Conn: c, stalled: cs.stalled}
	cs.all.Store(c, t)
	return context.WithValue(ctx, trackKey{}, t)
}

// changed is the server's ConnState hook.
func (cs *conns) changed(c net.Conn, s http.ConnState) {
	if !canBeKey(c) {
		return
	}
	v, ok := cs.all.Load(c)
	if !ok {
		return
	}
	t := v.(*conn)
	t.change(s)
	switch s {
	case http.StateClosed, http.StateHijacked:
		cs.all.Delete(c)
	case http.StateNew:
		if cs.stopping.Load() { // accepted just before the listener closed
			closeQuietly(c)
		}
	}
}

// canBeKey reports whether c can be looked up in a map: most connections are pointers, but a wrapper need not be.
func canBeKey(c net.Conn) bool {
	v := reflect.ValueOf(c)
	return v.Kind() == reflect.Pointer || v.Comparable()
}

// closeSilent ends the connections whose clients have not sent a request, now and from now on. A server that shuts down would
// otherwise wait five seconds for each, as browsers open such connections in advance, and then not serve what they send.
func (cs *conns) closeSilent() {
	cs.stopping.Store(true)
	cs.all.Range(func(_, v any) bool {
		if t := v.(*conn); t.isSilent() {
			closeQuietly(t.Conn)
		}
		return true
	})
}

// closeQuietly closes a connection that is given up: how that fails is of no interest to anybody.
func closeQuietly(c net.Conn) { _ = c.Close() }
