package doctest

import (
	"go/build"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestCommandsWork tries each command that the shell blocks of the documents show. What takes long or would run this test again is only asked for:
// make by its dry run, a benchmark by its package.
func TestCommandsWork(t *testing.T) {
	t.Parallel()
	tried := 0
	for _, file := range []string{"README.md", "CONTRIBUTING.md", "bench/README.md"} {
		for _, b := range blocks(t, file, "sh") {
			for _, command := range commands(b) {
				tried++
				t.Run(command, func(t *testing.T) {
					if err := try(t, strings.Fields(command)); err != "" {
						t.Errorf("%s:%d: %s: %s", file, b.line, command, err)
					}
				})
			}
		}
	}
	if tried == 0 {
		t.Error("no command was found")
	}
}

// commands returns the commands of a shell block, without comments.
func commands(b block) (found []string) {
	for line := range strings.Lines(b.text) {
		command, _, _ := strings.Cut(" "+line, " #")
		if command = strings.TrimSpace(command); command != "" {
			found = append(found, command)
		}
	}
	return found
}

// ownProgram returns the commands of README.md's section on a program of your own.
func ownProgram(t *testing.T) (found []string) {
	t.Helper()
	const title = "\n## A program of your own\n"
	before, section, ok := strings.Cut(read(t, "README.md"), title)
	section, _, _ = strings.Cut(section, "\n## ")
	if !ok {
		t.Fatalf("README.md has no section %q", title)
	}
	first := strings.Count(before+title, "\n") + 1
	for _, b := range blocks(t, "README.md", "sh") {
		if b.line >= first && b.line < first+strings.Count(section, "\n") {
			found = append(found, commands(b)...)
		}
	}
	return found
}

// TestWrongCommandsAreNoticed shows that the test above can fail.
func TestWrongCommandsAreNoticed(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"make no-such-target", "go run ./examples/none", ".ci/none", "frobnicate", "cd none", "go mod none", "curl -none", "go test ./none"} {
		if try(t, strings.Fields(command)) == "" {
			t.Errorf("%q was taken for a command that works", command)
		}
	}
}

// try returns what is wrong with a command; empty when it works.
func try(t *testing.T, words []string) (wrong string) {
	t.Helper()
	switch {
	case slices.Contains(ownProgram(t), strings.Join(words, " ")): // TestProgramOfYourOwnRuns follows these one by one
	case words[0] == "make":
		if _, err := exec.LookPath("make"); err != nil {
			t.Skip("make is not installed")
		}
		// The test under make must not run make test again; -n prints what would be run, and fails for an unknown target.
		cmd := exec.CommandContext(t.Context(), "make", append([]string{"-n", "--no-print-directory"}, words[1:]...)...)
		cmd.Dir = root
		cmd.Env = append(os.Environ(), "MAKEFLAGS=") // not the flags of the make that runs this test
		if out, err := cmd.CombinedOutput(); err != nil {
			return err.Error() + "\n" + string(out)
		}
	case words[0] == "go" && len(words) == 3 && words[1] == "run":
		if wrong = isProgram(words[2]); wrong == "" && words[2] == "./examples/gin" {
			runExample(t, words)
		}
	case words[0] == "go" && words[1] == "test":
		for _, w := range words[2:] {
			if strings.HasPrefix(w, "./") && isFolder(strings.TrimSuffix(strings.TrimSuffix(w, "..."), "/")) != "" {
				return "there is no folder " + w
			}
		}
	case words[0] == "cd" && len(words) == 2:
		return isFolder(words[1])
	case strings.HasPrefix(words[0], ".ci/"):
		info, err := os.Stat(filepath.Join(root, words[0]))
		if err != nil {
			return err.Error()
		}
		if info.Mode()&0o111 == 0 {
			return "it cannot be executed"
		}
	default:
		return "no test knows how to try it: add a case to try"
	}
	return wrong
}

func isProgram(path string) (wrong string) {
	p, err := build.ImportDir(filepath.Join(root, path), 0)
	switch {
	case err != nil:
		return err.Error()
	case p.Name != "main":
		return "it is package " + p.Name + ", not a program"
	}
	return ""
}

func isFolder(path string) (wrong string) {
	info, err := os.Stat(filepath.Join(root, path))
	switch {
	case err != nil:
		return err.Error()
	case !info.IsDir():
		return "it is not a folder"
	}
	return ""
}
