package httpx

import (
	"context"
	"net/http"
	"time"
)

const (
	// settle is the time between the end of a request's context, which net/http ends right before the last write, and the
	// start of its tasks, where nothing tells when that write is done. With none, tasks are nearly always first.
	settle = time.Millisecond
	// patience is how long after the handler's return tasks wait for a sign that the response has left. Tasks that start
	// early are better than tasks that never start.
	patience = 2 * time.Second
	// stalled is the same where the connection will tell, unless its client neither sends the rest of its request nor reads the
	// response: it does not decide whether tasks start. Far more than a slow network takes.
	stalled = 30 * time.Second
)

// waitForConn leaves the release to the connection, within limits. When the context has ended by now, the client has gone or
// http.TimeoutHandler has answered, and then what the connection will tell may be about the next request, which may last. q.mu is held.
func (q *Request) waitForConn() {
	switch {
	case q.Err() != nil:
		q.timer = time.AfterFunc(patience, q.release)
	case !q.batch.Empty():
		q.timer = time.AfterFunc(q.conn.stalled, q.release)
	}
}

// waitForContext arranges for the release where no connection tells when the response is out: over HTTP/2, and in a server that
// nobody attached. True: there is nothing to wait for. q.mu is held.
func (q *Request) waitForContext() (now bool) {
	switch {
	case q.batch.Empty():
		return true
	case q.Context.Value(http.ServerContextKey) == nil:
		return true // httptest.ResponseRecorder and the like: there is no later moment
	case q.Done() == nil:
		q.timer = time.AfterFunc(settle, q.release) // somebody cut the context off from the request: nothing will be known
		return false
	}
	q.timer = time.AfterFunc(patience, q.release)
	q.unwatch = context.AfterFunc(q.Context, func() { // ends when the outermost handler has returned
		q.mu.Lock()
		defer q.mu.Unlock()
		if !q.over {
			q.timer.Reset(settle)
		}
	})
	return false
}
