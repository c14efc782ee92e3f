package archtest

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// maxLines is how long a file may be: one idea, read in one sitting.
const maxLines = 450

// check reads the Go files of a module and returns what breaks the rules, one line each, and the folders that it looked at. Nested
// modules, testdata and hidden folders are left out.
func check(module fs.FS) (violations, folders []string, err error) {
	err = fs.WalkDir(module, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			return skip(module, name)
		case path.Ext(name) != ".go":
			return nil
		}
		source, err := fs.ReadFile(module, name)
		if err != nil {
			return err
		}
		if folder := path.Dir(name); !slices.Contains(folders, folder) {
			folders = append(folders, folder)
		}
		found, err := checkFile(name, source)
		violations = append(violations, found...)
		return err
	})
	return violations, folders, err
}

// skip tells fs.WalkDir which folders are none of the module's.
func skip(module fs.FS, folder string) error {
	if folder == "." {
		return nil
	}
	base := path.Base(folder)
	if strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" || base == "node_modules" {
		return fs.SkipDir
	}
	_, err := fs.Stat(module, path.Join(folder, "go.mod"))
	switch {
	case err == nil:
		return fs.SkipDir
	case errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return err
}

func checkFile(name string, source []byte) (violations []string, err error) {
	positions := token.NewFileSet()
	file, err := parser.ParseFile(positions, name, source, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		return nil, err
	}
	folder, test := path.Dir(name), strings.HasSuffix(name, "_test.go")
	r := ruleFor(folder)
	if r == nil {
		return []string{fmt.Sprintf("%s: no rule says what packages in %s may import: add one to internal/archtest/rules.go", name, folder)}, nil
	}
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, fmt.Errorf("%s: import %s: %w", name, spec.Path.Value, err)
		}
		if !r.allows(imported, test) {
			violations = append(violations, fmt.Sprintf("%s imports %s, which the rule for %s does not allow", name, imported, r.folder))
		}
	}
	if test && !imports(file, "testing/synctest") {
		for _, line := range sleeps(positions, file) {
			violations = append(violations, fmt.Sprintf("%s:%d calls time.Sleep on the real clock: wait for a condition or a channel, "+
				"use testing/synctest, or say on the same line what it imitates", name, line))
		}
	}
	if n := strings.Count(string(source), "\n"); n > maxLines {
		violations = append(violations, fmt.Sprintf("%s has %d lines, more than %d: it holds more than one idea", name, n, maxLines))
	}
	return violations, nil
}

func imports(file *ast.File, path string) bool {
	return slices.ContainsFunc(file.Imports, func(s *ast.ImportSpec) bool { return s.Path.Value == strconv.Quote(path) })
}

// sleeps returns the lines with a call of time.Sleep that no comment explains.
func sleeps(positions *token.FileSet, file *ast.File) (lines []int) {
	explained := map[int]bool{}
	for _, group := range file.Comments {
		explained[positions.Position(group.Pos()).Line] = true
	}
	ast.Inspect(file, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok || s.Sel.Name != "Sleep" {
			return true
		}
		line := positions.Position(s.Pos()).Line
		if pkg, ok := s.X.(*ast.Ident); ok && pkg.Name == "time" && !explained[line] {
			lines = append(lines, line)
		}
		return true
	})
	return lines
}
