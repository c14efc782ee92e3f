package doctest

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// root is the folder of the module.
const root = "../.."

// block is a fenced block of a Markdown file.
type block struct {
	file     string
	line     int // of its first line of text
	language string
	text     string
}

// blocks returns the blocks of a file in the given language.
func blocks(t *testing.T, file, language string) (found []block) {
	t.Helper()
	var current *block
	line := 0
	for s := bufio.NewScanner(strings.NewReader(read(t, file))); s.Scan(); {
		line++
		fence, isFence := strings.CutPrefix(s.Text(), "```")
		switch {
		case isFence && current == nil:
			current = &block{file: file, line: line + 1, language: fence}
		case isFence:
			if current.language == language {
				found = append(found, *current)
			}
			current = nil
		case current != nil:
			current.text += s.Text() + "\n"
		}
	}
	if current != nil {
		t.Errorf("%s:%d: the block does not end", file, current.line)
	}
	return found
}

// documents returns the Markdown files of the module, relative to its folder.
func documents(t *testing.T) (files []string) {
	t.Helper()
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "bench/*.md", "backends/*/*.md", "adapters/*/*.md", "examples/*.md", "examples/*/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range found {
			relative, err := filepath.Rel(root, name)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, filepath.ToSlash(relative))
		}
	}
	if len(files) < 5 {
		t.Fatalf("only %v: is %s the folder of the module?", files, root)
	}
	return files
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
