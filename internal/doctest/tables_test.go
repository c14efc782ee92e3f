package doctest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// TestReadmeNamesEveryOption compares README.md with the functions of core whose result is an option.
func TestReadmeNamesEveryOption(t *testing.T) {
	t.Parallel()
	readme := read(t, "README.md")
	seen := 0
	for _, f := range coreFiles(t) {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv != nil || !fn.Name.IsExported() || fn.Type.Results == nil || len(fn.Type.Results.List) != 1 {
				continue
			}
			result, ok := fn.Type.Results.List[0].Type.(*ast.Ident)
			if !ok || !strings.HasSuffix(result.Name, "Option") {
				continue
			}
			seen++
			if !strings.Contains(readme, "`"+fn.Name.Name+"(") {
				t.Errorf("README.md does not name the option %s", fn.Name.Name)
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d options were found in core", seen)
	}
}

// TestReadmeGivesTheLimits compares the table of limits with the constants.
func TestReadmeGivesTheLimits(t *testing.T) {
	t.Parallel()
	want := map[string]struct {
		value int
		text  string
	}{
		"MaxNameBytes":   {taskflow.MaxNameBytes, "200 bytes"},
		"MaxArgsBytes":   {taskflow.MaxArgsBytes, "1 MiB"},
		"MaxErrorBytes":  {taskflow.MaxErrorBytes, "8 KiB"},
		"MaxStackBytes":  {taskflow.MaxStackBytes, "32 KiB"},
		"MaxTags":        {taskflow.MaxTags, "32"},
		"MaxTagBytes":    {taskflow.MaxTagBytes, "200 bytes"},
		"MaxLogLine":     {taskflow.MaxLogLine, "8 KiB"},
		"MaxLogLines":    {taskflow.MaxLogLines, "1000 lines"},
		"MaxLogBytes":    {taskflow.MaxLogBytes, "256 KiB"},
		"MaxReasonBytes": {taskflow.MaxReasonBytes, "1 KiB"},
		"MaxLimit":       {taskflow.MaxLimit, "1000"},
		"MaxKeyBytes":    {taskflow.MaxKeyBytes, "200 bytes"},
		"MaxLiveShown":   {taskflow.MaxLiveShown, "100"},
		"MaxSubmitMany":  {taskflow.MaxSubmitMany, "1000"},
		"MaxStateBytes":  {taskflow.MaxStateBytes, "64 KiB"},
		"MaxSeriesSteps": {taskflow.MaxSeriesSteps, "400"},
		"MaxSeriesBytes": {taskflow.MaxSeriesBytes, "1 MiB"},

		"MaxStateNameBytes":  {taskflow.MaxStateNameBytes, "255 bytes"},
		"MaxSubmitManyBytes": {taskflow.MaxSubmitManyBytes, "8 MiB"},
		"MaxScheduleName":    {taskflow.MaxScheduleName, "100 bytes"},
		"MaxPriority":        {taskflow.MaxPriority, ""}, // in the table of options

		"MaxResultBytes":   {taskflow.MaxResultBytes, "16 KiB"},
		"MaxProgressBytes": {taskflow.MaxProgressBytes, "200 bytes"},
		"MaxChildren":      {taskflow.MaxChildren, "100"},
	}
	units := map[string]int{"KiB": 1 << 10, "MiB": 1 << 20}
	for name, w := range want {
		if w.text == "" {
			continue
		}
		number, unit, _ := strings.Cut(w.text, " ")
		value := 0
		for _, digit := range number {
			value = 10*value + int(digit-'0')
		}
		value *= max(units[unit], 1)
		if value != w.value {
			t.Errorf("%s is %d, but README.md is to say %q: change both", name, w.value, w.text)
		}
		row := ""
		for line := range strings.Lines(read(t, "README.md")) {
			if strings.Contains(line, "`"+name+"`") {
				row = line
			}
		}
		if !strings.Contains(row, "| "+w.text) {
			t.Errorf("README.md's row for %s is %q, want one that says %q", name, row, w.text)
		}
	}
	for _, f := range coreFiles(t) {
		for _, d := range f.Decls {
			decl, ok := d.(*ast.GenDecl)
			if !ok || decl.Tok != token.CONST {
				continue
			}
			for _, s := range decl.Specs {
				for _, name := range s.(*ast.ValueSpec).Names {
					if _, known := want[name.Name]; !known && strings.HasPrefix(name.Name, "Max") {
						t.Errorf("the limit %s of core is in no table: add it to README.md and here", name.Name)
					}
				}
			}
		}
	}
}

func coreFiles(t *testing.T) (files []*ast.File) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, "core", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	if len(files) == 0 {
		t.Fatal(fs.ErrNotExist)
	}
	return files
}
