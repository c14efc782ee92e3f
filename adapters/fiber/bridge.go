package tasks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"sync"

	"github.com/gofiber/fiber/v2"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// bridge lets a net/http handler answer Fiber's requests. Fiber's own adaptor collects a response until the handler returns, which
// a live stream never does; here the first Flush turns the response into a stream.
type bridge struct {
	handler http.Handler
	m       *taskflow.Manager
}

// errCut ends a response in the middle, so that the client sees that it is not whole.
var errCut = errors.New("the handler of the stream panicked")

// call is one call of the net/http handler, on a goroutine of its own: a stream goes on when the Fiber handler has returned.
// The goroutine belongs to serve until the response becomes a stream, and to that stream then: both wait for its end.
type call struct {
	w      *writer
	cancel context.CancelFunc
	watch  sync.WaitGroup // of the goroutine that sees the server's Shutdown begin
	ended  chan struct{}
	panic  any // set before ended is closed
}

// serve answers c; path is what the handler sees as the path.
func (b *bridge) serve(c *fiber.Ctx, path string) error {
	// Cancellation is left out: a context that ends with Fiber's handler would end the stream at once.
	ctx, cancel := context.WithCancel(context.WithoutCancel(detached(c.UserContext())))
	r, err := newRequest(ctx, c, path)
	if err != nil {
		cancel()
		return err
	}
	w := newWriter(c.Context())
	k := &call{w: w, cancel: cancel, ended: make(chan struct{})}
	go k.run(b, r) // awaited below, or by stream.Close
	select {
	case <-k.ended:
	case <-w.flushed:
	}
	if !w.streams() {
		<-k.ended
		if k.panic != nil {
			panic(k.panic) // for Fiber's recover middleware
		}
		return w.send(c)
	}
	w.sendHead(c)
	if done := c.Context().Done(); done != nil {
		k.watch.Go(func() { // ends with the stream, by ctx; awaited by stream.Close
			select {
			case <-done: // the server's Shutdown has begun, and waits for the stream
				b.m.BeginShutdown()
			case <-ctx.Done():
			}
		})
	}
	c.Context().Response.ImmediateHeaderFlush = true
	c.Context().SetBodyStream(&stream{PipeReader: w.out, call: k}, -1)
	return nil
}

// run calls the handler.
func (k *call) run(b *bridge, r *http.Request) {
	defer close(k.ended)
	defer k.cancel()
	defer func() {
		k.panic = recover()
		if !k.w.finish(k.panic != nil) || k.panic == nil || k.panic == any(http.ErrAbortHandler) {
			return
		}
		b.m.Logger().Error("dashboard: the handler of a stream panicked",
			"method", r.Method, "path", r.URL.Path, "panic", fmt.Sprint(k.panic), "stack", string(debug.Stack()))
	}()
	k.w.serve(b.handler, r)
}

// stream is the body of a response that is written while the handler runs.
type stream struct {
	*io.PipeReader
	call *call
}

// Close is called by fasthttp when the stream is at its end or the client cannot be reached. It ends the request's context, and waits
// for the handler.
func (s *stream) Close() error {
	s.call.cancel()
	err := s.PipeReader.Close()
	<-s.call.ended
	s.call.watch.Wait()
	s.call.w.liftDeadline()
	return err
}
