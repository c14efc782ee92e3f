package tasks

import (
	"crypto/tls"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// silentGrace is what a connection that has not sent a byte yet gets at the stop: enough for a request that is on its way.
const silentGrace = 100 * time.Millisecond

// conns is the listener that Run serves on, and knows its open connections. Fasthttp needs that help to stop: it waits for
// connections that have never sent anything as if they were active, and after a Shutdown that took too long it goes on serving.
type conns struct {
	net.Listener // nil until use
	once         sync.Once

	mu     sync.Mutex
	closed bool // no more connections
	open   map[*conn]struct{}
}

// use makes l accept from ln. It reports false when l was closed before.
func (l *conns) use(ln net.Listener) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.Listener, l.open = ln, map[*conn]struct{}{}
	return !l.closed
}

// Accept implements net.Listener.
func (l *conns) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: nc, l: l}
	l.mu.Lock()
	closed := l.closed
	if !closed {
		l.open[c] = struct{}{}
	}
	l.mu.Unlock()
	if closed {
		c.cut()
		return nil, net.ErrClosed
	}
	if t, ok := nc.(tlsConn); ok {
		return &secureConn{conn: c, tls: t}, nil
	}
	return c, nil
}

// Close implements net.Listener. Fasthttp takes it badly when a listener cannot be closed a second time.
func (l *conns) Close() error {
	l.mu.Lock()
	l.closed = true
	ln := l.Listener
	l.mu.Unlock()
	if ln == nil {
		return nil
	}
	var err error
	l.once.Do(func() { err = ln.Close() })
	return err
}

// isClosed reports whether Close was called.
func (l *conns) isClosed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// cutSilent closes the connections that have not sent a byte.
func (l *conns) cutSilent() { l.cutIf(func(c *conn) bool { return !c.spoke.Load() }) }

// cutAll closes all connections.
func (l *conns) cutAll() { l.cutIf(func(*conn) bool { return true }) }

func (l *conns) cutIf(cond func(*conn) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.open {
		if cond(c) {
			c.cut()
		}
	}
}

// conn is a connection of conns.
type conn struct {
	net.Conn
	l     *conns
	spoke atomic.Bool // has sent something
	ended atomic.Bool // was cut
}

// Read implements net.Conn.
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 && !c.spoke.Load() {
		c.spoke.Store(true)
	}
	if err != nil && c.ended.Load() && !c.spoke.Load() {
		return n, io.EOF // an error would reach the app's ErrorHandler, as if there had been a request
	}
	return n, err
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.l.mu.Lock()
	delete(c.l.open, c)
	c.l.mu.Unlock()
	return c.Conn.Close()
}

// cut closes the connection without a word: TLS would say goodbye, and wait for a client that does not read.
func (c *conn) cut() {
	c.ended.Store(true)
	nc := c.Conn
	if t, ok := nc.(interface{ NetConn() net.Conn }); ok {
		nc = t.NetConn()
	}
	_ = nc.Close() // it may be closed already
}

// tlsConn is how fasthttp knows a TLS connection.
type tlsConn interface {
	Handshake() error
	ConnectionState() tls.ConnectionState
}

// secureConn is a conn over TLS, which fasthttp must be able to see.
type secureConn struct {
	*conn
	tls tlsConn
}

func (c *secureConn) Handshake() error                     { return c.tls.Handshake() }
func (c *secureConn) ConnectionState() tls.ConnectionState { return c.tls.ConnectionState() }
