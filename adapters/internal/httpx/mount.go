package httpx

import "net/http"

// ServeBelow lets h, which knows nothing of where it is mounted, answer r: rest is the path of r below the mount point, empty at
// the mount point itself. Unlike http.StripPrefix it does not need to know the mount point, which a group does not tell.
func ServeBelow(h http.Handler, w http.ResponseWriter, r *http.Request, rest string) {
	below := *r
	below.URL = new(*r.URL)
	below.URL.Path, below.URL.RawPath = rest, ""
	h.ServeHTTP(w, &below)
}
