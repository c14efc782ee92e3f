package doctest

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// TestLinksLeadSomewhere follows the links of all documents to files of this tree.
func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	for _, file := range documents(t) {
		for _, target := range brokenLinks(file, read(t, file)) {
			t.Errorf("%s links to %s, which is not there", file, target)
		}
	}
}

// TestBrokenLinksAreNoticed shows that the test above can fail.
func TestBrokenLinksAreNoticed(t *testing.T) {
	t.Parallel()
	text := "[a](LICENSE) [b](https://example.com/x) [c](#here) [d](none.md) [e](docs/none.md#x) [f](core/)"
	if got := strings.Join(brokenLinks("README.md", text), " "); got != "none.md docs/none.md#x" {
		t.Errorf("broken links are %q, want %q", got, "none.md docs/none.md#x")
	}
}

func brokenLinks(file, text string) (broken []string) {
	for _, m := range link.FindAllStringSubmatch(text, -1) {
		target, _, _ := strings.Cut(m[1], "#")
		if target == "" || strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
			continue
		}
		if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(path.Join(path.Dir(file), target)))); err != nil {
			broken = append(broken, m[1])
		}
	}
	return broken
}
