package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestTaskvetRuns builds the command and runs it both ways: over this module's own examples, which keep the rules, and over a
// module that breaks one.
func TestTaskvetRuns(t *testing.T) {
	t.Parallel()
	tool := build(t)
	broken := brokenModule(t)
	const finding = "handler.go:10:24: task uses w, the response"
	for _, tt := range []struct {
		name, dir string
		command   []string
		want      string // in the output of a run that fails; empty: it succeeds
	}{
		{name: "go vet, examples", dir: "../..", command: []string{"go", "vet", "-vettool=" + tool, "./examples/..."}},
		{name: "alone, examples", dir: "../..", command: []string{tool, "./examples/..."}},
		{name: "go vet, broken", dir: broken, command: []string{"go", "vet", "-vettool=" + tool, "./..."}, want: finding},
		{name: "alone, broken", dir: broken, command: []string{tool, "./..."}, want: finding},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), tt.command[0], tt.command[1:]...)
			cmd.Dir = tt.dir
			cmd.Env = append(os.Environ(), "GOWORK=off")
			out, err := cmd.CombinedOutput()
			if tt.want == "" {
				if err != nil || len(out) != 0 {
					t.Fatalf("%v\n%s", err, out)
				}
				return
			}
			var exit *exec.ExitError
			if !errors.As(err, &exit) || !strings.Contains(string(out), tt.want) {
				t.Fatalf("got %v, want a failure that says %q:\n%s", err, tt.want, out)
			}
		})
	}
}

func build(t *testing.T) string {
	t.Helper()
	tool := filepath.Join(t.TempDir(), "taskvet")
	if runtime.GOOS == "windows" {
		tool += ".exe"
	}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", tool, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return tool
}

// brokenModule writes a module whose only dependency is a stand-in for taskflow, next to it, so that no network is needed.
func brokenModule(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": `module broken

go 1.26

require github.com/taskflow-go/taskflow v0.0.0

replace github.com/taskflow-go/taskflow => ./taskflow
`,
		"handler.go": `package broken

import (
	"net/http"

	tasks "github.com/taskflow-go/taskflow/adapters/nethttp"
)

func Handler(w http.ResponseWriter, r *http.Request) {
	tasks.Add(r, func() { w.WriteHeader(http.StatusOK) })
}
`,
		"taskflow/go.mod": "module github.com/taskflow-go/taskflow\n\ngo 1.26\n",
		"taskflow/adapters/nethttp/tasks.go": `package tasks

import "net/http"

func Add(*http.Request, func()) {}
`,
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
