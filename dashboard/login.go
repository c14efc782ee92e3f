package dashboard

import (
	"context"
	"errors"
	"hash/maphash"
	"net/http"
	"net/netip"
	"net/url"
	"runtime"
	"strings"
	"time"
	"unicode/utf8"

	taskflow "github.com/taskflow-go/taskflow/core"
)

const (
	maxLoginBody = 8 << 10
	maxLogins    = 64 // under way at once; each may wait for maxHold
)

// auth is the login of the configured users.
type auth struct {
	users    map[string]passwordHash
	names    []string
	sessions *sessions
	throttle *throttle
	seed     maphash.Seed
	waiting  chan struct{} // a token for each login under way
	hashing  chan struct{} // a token for each password being hashed: that takes a processor, and memory
}

func newAuth(m *taskflow.Manager, users map[string]passwordHash, names []string, ttl time.Duration) *auth {
	return &auth{
		users: users, names: names, sessions: newSessions(m, ttl), throttle: newThrottle(), seed: maphash.MakeSeed(),
		waiting: make(chan struct{}, maxLogins), hashing: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
	}
}

// verify reports whether the password is the user's. An unknown user takes as long as a known one: the password is compared with
// the hash of some user, for one name always the same.
func (a *auth) verify(ctx context.Context, user, password string) (hash passwordHash, ok bool, err error) {
	select {
	case a.hashing <- struct{}{}:
		defer func() { <-a.hashing }()
	case <-ctx.Done():
		return hash, false, ctx.Err()
	}
	hash, known := a.users[user]
	if !known {
		hash = a.users[a.names[maphash.String(a.seed, user)%uint64(len(a.names))]]
	}
	matches := hash.matches(password)
	return hash, known && matches, nil
}

// loginPage answers GET /auth/login.
func (h *Handler) loginPage(w http.ResponseWriter, r *http.Request) error {
	if sessionOf(r) != nil {
		redirect(w, "../dashboard", "", http.StatusSeeOther)
		return nil
	}
	return h.showLogin(w, r, http.StatusOK, "")
}

// login answers POST /auth/login, a form with username and password.
func (h *Handler) login(w http.ResponseWriter, r *http.Request) error {
	err := h.tryLogin(w, r)
	p, refused := errors.AsType[*problem](err)
	if !refused || !prefersHTML(r.Header.Get("Accept")) {
		return err
	}
	p.setRetryAfter(w.Header())
	return h.showLogin(w, r, p.Status, p.Detail)
}

func (h *Handler) tryLogin(w http.ResponseWriter, r *http.Request) error {
	user, password, err := h.credentials(w, r)
	if err != nil {
		return err
	}
	a := h.auth
	select {
	case a.waiting <- struct{}{}:
		defer func() { <-a.waiting }()
	default:
		return refuse(http.StatusTooManyRequests, "too many logins at once; try again in a few seconds").after(maxHold)
	}
	attempt, wait := a.throttle.book(user, throttleKey(r), time.Now())
	if attempt == nil {
		return refuse(http.StatusTooManyRequests, "too many failed logins; try again in %d s", seconds(wait)).after(wait)
	}
	if err := pause(r.Context(), wait); err != nil {
		return err // the attempt stays booked: leaving early must not be a way around the wait
	}
	hash, ok, err := a.verify(r.Context(), user, password)
	if err != nil {
		attempt.withdrawn()
		return err
	}
	if !ok {
		h.record(r, taskflow.AuditEntry{Action: "login_failed", Actor: anonymous, Detail: map[string]any{"user": clip(user, maxUserName)}})
		return refuse(http.StatusUnauthorized, "wrong user name or password")
	}
	attempt.succeeded()
	if err := a.sessions.begin(w, r, user, hash.proof); err != nil {
		return err
	}
	h.record(r, taskflow.AuditEntry{Action: "login", Actor: user, Detail: map[string]any{}})
	redirect(w, "../dashboard", "", http.StatusSeeOther)
	return nil
}

func (h *Handler) credentials(w http.ResponseWriter, r *http.Request) (user, password string, err error) {
	body, err := h.readBody(w, r, "application/x-www-form-urlencoded", maxLoginBody)
	if err != nil {
		return "", "", err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return "", "", refuse(http.StatusBadRequest, "the form cannot be read")
	}
	user, password = form.Get("username"), form.Get("password")
	switch {
	case user == "" || password == "":
		return "", "", refuse(http.StatusUnprocessableEntity, "give both username and password")
	case len(user) > maxUserName || len(password) > maxPassword:
		return "", "", refuse(http.StatusBadRequest, "the user name may have %d bytes, the password %d", maxUserName, maxPassword)
	case !utf8.ValidString(user):
		return "", "", refuse(http.StatusBadRequest, "the user name is not valid UTF-8")
	}
	return user, password, nil
}

// logout answers POST /auth/logout.
func (h *Handler) logout(w http.ResponseWriter, r *http.Request) error {
	if err := h.auth.sessions.end(w, r, sessionOf(r)); err != nil {
		return err
	}
	h.record(r, taskflow.AuditEntry{Action: "logout", Detail: map[string]any{}})
	redirect(w, "login", "", http.StatusSeeOther)
	return nil
}

// throttleKey is the address whose attempts count together: one for a whole IPv6 network of a customer. A client on this machine
// may be a proxy; the last address in its X-Forwarded-For is then the one that it saw itself. Anybody else may have made the header up, so
// all clients of a proxy on another machine count as one.
func throttleKey(r *http.Request) string {
	key := peer(r)
	addr, err := netip.ParseAddr(key)
	if err != nil {
		return key
	}
	addr = addr.Unmap()
	if via := r.Header.Values("X-Forwarded-For"); len(via) > 0 && addr.IsLoopback() {
		last := via[len(via)-1]
		last = strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])
		if seen, err := netip.ParseAddr(last); err == nil {
			addr = seen.Unmap()
		}
	}
	if addr.Is6() {
		if net, err := addr.WithZone("").Prefix(64); err == nil {
			return net.String()
		}
	}
	return addr.String()
}

// pause waits for d, or fails with the context's error.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
