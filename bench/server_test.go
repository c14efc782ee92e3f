package bench

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	connections = 32    // kept alive by the load generator
	perRound    = 4_096 // requests of one side in one round
)

// BenchmarkServer compares two servers on real connections: each operation is a round of requests to one and then to the other,
// so that whatever drifts on the machine meets both alike. It reports the requests a second of each, over all rounds, and the median of the
// rounds' ratios (second to first: 1 is as fast).
func BenchmarkServer(b *testing.B) {
	for _, framework := range []string{"nethttp", "chi", "gin", "fiber"} {
		for _, tt := range []struct{ name, first, second string }{
			{"no-task", "bare", "middleware"},
			{"one-task", "go-statement", "middleware-one-task"},
			{"same-twice", "bare", "bare"}, // how much the measurement itself varies
		} {
			b.Run(framework+"/"+tt.name, func(b *testing.B) { compare(b, framework, tt.first, tt.second) })
		}
	}
}

func compare(b *testing.B, framework, nameOfFirst, nameOfSecond string) {
	b.Helper()
	first, second := connect(b, servers[framework](b, nameOfFirst)), connect(b, servers[framework](b, nameOfSecond))
	first.round(b)
	second.round(b)
	first.forget()
	second.forget()
	var ratios []float64
	var sums [2]time.Duration
	for b.Loop() {
		var x, y time.Duration
		if len(ratios)%2 == 0 {
			x, y = first.round(b), second.round(b)
		} else {
			y, x = second.round(b), first.round(b)
		}
		sums[0], sums[1] = sums[0]+x, sums[1]+y
		ratios = append(ratios, x.Seconds()/y.Seconds())
	}
	requests := float64(perRound * len(ratios))
	b.ReportMetric(requests/sums[0].Seconds(), nameOfFirst+"-req/s")
	b.ReportMetric(requests/sums[1].Seconds(), "taskflow-req/s")
	b.ReportMetric(quantile(ratios, 0.5), "median-ratio")
	b.ReportMetric(second.quantile(0.99)/first.quantile(0.99), "p99-ratio")
}

// load is the connections to a server.
type load struct{ clients []*client }

type client struct {
	net.Conn
	answers *bufio.Reader
	took    []float64 // seconds a request
}

// connect opens the connections to a server at addr.
func connect(b *testing.B, addr string) *load {
	b.Helper()
	load := &load{}
	for range connections {
		c, err := new(net.Dialer).DialContext(b.Context(), "tcp", addr)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = c.Close() }) // the server may have closed it before
		load.clients = append(load.clients, &client{Conn: c, answers: bufio.NewReader(c)})
	}
	return load
}

// forget drops what was measured so far.
func (l *load) forget() {
	for _, c := range l.clients {
		c.took = nil
	}
}

// quantile is that of all requests so far.
func (l *load) quantile(q float64) float64 {
	var all []float64
	for _, c := range l.clients {
		all = append(all, c.took...)
	}
	return quantile(all, q)
}

// round sends perRound requests over all connections and returns how long that took.
func (l *load) round(b *testing.B) time.Duration {
	b.Helper()
	start := time.Now()
	var running sync.WaitGroup
	for i := range l.clients {
		running.Go(func() {
			for range perRound / connections {
				began := time.Now()
				if err := l.clients[i].get(); err != nil {
					b.Error(err)
					return
				}
				l.clients[i].took = append(l.clients[i].took, time.Since(began).Seconds())
			}
		})
	}
	running.Wait()
	return time.Since(start)
}

const request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

// get sends one request and reads its answer, doing as little as it can: the server is what is measured.
func (c *client) get() error {
	if _, err := io.WriteString(c.Conn, request); err != nil {
		return err
	}
	length := -1
	for first := true; ; first = false {
		line, err := c.answers.ReadSlice('\n')
		if err != nil {
			return err
		}
		switch text := string(line); {
		case first && text != "HTTP/1.1 200 OK\r\n":
			return fmt.Errorf("answer begins with %q", text)
		case text == "\r\n":
			_, err := c.answers.Discard(length)
			return err
		case strings.HasPrefix(text, "Content-Length: "):
			if length, err = strconv.Atoi(strings.TrimSpace(text[len("Content-Length: "):])); err != nil {
				return err
			}
		}
	}
}
