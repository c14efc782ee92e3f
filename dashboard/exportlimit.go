package dashboard

import (
	"net/http"
	"sync"
	"time"
)

// An export lasts for as long as its client takes to read it, so that those who read slowly must not keep others from theirs: each has a few of many. One
// costs a page of the list and exportChunk of text in memory, and reads its next page in turn with others.
const (
	exportsAtOnce = 32
	exportsEach   = 4
	exportChunk   = 64 << 10 // bytes written at once, and taken within WriteTimeout by a client that has not gone
)

// exports are the exports under way. The zero value has none. Safe for concurrent use.
type exports struct {
	mu  sync.Mutex
	all int
	of  map[string]int // by client
}

// begin admits an export; then end must be called.
func (x *exports) begin(client string) (end func(), err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.of[client] >= exportsEach:
		return nil, refuse(http.StatusTooManyRequests, "%d of your exports are under way, which is the limit; try again when one has ended", exportsEach).after(10 * time.Second)
	case x.all >= exportsAtOnce:
		return nil, refuse(http.StatusServiceUnavailable, "%d exports are under way, which is the limit; try again later", exportsAtOnce).after(10 * time.Second)
	}
	if x.of == nil {
		x.of = map[string]int{}
	}
	x.all++
	x.of[client]++
	return func() { x.end(client) }, nil
}

func (x *exports) end(client string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.all--
	if x.of[client]--; x.of[client] == 0 {
		delete(x.of, client)
	}
}

// clientOf says whose requests count together: a user's, or an address's where there are no users.
func clientOf(r *http.Request) string {
	if s := sessionOf(r); s != nil {
		return "user " + s.User
	}
	return "address " + throttleKey(r)
}
