package onnethttp

import (
	"context"
	"io"
	"net/http"

	tasks "github.com/taskflow-go/taskflow/adapters/nethttp"
	taskflow "github.com/taskflow-go/taskflow/core"
)

func work(...any) {}

func response(w http.ResponseWriter, r *http.Request) {
	tasks.Add(r, func() {
		w.WriteHeader(200) // want `task uses w, the response: it has been sent when the task runs`
		w.WriteHeader(201) // one report a task is enough
	})
	tasks.Add(r, func() { work(w) })                                               // want `task uses w, the response`
	taskflow.Add(r.Context(), func(context.Context) error { work(w); return nil }) // want `task uses w, the response`

	control := http.NewResponseController(w)
	tasks.Add(r, control.Flush) // want `task is a method of control, the response`

	h := struct{ w http.ResponseWriter }{w}
	tasks.Add(r, func() { work(h.w) }) // want `task uses h.w, the response`
}

func request(w http.ResponseWriter, r *http.Request) {
	tasks.Add(r, func() { io.ReadAll(r.Body) })    // want `task uses r.Body, the request's body: the server closes it`
	tasks.Add(r, func() { (*r).Body.Close() })     // want `task uses \(\*r\).Body, the request's body`
	tasks.Add(r, func() { r.FormFile("photo") })   // want `task uses r.FormFile, an upload`
	tasks.Add(r, func() { work(r.MultipartForm) }) // want `task uses r.MultipartForm, an upload`
	tasks.Add(r, r.Body.Close)                     // want `task is a method of r.Body, the request's body`

	file, header, _ := r.FormFile("photo")
	tasks.Add(r, func() { io.ReadAll(file) }) // want `task uses file, an upload: the server removes its temporary file`
	tasks.Add(r, func() { header.Open() })    // want `task uses header.Open, an upload`
	tasks.Add(r, func() { work(header.Filename) })

	tasks.Add(r, func() { work(r.URL.Path, r.Header, r.Context(), r) })
	tasks.Add(r, func() {
		r := r.Clone(context.Background())
		work(r.Body) // its own
	})
}

func ways(m *taskflow.Manager, w http.ResponseWriter, r *http.Request) {
	m.Add(taskflow.WorkOf(func() { work(w) })) // want `task uses w, the response`

	later := func() { work(w) } // want `task uses w, the response`
	tasks.Add(r, later)

	var either func()
	if r.Method == "GET" {
		either = func() {}
	} else {
		either = func() { work(r.Body) } // want `task uses r.Body, the request's body`
	}
	tasks.Add(r, either)
	tasks.Add(r, either)

	helper := func() { work(w) } // want `task uses w, the response`
	tasks.Add(r, func() { helper() })

	tasks.Add(r, func() {
		func() {
			go func() { work(w) }() // want `task uses w, the response`
		}()
	})

	type job func() error
	tasks.Add(r, job(func() error { work(w); return nil })) // want `task uses w, the response`
	tasks.Add[func()](r, func() { work(w) })                // want `task uses w, the response`

	var again func()
	again = func() { again() }
	tasks.Add(r, again)
}

func fine(w http.ResponseWriter, r *http.Request) {
	tasks.Add(r, func() {
		use := func(w http.ResponseWriter, r *http.Request) { work(w, r.Body) }
		work(use)
	})
	tasks.Add(r, func() {
		var w http.ResponseWriter
		work(w)
	})
	body, _ := io.ReadAll(r.Body)
	tasks.Add(r, func() { work(body) })
	work(func() { work(w, r.Body) })   // no task
	defer func() { work(w, r.Body) }() // nor is this
	tasks.Add(r, handle)
	tasks.Add(r, func() { w = nil })
}

func handle() {}
