package httpx

import (
	"fmt"
	"net/http"
	"strings"

	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
)

// RestParam is the name of the parameter for the part of a path below the mount point.
const RestParam = "taskflow_path"

// NewMount checks what every adapter's Mount gets and returns the dashboard with its mount point: "" for "/", and otherwise with a slash
// in front and none at the end. noRouter says that the router is nil; catchAll are the signs by which the router knows a
// parameter that takes all the rest, which a mount point cannot have. It panics: a mount that cannot work is a mistake of the program.
func NewMount(noRouter bool, m *taskflow.Manager, path string, catchAll []string, opts []dashboard.Option) (h *dashboard.Handler, point string) {
	if noRouter {
		panic(fmt.Sprintf("tasks.Mount(%q): the router is nil: pass the one that has your routes, or a group of it", path))
	}
	if m == nil {
		panic(fmt.Sprintf("tasks.Mount(%q): the manager is nil: pass what taskflow.New returned", path))
	}
	for _, sign := range append(catchAll, " ", "?", "#") {
		if strings.Contains(path, sign) {
			panic(fmt.Sprintf("tasks.Mount(%q): the path has %q in it: give the path under which the dashboard is to be found, like \"/tasks\"", path, sign))
		}
	}
	h, err := dashboard.New(m, opts...)
	if err != nil {
		panic(fmt.Sprintf("tasks.Mount(%q): %v", path, err))
	}
	if point = strings.Trim(path, "/"); point != "" {
		point = "/" + point
	}
	return h, point
}

// Clash is the panic of a Mount that met another route.
func Clash(path string, why any) string {
	return fmt.Sprintf("tasks.Mount(%q): %v: mount at another path, or move the other route", path, why)
}

// ServeBelow lets h, which knows nothing of where it is mounted, answer r: rest is the path of r below the mount point, empty at
// the mount point itself. Unlike http.StripPrefix it does not need to know the mount point, which a group does not tell.
func ServeBelow(h http.Handler, w http.ResponseWriter, r *http.Request, rest string) {
	below := *r
	below.URL = new(*r.URL)
	below.URL.Path, below.URL.RawPath = rest, ""
	h.ServeHTTP(w, &below)
}
