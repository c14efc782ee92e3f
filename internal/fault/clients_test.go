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

// atOnce is how many clients order at a time: each has one order on its way at most.
const atOnce = 8

// clients order from services, and remember what was accepted. An order without an answer is repeated, with the same key, until there is one.
type clients struct {
	urls    []string
	http    http.Client
	stop    chan struct{}
	running sync.WaitGroup

	mu       sync.Mutex
	accepted map[string]string // task id by the number of the order
	turned   []string          // numbers of the orders that were refused when they were made, and not repeated
	open     int               // orders that have got no answer in the end
	refused  atomic.Int64      // answers other than 202
	failed   atomic.Int64      // no answer: the order may have been accepted or not
	repeated atomic.Int64      // orders that were accepted when they were repeated
	next     atomic.Int64
}

// load starts the clients, each of which turns to the services in turn.
func load(t *testing.T, urls ...string) *clients {
	t.Helper()
	c := &clients{urls: urls, stop: make(chan struct{}), accepted: map[string]string{}}
	c.http.Timeout = 3 * time.Second // a paused service does not answer
	c.http.Transport = &http.Transport{MaxIdleConnsPerHost: atOnce}
	for range atOnce {
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
		c.shopFor(c.next.Add(1))
	}
}

// shopFor orders until it is known what became of the order. Each time another service is asked.
func (c *clients) shopFor(n int64) {
	number := fmt.Sprintf("n%d", n)
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for try := int64(0); ; try++ {
		id, status := c.order(c.urls[(n+try)%int64(len(c.urls))], number)
		switch {
		case status == http.StatusAccepted:
			if try > 0 {
				c.repeated.Add(1)
			}
			c.mu.Lock()
			c.accepted[number] = id
			c.mu.Unlock()
			return
		case status != 0 && try == 0: // nobody has it
			c.mu.Lock()
			c.turned = append(c.turned, number)
			c.mu.Unlock()
			return
		}
		select {
		case <-again.C:
		case <-c.stop:
			c.mu.Lock()
			c.open++
			c.mu.Unlock()
			return
		}
	}
}

// order asks one service; the status is 0 when there was no answer.
func (c *clients) order(url, number string) (id string, status int) {
	body, err := json.Marshal(order{Number: number})
	if err != nil {
		panic(err)
	}
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url+"/orders", bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	r.Header.Set(keyHeader, number)
	answer, err := c.http.Do(r)
	if err != nil {
		c.failed.Add(1)
		return "", 0
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	switch {
	case answer.StatusCode != http.StatusAccepted:
		c.refused.Add(1)
	case err != nil || len(text) != 36: // the headers came, and then the service died: accepted, but we do not know as what
		c.failed.Add(1)
		return "", 0
	}
	return string(text), answer.StatusCode
}

func (c *clients) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.accepted)
}
