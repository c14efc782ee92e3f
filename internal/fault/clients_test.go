package fault

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// clients order from services, eight at a time, and remember what was accepted.
type clients struct {
	urls    []string
	http    http.Client
	stop    chan struct{}
	running sync.WaitGroup

	mu       sync.Mutex
	accepted map[string]string // task id by the number of the order
	refused  atomic.Int64      // answers other than 202
	failed   atomic.Int64      // no answer: the order may have been accepted or not
	next     atomic.Int64
}

// load starts the clients, each of which turns to the services in turn.
func load(t *testing.T, urls ...string) *clients {
	t.Helper()
	c := &clients{urls: urls, stop: make(chan struct{}), accepted: map[string]string{}}
	c.http.Timeout = 3 * time.Second // a paused service does not answer
	c.http.Transport = &http.Transport{MaxIdleConnsPerHost: 8}
	for range 8 {
		c.running.Go(c.shop)
	}
	t.Cleanup(c.end)
	return c
}

// end stops the clients. Calling it again does nothing.
func (c *clients) end() {
	c.mu.Lock()
	select {
	case <-c.stop:
	default:
		close(c.stop)
	}
	c.mu.Unlock()
	c.running.Wait()
	c.http.CloseIdleConnections()
}

func (c *clients) shop() {
	pause := time.NewTicker(2 * time.Millisecond)
	defer pause.Stop()
	for {
		select {
		case <-c.stop:
			return
		case <-pause.C:
		}
		n := c.next.Add(1)
		c.order(c.urls[n%int64(len(c.urls))], fmt.Sprintf("n%d", n))
	}
}

func (c *clients) order(url, number string) {
	body, err := json.Marshal(order{Number: number})
	if err != nil {
		panic(err)
	}
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url+"/orders", bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		c.failed.Add(1)
		return
	}
	defer func() { _ = answer.Body.Close() }()
	id, err := io.ReadAll(answer.Body)
	switch {
	case answer.StatusCode != http.StatusAccepted:
		c.refused.Add(1)
	case err != nil || len(id) != 36: // the headers came, and then the service died: accepted, but we do not know as what
		c.failed.Add(1)
	default:
		c.mu.Lock()
		c.accepted[number] = string(id)
		c.mu.Unlock()
	}
}

func (c *clients) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.accepted)
}
