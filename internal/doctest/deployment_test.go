package doctest

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestDeploymentWaitsForTheWholeStop compares the time-outs of docs/deployment.md with what a stop may take by default.
func TestDeploymentWaitsForTheWholeStop(t *testing.T) {
	t.Parallel()
	longest := 0
	for _, part := range []struct{ file, pattern string }{
		{"adapters/internal/lifecycle/options.go", `ServerTimeout: (\d+) \* time\.Second`},
		{"adapters/internal/lifecycle/options.go", `DrainTimeout: (\d+) \* time\.Second`},
		{"core/manager.go", `\bgrace: +(\d+) \* time\.Second`},
		{"core/lifecycle.go", `saveTime = (\d+) \* time\.Second`},
	} {
		longest += number(t, part.file, part.pattern)[0]
	}
	const file, preStop = "docs/deployment.md", 5
	if want := strconv.Itoa(longest) + " s with the defaults"; !strings.Contains(read(t, file), want) {
		t.Errorf("%s does not say that a stop may take %s", file, want)
	}
	for pattern, atLeast := range map[string]int{
		`docker stop -t (\d+)`: longest, `stop_grace_period: (\d+)s`: longest, `TimeoutStopSec=(\d+)`: longest,
		`terminationGracePeriodSeconds: (\d+)`: longest + preStop,
	} {
		for _, n := range number(t, file, pattern) {
			if n <= atLeast {
				t.Errorf("%s says %q of %d s, where a stop may take %d s", file, pattern, n, atLeast)
			}
		}
	}
}

// number returns the numbers that a pattern finds in a file, of which there is one at least.
func number(t *testing.T, file, pattern string) (all []int) {
	t.Helper()
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(read(t, file), -1) {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, n)
	}
	if len(all) == 0 {
		t.Fatalf("%s has nothing like %s", file, pattern)
	}
	return all
}
