package testserver

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// skipVariable names, separated by commas, the kinds that the user does without.
const skipVariable = "TASKFLOW_SKIP"

// checkSkip skips the test when the user has opted out of the kind.
func checkSkip(t testing.TB, k kind) {
	t.Helper()
	names, err := skipNames(os.Getenv(skipVariable))
	if err != nil {
		t.Fatalf("testserver: %v", err)
	}
	if slices.Contains(names, k.skipName()) {
		t.Skipf("skipped because %s names %s", skipVariable, k.skipName())
	}
}

func skipNames(value string) ([]string, error) {
	var names []string
	for name := range strings.SplitSeq(value, ",") {
		name = strings.ToLower(strings.TrimSpace(name))
		switch name {
		case "", "browser": // that of the dashboard's tests
		case redis{}.skipName(), postgres{}.skipName(), mariadb{}.skipName():
			names = append(names, name)
		default:
			return nil, fmt.Errorf("%s=%q names %q; what can be skipped is redis, postgres, mariadb and browser", skipVariable, value, name)
		}
	}
	return names, nil
}
