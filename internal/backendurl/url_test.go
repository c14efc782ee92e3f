package backendurl_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/taskflow-go/taskflow/internal/backendurl"
)

func noEnv(string) (string, bool) { return "", false }

func parse(t *testing.T, raw string) backendurl.URL {
	t.Helper()
	u, err := backendurl.Parse(raw, noEnv)
	if err != nil {
		t.Fatalf("Parse(%q): %v", raw, err)
	}
	return u
}

func TestParse(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]struct {
		kind  backendurl.Kind
		shown string
	}{
		"tasks.db":                       {backendurl.SQLite, "sqlite:tasks.db"},
		"/var/lib/tasks.db":              {backendurl.SQLite, "sqlite:/var/lib/tasks.db"},
		"./odd:name.db":                  {backendurl.SQLite, "sqlite:./odd:name.db"},
		`C:\data\tasks.db`:               {backendurl.SQLite, `sqlite:C:\data\tasks.db`},
		"sqlite:tasks.db":                {backendurl.SQLite, "sqlite:tasks.db"},
		"sqlite://tasks.db":              {backendurl.SQLite, "sqlite:tasks.db"},
		"SQLite:///var/lib/tasks.db":     {backendurl.SQLite, "sqlite:/var/lib/tasks.db"},
		"redis://host":                   {backendurl.Redis, "redis://host"},
		"rediss://:secret@host:6380/2":   {backendurl.Redis, "rediss://host:6380/2"},
		"REDIS://ada:secret@host/0?x=1":  {backendurl.Redis, "redis://ada@host/0"},
		"postgres://ada:s%40c@h:1/db":    {backendurl.Postgres, "postgres://ada@h:1/db"},
		"postgresql://h/db?sslmode=off":  {backendurl.Postgres, "postgresql://h/db"},
		"postgres:///db?host=/run/pg":    {backendurl.Postgres, "postgres:///db"},
		"mysql://ada:secret@h:3307/shop": {backendurl.MySQL, "mysql://ada@h:3307/shop"},
		"mariadb://ada@[::1]/shop":       {backendurl.MySQL, "mariadb://ada@[::1]/shop"},
	} {
		u := parse(t, raw)
		if u.Kind() != want.kind || u.String() != want.shown {
			t.Errorf("Parse(%q) is %s %s, want %s %s", raw, u.Kind(), u, want.kind, want.shown)
		}
		if (u.Path() == "") == (want.kind == backendurl.SQLite) || (u.Server() == "") != (want.kind == backendurl.SQLite) {
			t.Errorf("Parse(%q) has the path %q and the server %q", raw, u.Path(), u.Server())
		}
	}
}

func TestParseKeepsThePasswordForTheDriver(t *testing.T) {
	t.Parallel()
	const raw = "postgres://ada:s%40cret@h:1/db?sslmode=require"
	if got := parse(t, raw).Server(); got != raw {
		t.Errorf("Server is %q, want %q", got, raw)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"":                               "it is empty",
		"sqlite:":                        "sqlite: has no path",
		"sqlite://":                      "sqlite: has no path",
		"mongodb://ada:secret@h/db":      `the scheme "mongodb:" is unknown; possible: sqlite:FILE`,
		"env:":                           `the environment variable "" is not set`,
		"env:NONE":                       `the environment variable "NONE" is not set`,
		"redis:host":                     "redis: is followed by two slashes",
		"redis:/host":                    "redis: is followed by two slashes",
		"redis://":                       "the redis URL names no host",
		"postgres://":                    "the postgres URL names no host",
		"mysql://h":                      "the mysql URL names no database",
		"mysql://h/":                     "the mysql URL names no database",
		"redis://ada:secret#@h":          "what follows redis:// cannot be read",
		"redis://ada:secr/et@h":          "what follows redis:// cannot be read",
		"postgres://ada:secr et@h/db":    "what follows postgres:// cannot be read",
		"postgres://ada:%zzsecret@h/db":  "what follows postgres:// cannot be read",
		"postgres://h/db#secret":         "a # in the postgres URL must be written as %23",
		"postgres://h:secret/db":         "what follows postgres:// cannot be read",
		"postgres://ada:se?cret@h:1/db":  "what follows postgres:// cannot be read",
		"postgres://ada:sec\x00ret@h/db": "what follows postgres:// cannot be read",
	} {
		_, err := backendurl.Parse(raw, noEnv)
		if !errors.Is(err, backendurl.ErrURL) || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q) returned %v, want %s", raw, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "secr") {
			t.Errorf("Parse(%q) shows the password: %v", raw, err)
		}
	}
}

