package adaptertest

import (
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// Listener is a TCP listener on a free port of this machine that counts what its connections write, and may be slow at it: on a
// fast loopback even a task that starts too early looks as if it came after the response.
type Listener struct {
	net.Listener
	pause   time.Duration
	written atomic.Int64
}

// Listen opens a listener whose connections take pause before each write. The test closes it if nobody else does.
func Listen(t testing.TB, pause time.Duration) *Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	t.Cleanup(func() { _ = ln.Close() }) // closed already when the service under test ended well
	return &Listener{Listener: ln, pause: pause}
}

// Written is the number of bytes that all connections have handed to the operating system.
func (l *Listener) Written() int64 { return l.written.Load() }

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &countingConn{Conn: c, l: l}, nil
}

type countingConn struct {
	net.Conn
	l *Listener
}

func (c *countingConn) Write(b []byte) (int, error) {
	if c.l.pause > 0 {
		<-time.After(c.l.pause) // not a wait for something: this is the slow network itself
	}
	n, err := c.Conn.Write(b)
	c.l.written.Add(int64(n))
	return n, err
}
