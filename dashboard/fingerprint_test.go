package dashboard

import (
	"strings"
	"testing"
	"unicode/utf8"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func TestErrorShapeLeavesOutWhatDiffers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{
		{"", ""},
		{"broken", "broken"},
		{"dial tcp 10.0.0.7:5432: connect: connection refused", "dial tcp #: connect: connection refused"},
		{"dial tcp [::1]:5432: connect", "dial tcp [::#]:#: connect"},
		{"user 4711 not found", "user # not found"},
		{"order 019ca8d7-2d00-7000-8000-000000000000 is gone", "order # is gone"},
		{`open "/var/tmp/a.png": no such file`, `open "*": no such file`},
		{"can't read 'a' and `b`", "can't read '*' and `*`"},
		{"after 1.5s: timeout", "after #: timeout"},
		{"0xc000123 at line 12: bad", "# at line #: bad"},
		{"mail to ada@example.com failed", "mail to # failed"},
		{"Get https://api.example.com/users: EOF", "Get #: EOF"},
		{"hash deadbeef differs", "hash # differs"},
		{"bad face", "bad face"}, // short words are words
		{"  two\t spaces  ", "two spaces"},
		{"\n\nfirst\nsecond", "first"},
		{"a 'quote that does not end", "a 'quote that does not end"},
		{"größe 12 überschritten", "größe # überschritten"},
	} {
		if got := errorShape(tt.text); got != tt.want {
			t.Errorf("errorShape(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestFailureGroupsAreStable(t *testing.T) {
	t.Parallel()
	record := func(name string, status taskflow.Status, text string) *taskflow.Record {
		return &taskflow.Record{Name: name, Status: status, Error: text}
	}
	a := failureGroup(record("send", taskflow.StatusFailed, "user 1 not found\nstack"))
	if a != "8af6a0b7c0a3a2d4" && a != failureGroup(record("send", taskflow.StatusFailed, "user 22 not found")) {
		t.Errorf("users 1 and 22 are in different groups, %s", a)
	}
	for what, other := range map[string]*taskflow.Record{
		"another error":       record("send", taskflow.StatusFailed, "user unknown"),
		"another function":    record("resize", taskflow.StatusFailed, "user 1 not found"),
		"a process that died": record("send", taskflow.StatusInterrupted, "taskflow: task interrupted: the process ended while it ran"),
		"an interruption":     record("send", taskflow.StatusInterrupted, "user 1 not found"),
	} {
		if failureGroup(other) == a {
			t.Errorf("%s is in the same group", what)
		}
	}
	if x, y := record("send", taskflow.StatusInterrupted, "a"), record("send", taskflow.StatusInterrupted, "b"); failureGroup(x) != failureGroup(y) {
		t.Error("interruptions of one function are in different groups")
	}
	for _, status := range []taskflow.Status{taskflow.StatusSuccess, taskflow.StatusCancelled, taskflow.StatusPending, taskflow.StatusRunning} {
		if g := failureGroup(record("send", status, "x")); g != "" {
			t.Errorf("%s has the group %s", status, g)
		}
	}
	if !isFailureGroup(a) {
		t.Errorf("%q has not the form of a group", a)
	}
}

func FuzzErrorShape(f *testing.F) {
	for _, seed := range []string{"", "dial tcp 10.0.0.7:5432: refused", `open "x": no 'y' in z1`, "\xff\x00\n1", "don't '1'", strings.Repeat("a1 ", 500), "`\"'", "::-/@", "日本 12"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := errorShape(text)
		switch {
		case !utf8.ValidString(got):
			t.Errorf("%q becomes %q, which is not valid UTF-8", text, got)
		case strings.ContainsAny(got, "0123456789\n"):
			t.Errorf("%q becomes %q, which has digits or lines", text, got)
		case len(got) > 2*maxErrorShape:
			t.Errorf("%d bytes become %d", len(text), len(got))
		case strings.TrimSpace(text) != "" && got != errorShape(text+"\nmore"):
			t.Errorf("a second line changes %q", got)
		}
	})
}
