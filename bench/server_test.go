package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	tasks "github.com/taskflow-go/taskflow/adapters/gin"
)

const (
	connections = 32    // kept alive by the load generator
	perRound    = 4_096 // requests of one side in one round
)

// BenchmarkServer compares two servers on real connections: each operation is a round of requests to one and then to the other,
// so that whatever drifts on the machine meets both alike. It reports the requests a second of each, over all rounds, and the median of the
// rounds' ratios (second to first: 1 is as fast).
func BenchmarkServer(b *testing.B) {
	for _, tt := range []struct{ name, first, second string }{
		{"no-task", "bare", "middleware"},
		{"one-task", "go-statement", "middleware-one-task"},
		{"same-twice", "bare", "bare"}, // how much the measurement itself varies
	} {
		b.Run(tt.name, func(b *testing.B) {
			first, second := serve(b, tt.first), serve(b, tt.second)
			first.round(b)
			second.round(b)
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
			b.ReportMetric(requests/sums[0].Seconds(), tt.first+"-req/s")
			b.ReportMetric(requests/sums[1].Seconds(), "taskflow-req/s")
			b.ReportMetric(quantile(ratios, 0.5), "median-ratio")
		})
	}
}

// load is a server and the connections to it.
type load struct{ clients []client }

type client struct {
	net.Conn
	answers *bufio.Reader
}

// serve starts a server for one of the engines, in the way of tasks.Run, and connects to it.
func serve(b *testing.B, name string) *load {
	b.Helper()
	l, err := new(net.ListenConfig).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	m, all := engines(b)
	srv := &http.Server{Handler: all[name].Handler(), ReadHeaderTimeout: time.Minute}
	if strings.HasPrefix(name, "middleware") {
		tasks.Attach(srv, m)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			b.Error(err)
		}
	})
	b.Cleanup(func() {
		if err := srv.Shutdown(context.Background()); err != nil {
			b.Error(err)
		}
		serving.Wait()
	})
	load := &load{}
	for range connections {
		c, err := new(net.Dialer).DialContext(b.Context(), "tcp", l.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = c.Close() }) // the server may have closed it before
		load.clients = append(load.clients, client{c, bufio.NewReader(c)})
	}
	return load
}

// round sends perRound requests over all connections and returns how long that took.
func (l *load) round(b *testing.B) time.Duration {
	b.Helper()
	start := time.Now()
	var running sync.WaitGroup
	for i := range l.clients {
		running.Go(func() {
			for range perRound / connections {
				if err := l.clients[i].get(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	running.Wait()
	return time.Since(start)
}

const request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

// get sends one request and reads its answer, doing as little as it can: the server is what is measured.
func (c client) get() error {
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
