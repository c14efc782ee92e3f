package testserver

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
)

// freePort returns a port of 127.0.0.1 that nobody listens on. It lies below those that the kernel gives to outgoing
// connections (from 32768 on Linux, 49152 on macOS). One of these could be given, as its own end, to a client that calls the
// server while it is down, which would then be connected to itself; and as long as any connection had it, the server could not
// start again.
func freePort(ctx context.Context) (int, error) {
	var err error
	for range 100 {
		port := 12000 + rand.IntN(18000)
		var l net.Listener
		if l, err = (&net.ListenConfig{}).Listen(ctx, "tcp4", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return port, l.Close()
		}
	}
	return 0, fmt.Errorf("no free port of 127.0.0.1 in 100 attempts: %w", err)
}