func TestParseOfTheEnvironment(t *testing.T) {
	t.Parallel()
	env := map[string]string{"TASKS": "redis://ada:secret@h/1", "LOOP": "env:LOOP", "EMPTY": ""}
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	if u, err := backendurl.Parse("env:TASKS", lookup); err != nil || u.Server() != env["TASKS"] {
		t.Errorf("%v, %v", u, err)
	}
	for _, name := range []string{"LOOP", "EMPTY"} {
		if _, err := backendurl.Parse("env:"+name, lookup); !errors.Is(err, backendurl.ErrURL) || !strings.Contains(err.Error(), name) {
			t.Errorf("env:%s: %v", name, err)
		}
	}
}

func TestSame(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "tasks.db")
	for _, name := range []string{"tasks.db", "other.db"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	linked := filepath.Join(dir, "linked")
	if err := os.Link(file, filepath.Join(dir, "hard.db")); err != nil {
		t.Skip(err)
	}
	if err := os.Symlink(dir, linked); err != nil {
		t.Skip(err)
	}
	for _, tc := range []struct {
		a, b string
		same bool
	}{
		{file, "sqlite:" + file, true},
		{file, dir + "/../" + filepath.Base(dir) + "/./tasks.db", true},
		{file, filepath.Join(linked, "tasks.db"), true},
		{file, filepath.Join(dir, "hard.db"), true},
		{filepath.Join(dir, "new.db"), filepath.Join(linked, "new.db"), true},
		{file, filepath.Join(dir, "other.db"), false},
		{file, filepath.Join(dir, "new.db"), false},
		{file, "redis://h", false},
		{"redis://h", "rediss://ada:secret@H:6379/0", true},
		{"redis://localhost", "redis://127.0.0.1", true},
		{"redis://h/0", "redis://h/1", false},
		{"redis://h?prefix=a", "redis://h?prefix=b", false},
		{"redis://h", "redis://h:6380", false},
		{"postgres://h/db", "postgresql://ada@h:5432/db/?sslmode=off", true},
		{"postgres://h/db", "postgres://h/other", false},
		{"postgres://h/db?schema=a", "postgres://h/db?schema=b", false},
		{"postgres:///db?host=/a", "postgres:///db?host=/b", false},
		{"mysql://h/db", "mariadb://h:3306/db", true},
		{"mysql://h/db", "postgres://h/db", false},
	} {
		a, b := parse(t, tc.a), parse(t, tc.b)
		if a.Same(b) != tc.same || b.Same(a) != tc.same {
			t.Errorf("%s and %s are taken for the same: %t, want %t", tc.a, tc.b, !tc.same, tc.same)
		}
	}
}

func TestRedactor(t *testing.T) {
	t.Parallel()
	u := parse(t, "postgres://ada:s%40cr%20et@h:1/db?sslpassword=t%26op&sslmode=require")
	short := parse(t, "redis://:pw@h")
	var out bytes.Buffer
	w := backendurl.Writer(&out, backendurl.Redactor(u, short, parse(t, "tasks.db")))
	for in, want := range map[string]string{
		"cannot reach " + u.Server():             "cannot reach postgres://ada@h:1/db",
		"password s@cr et is wrong":              "password xxxxx is wrong",
		"in s%40cr+et or s%40cr%20et or s@cr et": "in xxxxx or xxxxx or xxxxx",
		"t&op and t%26op":                        "xxxxx and xxxxx",
		"dial tcp ada:pw@h:6379 password=pw":     "dial tcp ada:xxxxx@h:6379 password=xxxxx",
		"the pwd of pw is no word":               "the pwd of pw is no word",
		"nothing secret":                         "nothing secret",
	} {
		out.Reset()
		if n, err := w.Write([]byte(in)); n != len(in) || err != nil {
			t.Errorf("Write returned %d, %v", n, err)
		}
		if out.String() != want {
			t.Errorf("%q became %q, want %q", in, out.String(), want)
		}
	}
}
