package dashboard

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// admit decides whether r is served. It returns the request with its session; nil when it has answered itself.
func (h *Handler) admit(w http.ResponseWriter, r *http.Request, rt *route) (*http.Request, error) {
	switch {
	case h.cfg.public:
		return r, nil
	case h.auth == nil:
		return r, onlyLocal(r)
	}
	s, err := h.auth.sessions.find(r, h.cfg.users)
	switch {
	case err != nil:
		return nil, err
	case s != nil:
		return withSession(r, s), nil
	case rt != nil && rt.open:
		return r, nil
	}
	if prefersHTML(r.Header.Get("Accept")) {
		switch rt {
		case h.routes.fixed[""]:
			redirect(w, strings.TrimSuffix(pageFromRoot(r), "dashboard")+"auth/login", "", http.StatusSeeOther)
			return nil, nil
		case h.routes.fixed["dashboard"]:
			redirect(w, "auth/login", "", http.StatusSeeOther)
			return nil, nil
		case h.routes.fixed["auth/logout"]:
			redirect(w, "login", "", http.StatusSeeOther)
			return nil, nil
		}
	}
	w.Header().Set("WWW-Authenticate", `Cookie realm="taskflow"`)
	return nil, refuse(http.StatusUnauthorized, "log in first, at auth/login")
}

// The roles: an operator may look and act, a viewer only look.
const (
	roleOperator = "operator"
	roleViewer   = "viewer"
)

// role is what the sender of an admitted request may do.
func (h *Handler) role(r *http.Request) string {
	if s := sessionOf(r); h.cfg.readOnly || s != nil && h.cfg.viewers[s.User] {
		return roleViewer
	}
	return roleOperator
}

// permit refuses a viewer what changes something; to log in and out is everybody's.
func (h *Handler) permit(r *http.Request, rt *route) error {
	if rt.personal || r.Method == http.MethodGet || r.Method == http.MethodHead || h.role(r) == roleOperator {
		return nil
	}
	h.m.Logger().Warn("dashboard: a viewer was refused", "user", actor(r), "remote", remote(r), "method", r.Method, "path", clip(r.URL.Path, maxText))
	p := refuse(http.StatusForbidden, "your role here is viewer, which may only look; %s", map[bool]string{
		true:  "this dashboard is open to look at (dashboard.PublicViewer), and acts for users only (dashboard.User)",
		false: "ask for an account of an operator (dashboard.User), or let an operator do it",
	}[h.cfg.readOnly])
	p.Role = roleViewer
	return p
}

// forwarded are headers that a proxy adds: a request with one of them comes from elsewhere, whatever its connection says.
var forwarded = [...]string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "X-Client-Ip",
	"True-Client-Ip", "Cf-Connecting-Ip", "Via"}

// onlyLocal refuses requests from other machines, and what shows any sign of having come through a proxy on this one. A proxy that speaks
// HTTP/1.1, puts a local name into Host and adds no header leaves no sign on requests without an Origin, and gets through.
func onlyLocal(r *http.Request) error {
	const open = "; to open it, give dashboard.User(name, hash) for a login, or dashboard.Public() for everybody"
	addr, err := netip.ParseAddr(peer(r))
	if err != nil || !addr.Unmap().IsLoopback() {
		return refuse(http.StatusForbidden, "%s", "this dashboard has no users and serves clients on its own machine only"+open)
	}
	for _, name := range forwarded {
		if r.Header.Get(name) != "" {
			return refuse(http.StatusForbidden,
				"this dashboard has no users and serves clients on its own machine only; this request came through a proxy (%s)%s", name, open)
		}
	}
	// No browser sends this, but proxies do: most versions of nginx unless told otherwise, with a local name as Host and none of the headers.
	if !r.ProtoAtLeast(1, 1) {
		return refuse(http.StatusForbidden, "this dashboard has no users and refuses HTTP/1.0, which proxies speak%s", open)
	}
	// The origin is the page's as its browser sees it, whatever a proxy made of Host.
	for _, origin := range r.Header.Values("Origin") {
		if u, err := url.Parse(origin); err != nil || !localName(u.Host) {
			return refuse(http.StatusForbidden, "this dashboard has no users and serves pages of its own machine only, not of %q%s", clip(origin, 80), open)
		}
	}
	// A page of another site can make its own name point here, and would then count as the same origin.
	if !localName(r.Host) {
		return refuse(http.StatusForbidden,
			"this dashboard has no users and answers to localhost and loopback addresses only, not to the name %q%s", clip(r.Host, 80), open)
	}
	return nil
}

func localName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
