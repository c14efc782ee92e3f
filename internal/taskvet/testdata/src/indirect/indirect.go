// Package indirect has tasks that get what is the request's in a roundabout way.
package indirect

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	ginTasks "github.com/taskflow-go/taskflow/adapters/gin"
	tasks "github.com/taskflow-go/taskflow/adapters/nethttp"
	taskflow "github.com/taskflow-go/taskflow/core"
)

func work(...any) {}

func bodies(w http.ResponseWriter, r *http.Request) {
	body := r.Body
	tasks.Add(r, func() { io.ReadAll(body) }) // want `task uses body, which is from r.Body, the request's body: the server closes it`
	var reader io.Reader = r.Body
	tasks.Add(r, func() { io.ReadAll(reader) }) // want `task uses reader, which is from r.Body, the request's body`
	limited := http.MaxBytesReader(w, body, 10)
	tasks.Add(r, func() { io.ReadAll(limited) }) // want `task uses limited, which is from w, the response`
	decoder := json.NewDecoder(io.LimitReader(bufio.NewReader(r.Body), 10))
	tasks.Add(r, func() { decoder.Decode(nil) }) // want `task uses decoder, which is from r.Body, the request's body`
	form := r.MultipartForm
	tasks.Add(r, func() { work(form) })    // want `task uses form, an upload`
	tasks.Add(r, func() { r.ParseForm() }) // want `task uses r.ParseForm, the request's body`
	var out io.Writer = w
	tasks.Add(r, func() { io.WriteString(out, "done") }) // want `task uses out, which is from w, the response`
	encoder := json.NewEncoder(w)
	tasks.Add(r, func() { encoder.Encode(1) }) // want `task uses encoder, which is from w, the response`

	all, _ := io.ReadAll(r.Body)
	tasks.Add(r, func() { work(all) })
	again := r.Body
	again = io.NopCloser(bytes.NewReader(all))
	tasks.Add(r, func() { io.ReadAll(again) })
	loop := r.Header
	loop = loop.Clone()
	tasks.Add(r, func() { work(loop) })
}

func contexts(c *gin.Context) {
	var old context.Context = c
	ginTasks.Add(c, func() { work(old.Value("a")) }) // want `task uses old, which is from c, a \*gin.Context`
	short, cancel := context.WithTimeout(c, time.Second)
	defer cancel()
	ginTasks.Add(c, func() { work(short) }) // want `task uses short, which is from c, a \*gin.Context`
	valued := context.WithValue(old, "a", 1)
	ginTasks.Add(c, func() { work(valued) }) // want `task uses valued, which is from c, a \*gin.Context`
	var any any = c
	ginTasks.Add(c, func() { work(any.(*gin.Context)) }) // want `task uses any.\(\*gin.Context\), a \*gin.Context`

	requests := c.Request.Context()
	ginTasks.Add(c, func() { work(requests) })
}

type holder struct {
	c    *gin.Context
	name string
}

func (h holder) run()                        { work(h.c.Query("a")) }
func (h *holder) named()                     { work(h.name) }
func (h *holder) set()                       { h.c = nil }
func (holder) nothing()                      {}
func (h holder) body(r *http.Request) func() { return func() { work(r.Body) } } // want `task uses r.Body, the request's body`

func methods(c *gin.Context) {
	h := &holder{c: c, name: c.Query("name")}
	ginTasks.Add(c, h.run) // want `task is a method that uses h.c, a \*gin.Context`
	ginTasks.Add(c, h.named)
	ginTasks.Add(c, h.set)
	ginTasks.Add(c, h.nothing)
	ginTasks.Add(c, h.body(c.Request))
	ginTasks.Add(c, func() { work(h.name) })
}

func makeTask(c *gin.Context, name string) func(context.Context) error {
	if name == "" {
		return func(context.Context) error { work(c); return nil } // want `task uses c, a \*gin.Context`
	}
	done := func(context.Context) error {
		func() func() { return func() { work(c) } }() // want `task uses c, a \*gin.Context`
		return nil
	}
	return done
}

func made(c *gin.Context) {
	ginTasks.Add(c, makeTask(c, ""))
	ginTasks.Add(c, makeTask(c, "again"))
	ginTasks.Add(c, func() func() {
		return func() { work(c) } // want `task uses c, a \*gin.Context`
	}())
	work(func() func() { return func() { work(c) } }())
}

func later(c *gin.Context, f func()) { ginTasks.Add(c, f) }
func evenLater(c *gin.Context, name string, f func()) {
	ginTasks.Add(c, func() { work(name); later(c, f) }) // want `task uses c, a \*gin.Context`
}
func generic[R taskflow.Runnable](c *gin.Context, r R) { ginTasks.Add(c, r) }
func through(c *gin.Context, f func())                 { later(c, func() { f() }) }
func notATask(c *gin.Context, f func(*gin.Context))    { f(c) }

func wrapped(c *gin.Context) {
	later(c, func() { work(c) })          // want `task uses c, a \*gin.Context`
	evenLater(c, "a", func() { work(c) }) // want `task uses c, a \*gin.Context`
	generic(c, func() { work(c) })        // want `task uses c, a \*gin.Context`
	through(c, func() { work(c) })        // want `task uses c, a \*gin.Context`
	later(c, func() { work(1) })
	notATask(c, func(*gin.Context) { work(c) })
}
