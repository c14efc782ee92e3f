package tasks

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// writer collects what the handler writes, for the Fiber handler to send; from the first flush on it is the writing end of a stream.
type writer struct {
	conn    net.Conn       // nil: there is no server behind this, and nobody who would read a stream
	out     *io.PipeReader // the stream's reading end
	in      *io.PipeWriter
	flushed chan struct{} // closed by the first flush

	mu        sync.Mutex
	header    http.Header // the handler's
	sent      http.Header // as it was at the first byte
	code      int
	buf       bytes.Buffer
	streaming bool
	over      bool // no more deadlines
}

func newWriter(c *fasthttp.RequestCtx) *writer {
	w := &writer{header: http.Header{}, flushed: make(chan struct{})}
	w.out, w.in = io.Pipe()
	if c.ConnRequestNum() > 0 {
		w.conn = c.Conn()
	}
	return w
}

// flusher is a writer that can stream. The plain one has no Flush, by which handlers see that it cannot.
type flusher struct{ *writer }

func (w *writer) serve(h http.Handler, r *http.Request) {
	if w.conn == nil {
		h.ServeHTTP(w, r)
		return
	}
	h.ServeHTTP(flusher{w}, r)
}

// Header implements http.ResponseWriter.
func (w *writer) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *writer) WriteHeader(code int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if code >= 200 { // informational responses are not passed on
		w.commit(code)
	}
}

// commit fixes status and header. The caller holds w.mu.
func (w *writer) commit(code int) {
	if w.code == 0 {
		w.code, w.sent = code, w.header.Clone()
	}
}

// Write implements http.ResponseWriter.
func (w *writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.commit(http.StatusOK)
	return w.buf.Write(p)
}

// Flush implements http.Flusher.
func (f flusher) Flush() { _ = f.FlushError() } // http.Flusher has no error; http.ResponseController uses the other

// FlushError serves http.ResponseController. It returns when fasthttp has taken what was written, or cannot any more.
func (f flusher) FlushError() error {
	data := f.startStream()
	if len(data) == 0 {
		return nil
	}
	_, err := f.in.Write(data)
	return err
}

// SetWriteDeadline serves http.ResponseController.
func (f flusher) SetWriteDeadline(t time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over {
		return net.ErrClosed
	}
	return f.conn.SetWriteDeadline(t)
}

// startStream returns what is to be sent now.
func (w *writer) startStream() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.commit(http.StatusOK)
	if !w.streaming {
		w.streaming = true
		close(w.flushed)
	}
	data := bytes.Clone(w.buf.Bytes())
	w.buf.Reset()
	return data
}

func (w *writer) streams() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.streaming
}

// finish ends the response on the handler's side; cut says that it is not whole. It reports whether the response was a stream.
func (w *writer) finish(cut bool) bool {
	if !w.streams() {
		w.liftDeadline()
		return false
	}
	if cut {
		_ = w.in.CloseWithError(errCut) // never fails
		return true
	}
	if data := w.startStream(); len(data) > 0 { // written, but not flushed
		_, _ = w.in.Write(data) // fails when the client has gone, and then nobody waits for it
	}
	_ = w.in.Close() // never fails
	return true
}

// liftDeadline leaves the connection to the next request as it was.
func (w *writer) liftDeadline() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn != nil && !w.over {
		_ = w.conn.SetWriteDeadline(time.Time{}) // fails when the connection is closed, and then there is no next request
	}
	w.over = true
}

// sendHead gives c status and header.
func (w *writer) sendHead(c *fiber.Ctx) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.commit(http.StatusOK)
	c.Status(w.code)
	for name, values := range w.sent {
		for i, v := range values {
			if i == 0 {
				c.Response().Header.Set(name, v)
			} else {
				c.Response().Header.Add(name, v)
			}
		}
	}
}

// send gives c the whole response.
func (w *writer) send(c *fiber.Ctx) error {
	w.sendHead(c)
	body := w.buf.Bytes()
	if w.sent.Get(fiber.HeaderContentType) == "" && len(body) > 0 {
		c.Response().Header.SetContentType(http.DetectContentType(body)) // as net/http does
	}
	return c.Send(body)
}
