package dashboard_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// event is one server-sent event; a comment has its text as name.
type event struct{ id, name, data string }

func (e event) task(t *testing.T) task {
	t.Helper()
	var v task
	if err := json.Unmarshal([]byte(e.data), &v); err != nil {
		t.Fatalf("event %+v: %v", e, err)
	}
	return v
}

func parseEvents(text string) (all []event) {
	for block := range strings.SplitSeq(text, "\n\n") {
		var e event
		for line := range strings.SplitSeq(block, "\n") {
			field, value, _ := strings.Cut(line, ": ")
			switch field {
			case "id":
				e.id = value
			case "event":
				e.name = value
			case "data":
				e.data = value
			case "":
				e.name = ":" + value
			}
		}
		if e.name != "" && e.name != ":" {
			all = append(all, e)
		}
	}
	return all
}

// watcher is a viewer without a connection, for synctest bubbles: what the handler writes is kept.
type watcher struct {
	t      *testing.T
	cancel context.CancelFunc
	done   chan struct{} // the handler has returned
	gate   chan struct{} // holds a token while writes are held up

	mu     sync.Mutex
	head   http.Header
	status int
	text   strings.Builder
	read   int      // events returned by next so far
	counts []string // data of the counts events that next has passed over
}

func (w *watcher) Header() http.Header { return w.head }

func (w *watcher) WriteHeader(status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status = status
}

func (w *watcher) Write(b []byte) (int, error) {
	w.gate <- struct{}{}
	<-w.gate
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(b)
}

func (w *watcher) Flush() {}

// watch opens a stream inside a bubble.
func (s *site) watch(changes ...change) *watcher {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	w := &watcher{t: s.t, cancel: cancel, done: make(chan struct{}), gate: make(chan struct{}, 1), head: http.Header{}}
	r := newRequest(ctx, http.MethodGet, "/dashboard/stream", changes)
	go func() { // ended by leave, or by the bubble's end
		defer close(w.done)
		s.h.ServeHTTP(w, r)
	}()
	synctest.Wait()
	return w
}

// next returns the events since its last call, without comments and counts.
func (w *watcher) next() (fresh []event) {
	w.t.Helper()
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	all := parseEvents(w.text.String())
	for _, e := range all[w.read:] {
		switch {
		case e.name == "counts":
			w.counts = append(w.counts, e.data)
		case !strings.HasPrefix(e.name, ":"):
			fresh = append(fresh, e)
		}
	}
	w.read = len(all)
	return fresh
}

// after lets a frame pass and returns what came.
func (w *watcher) after(d time.Duration) []event {
	w.t.Helper()
	time.Sleep(d)
	return w.next()
}

func (w *watcher) ended() bool {
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}

func (w *watcher) leave() {
	w.cancel()
	<-w.done
}

// events reads a real stream's events into a channel until it ends.
func events(res *http.Response) <-chan event {
	out := make(chan event, 1000)
	go func() { // ended by the end of the body
		defer close(out)
		var block strings.Builder
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			if lines.Text() != "" {
				block.WriteString(lines.Text() + "\n")
				continue
			}
			for _, e := range parseEvents(block.String() + "\n") {
				out <- e
			}
			block.Reset()
		}
	}()
	return out
}

// receive waits for the next event of that name.
func receive(t *testing.T, from <-chan event, name string) event {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		select {
		case e, open := <-from:
			if !open {
				t.Fatalf("the stream ended before an event %q", name)
			}
			if e.name == name {
				return e
			}
		case <-deadline:
			t.Fatalf("no event %q came", name)
		}
	}
}
