package doctest

import (
	"slices"
	"strings"
	"testing"
)

// TestAdaptersAreShownAsTheyAre compares the code of docs/adapters.md that is no whole file, function by function, with the files that it is from, which
// are built and tested where they are.
func TestAdaptersAreShownAsTheyAre(t *testing.T) {
	t.Parallel()
	var sources []string
	for _, file := range []string{"adapters/internal/httpx/webadapter_test.go", "adapters/chi/framework_test.go"} {
		sources = append(sources, read(t, file))
	}
	whole, parts := 0, 0
	for _, b := range blocks(t, "docs/adapters.md", "go") {
		if fileName.MatchString(b.text) {
			whole++
			continue
		}
		for part := range strings.SplitSeq(b.text, "\n\n") {
			parts++
			if part = strings.TrimSpace(part); !slices.ContainsFunc(sources, func(s string) bool { return strings.Contains(s, part) }) {
				t.Errorf("%s:%d: this is in none of the files that it is from:\n%s", b.file, b.line, part)
			}
		}
	}
	if whole != 2 || parts < 4 {
		t.Errorf("the document shows %d whole files and %d functions, want two and at least four", whole, parts)
	}
}
