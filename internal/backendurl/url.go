// Package backendurl reads the URL of a backend, as people give it on a command line, and never lets its password out.
//
//	sqlite:tasks.db, or just tasks.db
//	redis://user:password@host:6379/0, rediss:// with TLS
//	postgres://user:password@host:5432/database
//	mysql://user:password@host:3306/database
//	env:NAME                the URL is in the environment variable NAME
package backendurl

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Kind is the engine that a URL leads to.
type Kind string

// The engines.
const (
	SQLite   Kind = "sqlite"
	Redis    Kind = "redis"
	Postgres Kind = "postgres"
	MySQL    Kind = "mysql"
)

// Known is what an error about an unknown scheme lists.
const Known = "sqlite:FILE (or just the path of the file), redis://, rediss://, postgres://, mysql://, env:NAME"

// ErrURL is that a URL cannot be used. The text says what to write, and has no part of the URL that could be secret.
var ErrURL = errors.New("not the URL of a backend")

// URL is the address of a backend. The zero value is none; made by Parse. Safe for concurrent use.
type URL struct {
	kind   Kind
	path   string   // SQLite
	server *url.URL // the others
}

// scheme is two letters at least: C:\tasks.db is a path.
var scheme = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]+):`)

// Parse reads a URL. lookup is os.LookupEnv, for env:NAME. The error is ErrURL.
func Parse(raw string, lookup func(string) (string, bool)) (URL, error) {
	if name, ok := strings.CutPrefix(raw, "env:"); ok {
		value, set := lookup(name)
		if !set || value == "" {
			return URL{}, fmt.Errorf("%w: the environment variable %q is not set", ErrURL, name)
		}
		if strings.HasPrefix(value, "env:") {
			return URL{}, fmt.Errorf("%w: the environment variable %q refers to another one; put the URL into it", ErrURL, name)
		}
		raw = value
	}
	if raw == "" {
		return URL{}, fmt.Errorf("%w: it is empty; possible: %s", ErrURL, Known)
	}
	found := scheme.FindStringSubmatch(raw)
	if found == nil {
		return URL{kind: SQLite, path: raw}, nil
	}
	switch name := strings.ToLower(found[1]); name {
	case "sqlite", "sqlite3":
		return parseSQLite(raw[len(found[0]):])
	case "redis", "rediss":
		return parseServer(Redis, raw, name)
	case "postgres", "postgresql":
		return parseServer(Postgres, raw, name)
	case "mysql", "mariadb":
		return parseServer(MySQL, raw, name)
	default:
		return URL{}, fmt.Errorf("%w: the scheme %q is unknown; possible: %s", ErrURL, name+":", Known)
	}
}

// parseSQLite takes sqlite:tasks.db, sqlite:/var/tasks.db, and what others write: sqlite://tasks.db and sqlite:///var/tasks.db.
func parseSQLite(path string) (URL, error) {
	path = strings.TrimPrefix(path, "//")
	if path == "" {
		return URL{}, fmt.Errorf("%w: sqlite: has no path; write sqlite:tasks.db", ErrURL)
	}
	return URL{kind: SQLite, path: path}, nil
}

// parseServer never shows the error of url.Parse: it quotes what it could not read, which may be the password.
func parseServer(kind Kind, raw, name string) (URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return URL{}, fmt.Errorf("%w: what follows %s:// cannot be read; write %s://user:password@host:port/database, and in user and password "+
			"each of :/?#[]@%% and space as %%XX (@ is %%40)", ErrURL, name, name)
	case u.Opaque != "" || !strings.HasPrefix(raw[len(name):], "://"):
		return URL{}, fmt.Errorf("%w: %s: is followed by two slashes: %s://user:password@host:port/database", ErrURL, name, name)
	case u.Fragment != "" || strings.HasSuffix(raw, "#"):
		return URL{}, fmt.Errorf("%w: a # in the %s URL must be written as %%23", ErrURL, name)
	case u.Host == "" && u.Query().Get("host") == "" && u.Query().Get("socket") == "":
		return URL{}, fmt.Errorf("%w: the %s URL names no host: %s://user:password@host:port/database", ErrURL, name, name)
	}
	if kind == MySQL && strings.Trim(u.Path, "/") == "" {
		return URL{}, fmt.Errorf("%w: the mysql URL names no database: mysql://user:password@host:port/database", ErrURL)
	}
	u.Scheme = name
	return URL{kind: kind, server: u}, nil
}

// Kind is the engine.
func (u URL) Kind() Kind { return u.kind }

// Path is the file of a SQLite URL; empty for the others.
func (u URL) Path() string { return u.path }

// Server is the URL of a server as it was given, with its password: for the driver only. Empty for SQLite.
func (u URL) Server() string {
	if u.server == nil {
		return ""
	}
	return u.server.String()
}

// String is the URL for people: without password, and without parameters, among which there may be another.
func (u URL) String() string {
	if u.server == nil {
		return string(u.kind) + ":" + u.path
	}
	shown := url.URL{Scheme: u.server.Scheme, Host: u.server.Host, Path: u.server.Path}
	if name := u.server.User.Username(); name != "" {
		shown.User = url.User(name)
	}
	return shown.String()
}

// Same reports whether two URLs lead to the same place, as far as one can tell without going there: for SQLite the same file by
// whatever path, for servers the same host, port and database, whoever the user is.
func (u URL) Same(o URL) bool {
	switch {
	case u.kind != o.kind:
		return false
	case u.kind == SQLite:
		return sameFile(u.path, o.path)
	}
	return u.place() == o.place()
}

// place is where a server's URL leads.
func (u URL) place() string {
	q := u.server.Query()
	host, port := strings.ToLower(u.server.Hostname()), u.server.Port()
	if host == "" {
		host = q.Get("host") + q.Get("socket")
	}
	switch host {
	case "127.0.0.1", "::1":
		host = "localhost"
	}
	if port == "" {
		port = map[Kind]string{Redis: "6379", Postgres: "5432", MySQL: "3306"}[u.kind]
	}
	path := strings.Trim(u.server.Path, "/")
	if u.kind == Redis && path == "" {
		path = "0"
	}
	// what tells several apart in one database
	return strings.Join([]string{host, port, path, q.Get("prefix"), q.Get("schema"), q.Get("db")}, "|")
}

func sameFile(a, b string) bool {
	if a, b := realPath(a), realPath(b); a == b {
		return true
	}
	return sameInode(a, b)
}

// realPath follows links as far as the path exists.
func realPath(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return filepath.Clean(path)
	}
	if followed, err := filepath.EvalSymlinks(abs); err == nil {
		return followed
	}
	if folder, err := filepath.EvalSymlinks(filepath.Dir(abs)); err == nil {
		return filepath.Join(folder, filepath.Base(abs))
	}
	return abs
}

func sameInode(a, b string) bool {
	i, err := os.Stat(a)
	if err != nil {
		return false
	}
	j, err := os.Stat(b)
	return err == nil && os.SameFile(i, j)
}
