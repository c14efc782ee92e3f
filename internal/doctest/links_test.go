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

// TestLinksLeadSomewhere follows the links of all documents to files of this tree, and to their headings.
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
	text := "[a](LICENSE) [b](https://example.com/x) [c](#here) [d](none.md) [e](docs/none.md#x) [f](core/) [g](#the-heading-2-go-vet) [h](docs/lifecycle.md#nowhere) [i](docs/lifecycle.md#of-a-task)\n" +
		"## The heading 2: `go vet`\n"
	if got := strings.Join(brokenLinks("README.md", text), " "); got != "#here none.md docs/none.md#x docs/lifecycle.md#nowhere" {
		t.Errorf("broken links are %q", got)
	}
}

func brokenLinks(file, text string) (broken []string) {
	for _, m := range link.FindAllStringSubmatch(text, -1) {
		target, fragment, _ := strings.Cut(m[1], "#")
		if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
			continue
		}
		there := text
		if target != "" {
			name := filepath.Join(root, filepath.FromSlash(path.Join(path.Dir(file), target)))
			info, err := os.Stat(name)
			if err != nil {
				broken = append(broken, m[1])
				continue
			}
			if info.IsDir() || path.Ext(target) != ".md" {
				continue
			}
			other, err := os.ReadFile(name)
			if err != nil {
				broken = append(broken, m[1])
				continue
			}
			there = string(other)
		}
		if fragment != "" && !hasHeading(there, fragment) {
			broken = append(broken, m[1])
		}
	}
	return broken
}

var (
	heading    = regexp.MustCompile(`(?m)^#+ (.*)$`)
	noFragment = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// hasHeading reports whether a document has the heading that GitHub gives this fragment.
func hasHeading(text, fragment string) bool {
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		if strings.ReplaceAll(noFragment.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-") == fragment {
			return true
		}
	}
	return false
}
