package doctest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestGuaranteesNameTestsThatExist holds docs/guarantees.md to the suite that it refers to.
func TestGuaranteesNameTestsThatExist(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	text, err := os.ReadFile(filepath.Join(root, "docs", "guarantees.md"))
	if err != nil {
		t.Fatal(err)
	}
	suite, err := os.ReadFile(filepath.Join(root, "adapters", "internal", "adaptertest", "suite.go"))
	if err != nil {
		t.Fatal(err)
	}
	topic, function := regexp.MustCompile(`^[A-Z][A-Za-z0-9]+$`), regexp.MustCompile("`(Test\\w+)`")
	packages := map[string]string{"Chi": "chi", "Fiber": "fiber", "Gin": "gin", "net/http": "nethttp"}
	rows := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 4 || strings.HasPrefix(cells[0], "---") || strings.Contains(cells[0], " guarantee ") {
			continue
		}
		rows++
		shown := cells[3]
		named := 0
		for part := range strings.SplitSeq(shown, ";") {
			framework, names, _ := strings.Cut(strings.TrimSpace(part), ": ")
			for _, name := range function.FindAllStringSubmatch(part, -1) {
				named++
				if !strings.Contains(names, name[1]) || packages[framework] == "" {
					t.Errorf("%s: %s has no framework before it: write `Gin: `, say", strings.TrimSpace(cells[0]), name[1])
				} else if !strings.Contains(testsOf(t, packages[framework]), "func "+name[1]+"(") {
					t.Errorf("%s: adapters/%s has no test %s", strings.TrimSpace(cells[0]), packages[framework], name[1])
				}
			}
		}
		first, _, _ := strings.Cut(shown, ";")
		for name := range strings.SplitSeq(first, ",") {
			if name = strings.TrimSpace(name); topic.MatchString(name) {
				named++
				if !strings.Contains(string(suite), `"`+name+`"`) {
					t.Errorf("%s: the suite has no topic %s", strings.TrimSpace(cells[0]), name)
				}
			}
		}
		if named == 0 {
			t.Errorf("%s: names no test", strings.TrimSpace(cells[0]))
		}
	}
	if rows < 20 {
		t.Errorf("the table has %d rows, want all of them", rows)
	}
}

// testsOf returns the tests of an adapter.
func testsOf(t *testing.T, adapter string) string {
	t.Helper()
	sources, err := filepath.Glob(filepath.Join(root, "adapters", adapter, "*_test.go"))
	if err != nil || len(sources) == 0 {
		t.Fatalf("the tests of adapters/%s: %v, %v", adapter, sources, err)
	}
	var tests strings.Builder
	for _, path := range sources {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		tests.Write(source)
	}
	return tests.String()
}
