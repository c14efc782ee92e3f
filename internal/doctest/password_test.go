package doctest

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

var argon = regexp.MustCompile(`^\$argon2id\$v=19\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+$`)

// TestPasswordProgramMakesAHash runs the program of docs/deployment.md.
func TestPasswordProgramMakesAHash(t *testing.T) {
	t.Parallel()
	const file = "hash/main.go"
	files := map[string]string{}
	for _, b := range blocks(t, "docs/deployment.md", "go") {
		if name := fileName.FindStringSubmatch(b.text); name != nil && name[1] == file {
			files[file] = b.text
		}
	}
	if files[file] == "" {
		t.Fatalf("docs/deployment.md does not show %s", file)
	}
	dir := module(t, files)
	run := func(password string) (string, error) {
		cmd := exec.CommandContext(t.Context(), "go", "run", "-mod=mod", "./hash")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOWORK=off")
		cmd.Stdin = strings.NewReader(password)
		out, err := cmd.Output()
		return strings.TrimSpace(string(out)), err
	}
	for _, password := range []string{"correct horse\n", "correct horse"} {
		hash, err := run(password)
		if err != nil {
			t.Fatal(err)
		}
		if !argon.MatchString(hash) {
			t.Errorf("the program printed %q, which is no hash", hash)
		}
	}
	if hash, err := run("short\n"); err == nil {
		t.Errorf("of a short password the program made %q", hash)
	}
}
