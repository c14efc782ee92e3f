package dashboard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// requestTimeout bounds what one request may make the backend do.
const requestTimeout = 30 * time.Second

// Handler serves the dashboard of one manager. Made by [New]; safe for concurrent use.
type Handler struct {
	m       *taskflow.Manager
	cfg     config
	routes  *routes
	feed    *feed
	auth    *auth // nil: no users
	pages   *pages
	retries underWay
	looks   chan struct{} // holds a token for each page of a walk that is being read
	replay  chan struct{} // holds one token while a bulk-retry or retry-failed runs: two at once would replay the same tasks

	groupings   chan struct{} // holds a token for each answer about failures that is being made
	operations  operations
	exports     exports
	failureMemo memo[*failures]
	problemMemo memo[*problems]
}

var _ http.Handler = (*Handler)(nil)

// New makes the handler of m's dashboard. It does no I/O and starts nothing, so m need not be started yet. Errors: m is nil, or
// an option is out of range or contradicts another.
func New(m *taskflow.Manager, opts ...Option) (*Handler, error) {
	if m == nil {
		return nil, errors.New("dashboard: New: the manager is nil")
	}
	cfg := defaultConfig()
	if err := cfg.apply(opts); err != nil {
		return nil, fmt.Errorf("dashboard: New: %w", err)
	}
	h := &Handler{m: m, cfg: cfg, replay: make(chan struct{}, 1), looks: make(chan struct{}, looksAtOnce),
		groupings: make(chan struct{}, groupingsAtOnce)}
	pages, err := newPages(cfg.title, len(cfg.users) > 0)
	if err != nil {
		return nil, fmt.Errorf("dashboard: New: %w", err)
	}
	h.pages = pages
	h.feed = newFeed(m, cfg.maxViewers)
	if len(cfg.users) > 0 {
		h.auth = newAuth(m, cfg.users, cfg.userNames, cfg.sessionTTL)
	}
	h.routes = h.newRoutes()
	return h, nil
}

// Close ends the open streams and the operations under way, and waits for their goroutines. The manager's stop ends them too, and waits for the
// operations: Close is for a handler that is given up while its manager runs on. Nobody needs it for a handler that is not used. Requests that come
// later are served, except the stream and new operations.
func (h *Handler) Close() error {
	h.operations.close()
	h.feed.close()
	return nil
}

// ServeHTTP serves a request whose mount prefix was stripped: the path "" or "/" is the mount itself.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setSecurityHeaders(w.Header())
	if err := h.serve(w, r); err != nil {
		h.fail(w, r, err)
	}
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) error {
	if err := h.cfg.origins.Check(r); err != nil {
		return refuse(http.StatusForbidden, "cross-origin request refused; if the page that sent it is yours, add its origin with dashboard.TrustedOrigin")
	}
	at := strings.TrimPrefix(r.URL.Path, "/")
	rt, name := h.routes.match(at)
	r, err := h.admit(w, r, rt)
	if r == nil || err != nil {
		return err
	}
	if rt == nil {
		if to := strings.TrimSuffix(at, "/"); to != at && to != "" && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			if known, _ := h.routes.match(to); known != nil { // relative URLs of pages count on there being no slash at the end
				redirect(w, "../"+(&url.URL{Path: path.Base(to)}).EscapedPath(), r.URL.RawQuery, http.StatusTemporaryRedirect)
				return nil
			}
		}
		return refuse(http.StatusNotFound, "there is nothing at this path; openapi.json lists what there is")
	}
	serve := rt.endpoint(r.Method)
	if serve == nil {
		w.Header().Set("Allow", rt.allow())
		return refuse(http.StatusMethodNotAllowed, "%s is not possible here; use %s", clip(r.Method, 16), rt.allow())
	}
	if err := h.permit(r, rt); err != nil {
		return err
	}
	if !rt.lasting {
		ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
		defer cancel()
		r = r.WithContext(ctx)
	}
	r.SetPathValue("id", name)
	r.SetPathValue("file", name)
	if r.Method != http.MethodGet && r.Method != http.MethodHead && !rt.personal {
		defer h.forget()
	}
	return about(name, serve(w, r))
}

// forget is called after an action: whoever acted looks at what has become of it.
func (h *Handler) forget() {
	h.failureMemo.forget()
	h.problemMemo.forget()
}

// setSecurityHeaders sets what every answer carries: no page of another origin may frame, run or read anything here, and
// nothing but our own files can run. The page sets styles by script, element by element, which needs no permission. Caching is opted into by the few answers that may be kept.
func setSecurityHeaders(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "+
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	// Not no-referrer: with that, browsers send forms with "Origin: null", and over plain HTTP nothing else tells that a login comes
	// from our own page.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// redirect sends a relative Location; http.Redirect would make it absolute, without the prefix that was stripped.
func redirect(w http.ResponseWriter, to, query string, status int) {
	if query != "" {
		to += "?" + query
	}
	w.Header().Set("Location", to)
	w.WriteHeader(status)
}
