package doctest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDecisionsAreListed finds those that their index does not name.
func TestDecisionsAreListed(t *testing.T) {
	t.Parallel()
	folder := filepath.Join("..", "..", "docs", "decisions")
	index, err := os.ReadFile(filepath.Join(folder, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(folder, "0*.md"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no decisions in %s: %v", folder, err)
	}
	for _, f := range files {
		if name := filepath.Base(f); !strings.Contains(string(index), "]("+name+")") {
			t.Errorf("docs/decisions/README.md does not list %s", name)
		}
	}
}
