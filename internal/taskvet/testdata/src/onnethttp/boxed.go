package onnethttp

import (
	"bytes"
	"io"
	"net/http"

	tasks "github.com/taskflow-go/taskflow/adapters/nethttp"
)

// recorder is a response writer of the program's own.
type recorder struct {
	http.ResponseWriter
	status int
}

// What an interface has in it is what was assigned to it.
func boxed(w http.ResponseWriter, r *http.Request) {
	fl := w.(http.Flusher)
	tasks.Add(r, func() { fl.Flush() }) // want `task uses fl, the response`
	fl2, ok := w.(interface{ Flush() })
	tasks.Add(r, func() { work(ok); fl2.Flush() }) // want `task uses fl2, which is from w, the response`
	var out io.Writer = w
	tasks.Add(r, func() { work(out) }) // want `task uses out, which is from w, the response`
	again := any(out)
	tasks.Add(r, func() { work(again) }) // want `task uses again, which is from w, the response`
	body := r.Body
	tasks.Add(r, func() { io.ReadAll(body) }) // want `task uses body, which is from r.Body, the request's body`
	func(w io.Writer) {
		tasks.Add(r, func() { work(w) }) // want `task uses w, which is from w, the response`
	}(w)
	switch x := w.(type) {
	case http.Hijacker:
		tasks.Add(r, func() { x.Hijack() }) // want `task uses x, the response`
	}
	rec := &recorder{w, 200}
	tasks.Add(r, func() { rec.WriteHeader(rec.status) }) // want `task uses rec.WriteHeader, the response`
	tasks.Add(r, func() { work(rec.status) })

	var safe io.Reader = r.Body
	read, _ := io.ReadAll(safe)
	safe = bytes.NewReader(read)
	tasks.Add(r, func() { work(safe) })
	var loop any
	loop = loop
	tasks.Add(r, func() { work(loop) })
}

func flusher(fl http.Flusher, r *http.Request) {
	tasks.Add(r, func() { fl.Flush() }) // want `task uses fl, the response`
}
