//go:build unix

package doctest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// TestProgramOfYourOwnRuns does what README.md says: the long example in a folder of its own, the commands one by one, the answer. Only the address
// is another, and what go mod tidy would find is written down, since it may need the network.
func TestProgramOfYourOwnRuns(t *testing.T) {
	t.Parallel()
	dir, addr := t.TempDir(), freeAddress(t)
	const usual = ":8080"
	files := map[string]string{}
	for _, b := range blocks(t, "README.md", "go") {
		if name := fileName.FindStringSubmatch(b.text); name != nil {
			files[name[1]] = strings.ReplaceAll(b.text, `"`+usual+`"`, fmt.Sprintf("%q", addr))
		}
	}
	write(t, dir, files)
	var p *program
	for _, command := range ownProgram(t) {
		switch words := strings.Fields(command); words[0] + " " + words[1] {
		case "go mod":
			if words[2] == "tidy" {
				tidy(t, dir)
				break
			}
			here, err := filepath.Abs(root)
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), "go", strings.Fields(strings.ReplaceAll(command, "../taskflow", here))[1:]...)
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", command, err, out)
			}
		case "go run":
			p = start(t, dir, append(words[:2:2], append([]string{"-mod=mod"}, words[2:]...)...))
			p.getUntilUp("http://"+addr+"/tasks/", "application/json")
		case "curl -i":
			signUp(t, p, strings.ReplaceAll(command, "localhost"+usual, addr))
		default:
			t.Errorf("%s: no case here knows how to do this", command)
		}
	}
	if p == nil {
		t.Fatal("README.md does not run the program")
	}
	p.interrupt()
	for _, line := range []string{"msg=connecting", `msg="signed up"`} {
		if said := p.out.String(); !strings.Contains(said, line) {
			t.Errorf("the program did not log %s, as README.md says; it said\n%s", line, said)
		}
	}
}

// tidy writes what go mod tidy would.
func tidy(t *testing.T, dir string) {
	t.Helper()
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, map[string]string{"go.mod": string(mod) + requirements(t), "go.sum": read(t, "go.sum")})
}

// signUp does what `curl -i -d form url` does, and waits for the task.
func signUp(t *testing.T, p *program, command string) {
	t.Helper()
	words := strings.Fields(command)
	if len(words) != 5 || words[2] != "-d" {
		t.Fatalf("%s: no case here knows how to do this", command)
	}
	form, err := url.ParseQuery(words[3])
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.PostForm(words[4], form)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		ID string `json:"task_id"`
	}
	body := bodyOf(t, resp)
	if err := json.Unmarshal([]byte(body), &answer); err != nil || resp.StatusCode != http.StatusAccepted || answer.ID == "" {
		t.Fatalf("%s: %s %s (%v), want 202 and the task's id; the program said\n%s", command, resp.Status, body, err, p.out.String())
	}
	at := strings.TrimSuffix(words[4], "/signup") + "/tasks/"
	var record taskflow.Record
	for !record.Status.Final() {
		if err := json.Unmarshal([]byte(p.getUntilUp(at+answer.ID, "application/json")), &record); err != nil {
			t.Fatal(err)
		}
	}
	var all []taskflow.Record
	if err := json.Unmarshal([]byte(p.getUntilUp(at, "application/json")), &all); err != nil || len(all) != 2 || record.Status != taskflow.StatusSuccess {
		t.Errorf("there are %d tasks (%v), the submitted one is %s; want two, and success", len(all), err, record.Status)
	}
	if len(record.Logs) != 1 || !strings.Contains(record.Logs[0], "connecting") {
		t.Errorf("the task's log is %q", record.Logs)
	}
}
