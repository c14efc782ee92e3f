package cli

import (
	"bytes"
	"errors"
	"github.com/taskflow-go/taskflow/dashboard"
	"strings"
	"testing"
)

func TestWrongUseIsExplained(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"":                              "a command is missing",
		"frobnicate":                    `the command "frobnicate" is unknown; possible: list, show, stats, instances, retry, cancel, prune, migrate, hash-password, help, version`,
		"help frobnicate":               `there is no command "frobnicate"`,
		"list":                          "one URL is needed, 0 arguments were given",
		"list a b":                      "one URL is needed, 2 arguments were given",
		"list --nope redis://shop":      "flag provided but not defined: --nope",
		"list --status gone redis://a":  `invalid value "gone" for flag --status: possible: pending running success failed interrupted cancelled`,
		"list --tag =x redis://a":       "write key=value, or key for any value",
		"list --tag a=1 --tag a=2 r":    `the tag "a" is given with two values, and no task has both`,
		"list --since yesterday r":      "write an age like 15m, 6h or 7d, a time like",
		"list --since 1h --until 2h r":  "--since (2026-03-01 11:00:00) is not before --until (2026-03-01 10:00:00)",
		"list --limit 0 redis://a":      "--limit=0: it must be at least 1",
		"list mongodb://host/db":        `the scheme "mongodb:" is unknown; possible: sqlite:FILE (or just the path of the file), redis://, rediss://, postgres://, mysql://, env:NAME`,
		"list env:NOWHERE":              `the environment variable "NOWHERE" is not set`,
		"list ''":                       "it is empty",
		"show redis://shop":             "a URL and the id of a task are needed, 1 arguments were given",
		"retry":                         "a URL is needed, and ids or filters",
		"retry redis://shop":            "which tasks? Give ids, or --status failed",
		"retry --func f redis://shop":   "which tasks? Give ids, or --status failed",
		"retry --status success r":      "--status=success: only failed, interrupted and cancelled tasks can be retried",
		"retry --status failed r id":    "give ids or filters, not both",
		"cancel redis://shop":           "which tasks? Give ids",
		"cancel --wait -1s r id":        "--wait=-1s: it must not be negative",
		"prune redis://shop":            "--older is missing",
		"prune --older 0s r":            "it must be above zero",
		"prune --older -5m r":           "write a duration like 90s, 15m, 720h, 30d or 4w",
		"prune --older 9999999w r":      "it is longer than 290 years",
		"prune --older 100w100 r":       "write a duration like",
		"prune --older 2000000h r":      "nothing can be that old",
		"stats":                         "one URL is needed",
		"instances a b":                 "one URL is needed",
		"migrate a":                     "two URLs are needed, FROM and TO; 1 arguments were given",
		"migrate redis://a redis://A/0": "FROM and TO are the same: redis://A/0",
		"migrate ftp://a redis://a":     `FROM: not the URL of a backend: the scheme "ftp:" is unknown`,
		"migrate redis://a ftp://a":     `TO: not the URL of a backend: the scheme "ftp:" is unknown`,
		"migrate redis://a redis://u@A": "FROM and TO are the same",
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			r := newTool(t).run(strings.Fields(strings.ReplaceAll(line, "''", ""))...)
			if line == "list ''" {
				r = newTool(t).run("list", "")
			}
			if r.code != exitUsage || !strings.Contains(r.err, want) || r.out != "" {
				t.Errorf("exit code %d, stdout %q, stderr:\n%s\nwant 2, nothing, and: %s", r.code, r.out, r.err, want)
			}
			if !strings.Contains(r.err, "Try: taskflow help") {
				t.Errorf("no hint at the help in:\n%s", r.err)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	tl := newTool(t)
	for _, word := range []string{"help", "-h", "--help"} {
		r := tl.run(word)
		if r.code != exitOK || r.err != "" {
			t.Errorf("%s: exit code %d, stderr %q", word, r.code, r.err)
		}
		for _, c := range commands() {
			if !strings.Contains(r.out, "\n  "+c.name+" ") {
				t.Errorf("%s does not list %s", word, c.name)
			}
		}
	}
	for _, c := range commands() {
		byWord, byFlag := tl.run("help", c.name), tl.run(c.name, "--help")
		if byWord.code != exitOK || byFlag != byWord {
			t.Errorf("help %s and %s --help differ:\n%+v\n%+v", c.name, c.name, byWord, byFlag)
		}
		parts := []string{"Usage: taskflow " + c.name + " [flags] " + c.args, "--json"}
		if c.args == "" {
			parts = []string{"Usage: taskflow " + c.name + "\n"}
		}
		for _, part := range parts {
			if !strings.Contains(byWord.out, part) {
				t.Errorf("the help of %s has no %q:\n%s", c.name, part, byWord.out)
			}
		}
		for line := range strings.Lines(byWord.out) {
			if len(line) > 160 {
				t.Errorf("the help of %s has a line of %d bytes: %s", c.name, len(line), line)
			}
		}
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	if r := newTool(t).run("version"); r.code != exitOK || !strings.HasPrefix(r.out, "taskflow ") {
		t.Errorf("version: %+v", r)
	}
}

func TestFlagsStandAnywhere(t *testing.T) {
	t.Parallel()
	tl, s, _ := opened(t)
	want := tl.run("list", "--status", "success", "--json", "redis://shop")
	if len(want.lines(t)) != 1 {
		t.Fatalf("%+v", want)
	}
	for _, args := range [][]string{
		{"list", "redis://shop", "--json", "--status=success"},
		{"list", "--json", "redis://shop", "-status", "success"},
		{"list", "--json", "--status", "success", "--", "redis://shop"},
	} {
		if got := tl.run(args...); got != want {
			t.Errorf("%v: %+v, want %+v", args, got, want)
		}
	}
	if r := tl.run("show", "redis://shop", "--", s.sent.ID, "--json"); r.code != exitUsage {
		t.Errorf("what follows -- was taken for a flag: %+v", r)
	}
}

func TestAURLMayComeFromTheEnvironment(t *testing.T) {
	t.Parallel()
	tl, _, _ := opened(t)
	tl.app.env = func(name string) (string, bool) { return "redis://shop", name == "TASKS" }
	if r := tl.run("list", "--status", "success", "--json", "env:TASKS"); len(r.lines(t)) != 1 {
		t.Errorf("%+v", r)
	}
}

// broken is a pipe that nobody reads any more.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestOutputThatCannotBeWrittenIsAnError(t *testing.T) {
	t.Parallel()
	tl, _, _ := opened(t)
	for _, args := range [][]string{{"list", "redis://shop"}, {"list", "--json", "redis://shop"}, {"stats", "redis://shop"}, {"help"}} {
		var err bytes.Buffer
		a := *tl.app
		if code := a.run(t.Context(), args, broken{}, &err); code != exitFailed || !strings.Contains(err.String(), "broken pipe") {
			t.Errorf("%v: exit code %d, stderr %q", args, code, err.String())
		}
	}
}

func TestHashPassword(t *testing.T) {
	t.Parallel()
	newTool(t).run("hash-password").want(t, exitOK, "$argon2id$v=19$of correct horse", "")
	if r := newTool(t).run("hash-password", "secret"); r.code != exitUsage || !strings.Contains(r.err, "not an argument") || strings.Contains(r.err, "secret") {
		t.Errorf("as an argument: %+v", r)
	}
	tl := newTool(t)
	tl.app.in, tl.app.hash = strings.NewReader("short"), dashboard.HashPassword
	if r := tl.run("hash-password"); r.code != exitFailed || !strings.Contains(r.err, "at least 8 characters") {
		t.Errorf("a short one: %+v", r)
	}
	tl.app.in = strings.NewReader("long enough")
	if r := tl.run("hash-password"); r.code != exitOK || !strings.HasPrefix(r.out, "$argon2id$") {
		t.Errorf("a good one: %+v", r)
	}
}
