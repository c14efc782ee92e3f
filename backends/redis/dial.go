package redis

import (
	"context"
	"net"
	"time"
)

// dialTimeout is go-redis's own, for URLs without dial_timeout.
const dialTimeout = 5 * time.Second

// dialer makes the connections of go-redis's pool.
type dialer = func(ctx context.Context, network, addr string) (net.Conn, error)

// quietly is dial, but a failure is told by the first use of the connection. The pool writes each dial that fails to standard error, several times a
// second while a server is away, and only its logger for the whole process, which is not ours, could change that. The backend reports the error anyway.
// Its pool then dials anew for each call, where it would give the last error again for up to a second.
func quietly(dial dialer) dialer {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return undialled{err}, nil
		}
		return c, nil
	}
}

// undialled is a connection that could not be made.
type undialled struct{ err error }

func (u undialled) Read([]byte) (int, error)       { return 0, u.err }
func (u undialled) Write([]byte) (int, error)      { return 0, u.err }
func (undialled) Close() error                     { return nil }
func (undialled) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (undialled) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (undialled) SetDeadline(time.Time) error      { return nil }
func (undialled) SetReadDeadline(time.Time) error  { return nil }
func (undialled) SetWriteDeadline(time.Time) error { return nil }
