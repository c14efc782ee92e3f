package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func guide(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/backends.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The guide shows this program's code, not a copy that ages, and something of each file that adds a capability.
func TestGuideShowsThisCode(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	code, shown := map[string]string{}, map[string]bool{}
	for _, name := range append(names, "../../backends/sqlite/conformance_test.go") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		code[name] = string(text)
	}
	for _, b := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(guide(t), -1) {
		found := false
		for name, text := range code {
			if strings.Contains(text, b[1]) {
				found, shown[name] = true, true
			}
		}
		if !found {
			t.Errorf("docs/backends.md shows code that this program does not have:\n%s", b[1])
		}
	}
	for _, name := range names {
		if strings.Contains(code[name], "\nvar _ taskflow.") && !shown[name] {
			t.Errorf("docs/backends.md shows nothing of %s", name)
		}
	}
}

// The guide's table of interfaces is that of the contract.
func TestGuideNamesEveryInterface(t *testing.T) {
	t.Parallel()
	_, table, _ := strings.Cut(guide(t), "\n## All interfaces\n")
	seen := 0
	for _, file := range []string{"../../core/backend.go", "../../core/sharing.go", "../../core/state.go", "../../core/seriesstore.go"} {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			is, ok := spec.Type.(*ast.InterfaceType)
			if !ok || spec.Name.Name == "Backend" {
				return true
			}
			seen++
			var methods []string
			for _, m := range is.Methods.List {
				methods = append(methods, "`"+m.Names[0].Name+"`")
			}
			if row := fmt.Sprintf("| `%s` | %s |", spec.Name.Name, strings.Join(methods, ", ")); !strings.Contains(table, row) {
				t.Errorf("docs/backends.md has no row that begins %s", row)
			}
			return true
		})
	}
	if rows := strings.Count(table, "\n| `"); seen != rows || seen < 10 {
		t.Errorf("the contract has %d interfaces, the table %d rows", seen, rows)
	}
}

// The guide can be followed alone: what its code uses of this program is shown, or linked where it is.
func TestGuideShowsOrLinksWhatItUses(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	text := guide(t)
	var code strings.Builder
	for _, b := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(text, -1) {
		code.WriteString(b[1])
	}
	declaration := regexp.MustCompile(`(?m)^(?:func (?:\(\w+ [^)]*\) )?|type )(\w+)[^\n]*`)
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") || name == "main.go" {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range declaration.FindAllStringSubmatch(string(source), -1) {
			used := regexp.MustCompile(`\b` + d[1] + `[({]|[\]*]` + d[1] + `\b`).MatchString(code.String())
			row := regexp.MustCompile("(?m)^.*`" + d[1] + "`.*\\(\\.\\./examples/custombackend/" + regexp.QuoteMeta(name) + "\\).*$")
			if used && !strings.Contains(code.String(), d[0]) && !row.MatchString(text) {
				t.Errorf("docs/backends.md uses %s, which it neither shows nor links in %s", d[1], name)
			}
		}
	}
}
