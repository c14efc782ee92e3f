package dashboard

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

const (
	minPassword = 8    // characters, for a new hash
	maxPassword = 1024 // bytes
)

// passwordHash is a parsed hash of a password.
type passwordHash struct {
	bcrypt []byte // the whole hash; nil: argon2id
	argon  argonHash
	proof  string // changes with the hash; carried by sessions
}

type argonHash struct {
	time, memory uint32 // memory in KiB
	threads      uint8
	salt, key    []byte
}

// What HashPassword uses: OWASP's first recommendation for argon2id.
const (
	argonTime    = 2
	argonMemory  = 19 << 10
	argonThreads = 1
	argonKeyLen  = 32
)

// HashPassword makes an argon2id hash of a password of at least 8 characters and at most 1024 bytes, for [User]. Each call gives another hash. Store
// the hash, not the password, in the program's configuration; it has $ in it, which shells and Compose files take for a variable unless it is quoted.
func HashPassword(password string) (string, error) {
	if n := utf8.RuneCountInString(password); n < minPassword || len(password) > maxPassword {
		return "", fmt.Errorf("dashboard: HashPassword: the password must have at least %d characters and at most %d bytes, not %d characters in %d bytes",
			minPassword, maxPassword, n, len(password))
	}
	salt := make([]byte, 16)
	rand.Read(salt) // never fails: crypto/rand ends the program instead
	key := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, argonKeyLen)
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads, b64(salt), b64(key)), nil
}

var errNoHash = errors.New("this is not a bcrypt ($2a$, $2b$, $2y$) or argon2id hash; make one with dashboard.HashPassword")

func parsePasswordHash(s string) (h passwordHash, err error) {
	if s == "" {
		return h, errors.New("the hash is empty: is the variable set that holds it?")
	}
	sum := sha256.Sum256([]byte(s))
	h.proof = base64.RawURLEncoding.EncodeToString(sum[:9])
	switch {
	case strings.HasPrefix(s, "$2a$"), strings.HasPrefix(s, "$2b$"), strings.HasPrefix(s, "$2y$"):
		cost, err := bcrypt.Cost([]byte(s))
		if err != nil || len(s) != 60 {
			return h, errNoHash
		}
		if cost > 16 {
			return h, fmt.Errorf("the bcrypt cost %d would make each login take many seconds; use at most 16", cost)
		}
		h.bcrypt = []byte(s)
		return h, nil
	case strings.HasPrefix(s, "$argon2id$"):
		h.argon, err = parseArgon(s)
		return h, err
	}
	return h, errNoHash
}

func parseArgon(s string) (a argonHash, err error) {
	parts := strings.Split(s, "$") // "", argon2id, v=, m=,t=,p=, salt, key
	if len(parts) != 6 || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return a, errNoHash
	}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &a.memory, &a.time, &a.threads); err != nil || n != 3 ||
		parts[3] != fmt.Sprintf("m=%d,t=%d,p=%d", a.memory, a.time, a.threads) {
		return a, errNoHash
	}
	if a.memory < 8 || a.memory > 1<<20 || a.time < 1 || a.time > 64 || a.threads < 1 || a.threads > 64 {
		return a, fmt.Errorf("the argon2id parameters %q are out of range: m from 8 to 1048576, t and p from 1 to 64", parts[3])
	}
	a.salt, err = base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil || len(a.salt) < 8 || len(a.salt) > 64 {
		return a, errNoHash
	}
	a.key, err = base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil || len(a.key) < 16 || len(a.key) > 64 {
		return a, errNoHash
	}
	return a, nil
}

// matches reports whether the hash was made from password. It takes as long for a wrong one as for the right one.
func (h *passwordHash) matches(password string) bool {
	if h.bcrypt != nil {
		return bcrypt.CompareHashAndPassword(h.bcrypt, []byte(password)) == nil && len(password) <= 72
	}
	a := &h.argon
	key := argon2.IDKey([]byte(password), a.salt, a.time, a.memory, a.threads, uint32(len(a.key)))
	return subtle.ConstantTimeCompare(key, a.key) == 1
}
