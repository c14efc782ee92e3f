package dashboard

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/securecookie"
	taskflow "github.com/taskflow-go/taskflow/core"
)

const (
	sessionSecret = "dashboard-session-key" // its name in the backend
	keyBytes      = 32
	secretTimeout = 5 * time.Second
	maxRevoked    = 10_000
)

// session is what the cookie carries, signed and readable: it holds no secret.
type session struct {
	ID      string `json:"id"`
	User    string `json:"user"`
	Proof   string `json:"proof"` // of the password's hash that the login was made with
	Expires int64  `json:"exp"`   // Unix seconds
}

func (s *session) expires() time.Time { return time.Unix(s.Expires, 0) }

type sessionKey struct{}

// sessionOf is the session of an admitted request; nil when there are no users.
func sessionOf(r *http.Request) *session {
	s, _ := r.Context().Value(sessionKey{}).(*session)
	return s
}

func withSession(r *http.Request, s *session) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), sessionKey{}, s))
}

// sessions makes and checks the cookies of logged-in users. All instances that share a backend share its key, so each accepts
// the cookies of the others, and a restart logs nobody out. A logout is known to the instance that served it only, and until it
// ends: elsewhere and later the cookie, which the browser has dropped, would be accepted until it expires.
type sessions struct {
	m   *taskflow.Manager
	ttl time.Duration

	signer  atomic.Pointer[signer] // nil until the key was read
	reading memo[*signer]          // those who ask meanwhile wait for one answer, however long the backend takes for it

	mu      sync.Mutex
	revoked map[string]int64 // session ids that were logged out, and when they would have expired
	changed chan struct{}    // closed and replaced at every logout
}

func newSessions(m *taskflow.Manager, ttl time.Duration) *sessions {
	return &sessions{m: m, ttl: ttl, revoked: map[string]int64{}, changed: make(chan struct{})}
}

// signer makes and checks cookies of a name.
type signer struct {
	codec *securecookie.SecureCookie
	name  string
}

// open returns the signer. The backend, which has its key, is open only after the manager's start, so that is read when a session is first needed.
func (s *sessions) open(ctx context.Context) (*securecookie.SecureCookie, string, error) {
	known := s.signer.Load()
	if known == nil {
		var err error
		if known, err = s.reading.get(ctx, "", s.readKey); err != nil {
			return nil, "", fmt.Errorf("read the key of sessions: %w", err)
		}
		s.signer.Store(known)
	}
	return known.codec, known.name, nil
}

func (s *sessions) readKey(ctx context.Context) (*signer, error) {
	ctx, cancel := context.WithTimeout(ctx, secretTimeout)
	defer cancel()
	key, err := s.m.Secret(ctx, sessionSecret, func() []byte {
		k := make([]byte, keyBytes)
		rand.Read(k) // never fails: crypto/rand ends the program instead
		return k
	})
	if err == nil && len(key) < keyBytes {
		err = fmt.Errorf("the stored key has %d bytes instead of %d", len(key), keyBytes)
	}
	if err != nil {
		return nil, err
	}
	// Cookies do not tell ports apart: two programs on one host would overwrite each other's cookie under one name.
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("cookie name"))
	return &signer{
		securecookie.New(key, nil).SetSerializer(securecookie.JSONEncoder{}).MaxAge(seconds(s.ttl)), "taskflow_" + hex.EncodeToString(mac.Sum(nil)[:4]),
	}, nil
}

// begin logs user in: it sets the cookie.
func (s *sessions) begin(w http.ResponseWriter, r *http.Request, user, proof string) error {
	codec, name, err := s.open(r.Context())
	if err != nil {
		return err
	}
	name = cookieName(name, r)
	value, err := codec.Encode(name, session{ID: rand.Text(), User: user, Proof: proof, Expires: time.Now().Add(s.ttl).Unix()})
	if err != nil {
		return fmt.Errorf("sign the session: %w", err)
	}
	http.SetCookie(w, s.cookie(r, name, value, seconds(s.ttl)))
	return nil
}

// find returns the request's session; nil when it has none that is valid.
func (s *sessions) find(r *http.Request, users map[string]passwordHash) (*session, error) {
	codec, name, err := s.open(r.Context())
	if err != nil {
		return nil, err
	}
	name = cookieName(name, r)
	for _, c := range r.CookiesNamed(name) {
		var got session
		if err := codec.Decode(name, c.Value, &got); err != nil {
			continue // forged, expired or of another key: as good as none
		}
		hash, known := users[got.User]
		if known && hash.proof == got.Proof && s.valid(&got) {
			return &got, nil
		}
	}
	return nil, nil
}

// valid reports whether the session has neither expired nor been logged out here.
func (s *sessions) valid(of *session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, out := s.revoked[of.ID]
	return !out && time.Now().Before(of.expires())
}

// logouts is closed at the next logout of anybody.
func (s *sessions) logouts() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// end logs out: the session is accepted no longer, and the cookie is dropped.
func (s *sessions) end(w http.ResponseWriter, r *http.Request, of *session) error {
	_, name, err := s.open(r.Context())
	if err != nil {
		return err
	}
	s.revoke(of)
	http.SetCookie(w, s.cookie(r, cookieName(name, r), "", -1))
	return nil
}

func (s *sessions) revoke(of *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.revoked) >= maxRevoked {
		s.makeRoom()
	}
	s.revoked[of.ID] = of.Expires
	close(s.changed)
	s.changed = make(chan struct{})
}

// makeRoom drops what has expired, and if that is nothing, the one that is nearest to it.
func (s *sessions) makeRoom() {
	now := time.Now().Unix()
	first, soonest := "", int64(0)
	for id, expires := range s.revoked {
		if expires <= now {
			delete(s.revoked, id)
		} else if first == "" || expires < soonest {
			first, soonest = id, expires
		}
	}
	if len(s.revoked) >= maxRevoked {
		delete(s.revoked, first)
	}
}

// cookie has the path "/" because nobody but the browser knows under which path it sees the mount: a proxy may have
// stripped a part of it, and a cookie of another path would never come back.
func (s *sessions) cookie(r *http.Request, name, value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: overTLS(r), SameSite: http.SameSiteLaxMode,
	}
}

// cookieName has the prefix that makes browsers refuse the cookie from a sibling domain, where it is allowed: over TLS.
func cookieName(name string, r *http.Request) string {
	if overTLS(r) {
		return "__Host-" + name
	}
	return name
}

// overTLS reports whether the browser's connection is encrypted, be it up to us or up to a proxy that says so.
func overTLS(r *http.Request) bool {
	proto, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ",")
	return r.TLS != nil || strings.EqualFold(strings.TrimSpace(proto), "https") || strings.EqualFold(forwardedProto(r), "https")
}

// forwardedProto is the proto that the Forwarded header's first element, the proxy next to the browser, gives; "" for none.
func forwardedProto(r *http.Request) string {
	first, _, _ := strings.Cut(r.Header.Get("Forwarded"), ",")
	for pair := range strings.SplitSeq(first, ";") {
		if name, value, _ := strings.Cut(pair, "="); strings.EqualFold(strings.TrimSpace(name), "proto") {
			return strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return ""
}
