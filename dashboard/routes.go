package dashboard

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// endpoint answers a request, or returns the error to answer with: a *problem, an error of the core, or any other, which
// the client sees as a 500 without details.
type endpoint func(w http.ResponseWriter, r *http.Request) error

// route is one path and its methods.
type route struct {
	methods  map[string]endpoint
	open     bool // served without a session
	lasting  bool // has no time limit
	personal bool // concerns the session of its sender only: a viewer may, too
}

// endpoint returns what serves the method; nil: nothing does. net/http leaves out the body of an answer to HEAD.
func (rt *route) endpoint(method string) endpoint {
	if method == http.MethodHead && !rt.lasting {
		method = http.MethodGet
	}
	return rt.methods[method]
}

func (rt *route) allow() string {
	all := slices.Sorted(maps.Keys(rt.methods))
	if rt.methods[http.MethodGet] != nil && !rt.lasting {
		all = append(all, http.MethodHead)
	}
	return strings.Join(all, ", ")
}

// routes maps paths, without the slash at their beginning, to routes. It is not an http.ServeMux because that answers unclean paths with
// absolute redirects, which are wrong under a stripped prefix.
type routes struct {
	fixed  map[string]*route
	asset  *route                       // of the page's files, below assetsPath
	byTask map[string]*route            // by what follows the task's id: "", "/retry", "/cancel"
	below  map[string]map[string]*route // by the first segment, and what follows the id in the second: "operations", "/stop"
}

// match finds the route of a path, and what the path names: a task's id, or a file.
func (rs *routes) match(at string) (rt *route, name string) {
	if rt = rs.fixed[at]; rt != nil {
		return rt, ""
	}
	if file, below := strings.CutPrefix(at, assetsPath); below && file != "" && !strings.Contains(file, "/") {
		return rs.asset, file
	}
	id, rest, _ := strings.Cut(at, "/")
	if below := rs.below[id]; below != nil && rest != "" {
		if id, _, _ = strings.Cut(rest, "/"); id == "" {
			return nil, ""
		}
		return below[rest[len(id):]], id
	}
	if id == "" {
		return nil, ""
	}
	return rs.byTask[at[len(id):]], id
}

// asked is e for requests that have known query parameters only.
func asked(e endpoint, known []string) endpoint {
	return func(w http.ResponseWriter, r *http.Request) error {
		p, err := parseParams(r)
		if err == nil {
			err = p.only(known...)
		}
		if err != nil {
			return err
		}
		return e(w, r)
	}
}

func (h *Handler) newRoutes() *routes {
	page := func(e endpoint) *route { return &route{methods: map[string]endpoint{http.MethodGet: e}} }
	get := func(e endpoint, known ...string) *route { return page(asked(e, known)) }
	post := func(e endpoint, known ...string) *route {
		return &route{methods: map[string]endpoint{http.MethodPost: asked(e, known)}}
	}
	rs := &routes{
		fixed: map[string]*route{
			"":             page(h.list), // which looks at the parameters itself: a browser is sent to the page, whatever they are
			"me":           get(h.me),
			"metrics":      get(h.metrics),
			"functions":    get(h.functions, "since", "until"),
			"series":       get(h.series, "since", "until", "func_name", "instance"),
			"heatmap":      get(h.heatmap, "since", "until", "func_name"),
			"schedules":    get(h.schedules),
			"audit":        get(h.auditTrail, "limit", "cursor"),
			"instances":    get(h.instances),
			"openapi.json": page(h.openAPI),
			"count":        get(h.count, selectionParams()...),
			"failures":     get(h.failures, "since", "func_name", "q", "limit"),
			"problems":     get(h.problems),
			"export":       {methods: map[string]endpoint{http.MethodGet: asked(h.export, append(selectionParams(), "format"))}, lasting: true},
			"bulk":         post(h.bulk),
			"operations":   get(h.listOperations),
			"bulk-retry":   post(h.bulkRetry),
			"retry-failed": post(h.retryFailed, "since", "func_name", "cursor"),
			"history":      {methods: map[string]endpoint{http.MethodDelete: asked(h.deleteHistory, []string{"value", "unit", "dry_run"})}},

			"dashboard":        page(h.page),
			"dashboard/stream": {methods: map[string]endpoint{http.MethodGet: h.stream}, lasting: true},
		},
		asset: &route{open: true, methods: map[string]endpoint{http.MethodGet: h.asset}}, // the login looks like the page
		byTask: map[string]*route{
			"":        get(h.task, "include"),
			"/why":    get(h.why),
			"/family": get(h.family),
			"/retry":  post(h.retry),
			"/cancel": post(h.cancel),
		},
	}
	rs.below = map[string]map[string]*route{
		"operations": {"": get(h.operation), "/stop": post(h.stopOperation)},
		"schedules":  {"/run": post(h.runSchedule), "/pause": post(h.pauseSchedule), "/resume": post(h.resumeSchedule)},
	}
	if h.auth != nil {
		rs.fixed["auth/login"] = &route{open: true, personal: true, methods: map[string]endpoint{
			http.MethodGet: h.loginPage, http.MethodPost: h.login}}
		rs.fixed["auth/logout"] = &route{personal: true, methods: map[string]endpoint{http.MethodPost: h.logout}}
	}
	return rs
}
