package redis_test

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
)

// proxy stands between a client and a server, and can lose answers.
type proxy struct {
	addr   string
	target string

	mu    sync.Mutex
	lose  string // the answer to the next request that contains this is lost, together with its connection
	conns map[net.Conn]bool
	lost  int
}

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{addr: l.Addr().String(), target: target, conns: map[net.Conn]bool{}}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return // closed below
			}
			wg.Go(func() { p.serve(client) })
		}
	})
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		p.cut()
		wg.Wait()
	})
	return p
}

// loseAnswerTo has the next request that contains text done by the server, and its answer lost.
func (p *proxy) loseAnswerTo(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lose = text
}

// losses is how many answers were lost.
func (p *proxy) losses() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lost
}

// cut closes all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		_ = c.Close() // it may be closed already
	}
}

func (p *proxy) hold(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[c] = true
}

// serve passes on one request after the other, with its answer. That does for commands, whose requests are small here, and for
// subscriptions, whose answers come by themselves.
func (p *proxy) serve(client net.Conn) {
	p.hold(client)
	defer client.Close()
	server, err := new(net.Dialer).DialContext(context.Background(), "tcp", p.target)
	if err != nil {
		return
	}
	p.hold(server)
	defer server.Close()
	var losing sync.Mutex // held from the request whose answer is lost until the connection is gone
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		defer client.Close()
		buf := make([]byte, 1<<16)
		for {
			n, err := server.Read(buf)
			if err != nil {
				return
			}
			if !losing.TryLock() {
				return
			}
			_, err = client.Write(buf[:n])
			losing.Unlock()
			if err != nil {
				return
			}
		}
	})
	buf := make([]byte, 1<<16)
	for {
		n, err := client.Read(buf)
		if err != nil {
			_ = server.Close() // ends the other direction
			return
		}
		if p.loses(string(buf[:n])) {
			losing.Lock() // never unlocked: the answer that comes is dropped
		}
		if _, err := server.Write(buf[:n]); err != nil {
			return
		}
	}
}

func (p *proxy) loses(request string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lose == "" || !strings.Contains(request, p.lose) {
		return false
	}
	p.lose = ""
	p.lost++
	return true
}
