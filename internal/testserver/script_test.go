package testserver_test

import (
	"errors"
	"maps"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/taskflow-go/taskflow/internal/testserver"
)

// script runs scripts/servers.sh, which installs nothing here, and returns what it says.
func script(t *testing.T, skip string) (stdout, stderr string, failed bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "../../scripts/servers.sh", "find")
	cmd.Env = append(os.Environ(), "TASKFLOW_SKIP="+skip)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), err != nil
}

// TestScriptFindsWhatTestsFind: what make servers takes for installed is what the tests will start.
func TestScriptFindsWhatTestsFind(t *testing.T) {
	t.Parallel()
	out, errs, failed := script(t, "")
	got := map[string]string{}
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) == 3 {
			got[f[0]] = f[2]
		}
	}
	want := testserver.Found()
	if !maps.Equal(got, want) {
		t.Errorf("the script finds %v, the tests %v", got, want)
	}
	if failed != (len(want) < len(kinds)) {
		t.Errorf("%d of %d were found; the script has failed: %v: %s", len(want), len(kinds), failed, errs)
	}
}

func TestScriptLeavesAloneWhatIsSkipped(t *testing.T) {
	t.Parallel()
	out, errs, failed := script(t, "redis, Postgres,mariadb")
	if n := strings.Count(out, "skipped"); n != len(kinds) || failed {
		t.Errorf("%d are skipped, want %d:\n%s%s", n, len(kinds), out, errs)
	}
}

func TestScriptRefusesUnknownNames(t *testing.T) {
	t.Parallel()
	out, errs, failed := script(t, "redis,mysql")
	if !failed || !strings.Contains(errs, `names "mysql"`) {
		t.Errorf("it says:\n%s%s", out, errs)
	}
}
