// Package elsewhere has an Add of its own, which is nobody's business.
package elsewhere

import "net/http"

func Add(*http.Request, func()) {}

type set struct{}

func (set) Add(*http.Request, func()) {}

func handler(w http.ResponseWriter, r *http.Request) {
	Add(r, func() { w.WriteHeader(200) })
	set{}.Add(r, func() { w.WriteHeader(200) })
}
