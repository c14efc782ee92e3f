package doctest

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestTheGuideNamesEveryPathOfTheAPI holds the guide to the API's description. What belongs to the page itself it need not name.
func TestTheGuideNamesEveryPathOfTheAPI(t *testing.T) {
	t.Parallel()
	var api struct{ Paths map[string]any }
	if err := json.Unmarshal([]byte(read(t, "dashboard/openapi.json")), &api); err != nil {
		t.Fatal(err)
	}
	if len(api.Paths) < 20 {
		t.Fatalf("the API has %d paths", len(api.Paths))
	}
	if missing := unnamed(slices.Sorted(maps.Keys(api.Paths)), read(t, "docs/dashboard-api.md")); len(missing) > 0 {
		t.Errorf("docs/dashboard-api.md does not name %v", missing)
	}
}

// TestUnnamedPathsAreNoticed shows that the test above can fail.
func TestUnnamedPathsAreNoticed(t *testing.T) {
	t.Parallel()
	paths := []string{"/", "/bulk", "/bulk-retry", "/dashboard/assets/{file}", "/schedules/{name}/run", "/{id}/why"}
	if got := strings.Join(unnamed(paths, "`POST /bulk-retry`, `/schedules/{name}/run`"), " "); got != "/bulk /{id}/why" {
		t.Errorf("unnamed are %q", got)
	}
}

func unnamed(paths []string, guide string) (missing []string) {
	for _, path := range paths {
		if path == "/" || path == "/dashboard" || strings.HasPrefix(path, "/dashboard/assets/") {
			continue
		}
		short := strings.TrimPrefix(path, "/schedules/{name}") // named once in full, then by what follows
		if !regexp.MustCompile(regexp.QuoteMeta(strings.TrimPrefix(short, "/")) + "([^a-z/-]|$)").MatchString(guide) {
			missing = append(missing, path)
		}
	}
	return missing
}
