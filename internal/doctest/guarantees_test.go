package doctest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	suiteTopic   = regexp.MustCompile(`^[A-Z][A-Za-z0-9]+$`)
	testFunction = regexp.MustCompile("`(Test\\w+)`")
)

// testFolders says where the tests are that docs/guarantees.md names after a word like "Gin:".
var testFolders = map[string]string{
	"Chi": "adapters/chi", "Fiber": "adapters/fiber", "Gin": "adapters/gin", "net/http": "adapters/nethttp",
	"core": "core", "fault": "internal/fault", "SQLite": "backends/sqlite", "Redis": "backends/redis", "PostgreSQL": "backends/postgres", "MySQL": "backends/mysql",
}

// rows returns the cells of the rows of a file's tables that have so many columns.
func rows(text string, columns int) (found [][]string) {
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != columns || strings.HasPrefix(cells[0], "---") || strings.Contains(cells[columns-1], " shown by ") {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		found = append(found, cells)
	}
	return found
}

// namedTests returns how many tests a cell names, and which of them are not there. A function needs a word before it that says where it is.
func namedTests(t *testing.T, cell string) (named int, wrong []string) {
	t.Helper()
	for part := range strings.SplitSeq(cell, ";") {
		where, names, _ := strings.Cut(strings.TrimSpace(part), ": ")
		if where == "kit" {
			for topic := range strings.SplitSeq(names, ", ") {
				named++
				if !strings.Contains(sources(t, "core/backendtest/*.go"), `name: "`+topic+`/`) {
					wrong = append(wrong, "the kit has no topic "+topic)
				}
			}
		}
		for _, name := range testFunction.FindAllStringSubmatch(part, -1) {
			named++
			switch folder := testFolders[where]; {
			case folder == "" || !strings.Contains(names, name[1]):
				wrong = append(wrong, name[1]+" has nothing before it that says where it is: write `Gin: `, say")
			case !strings.Contains(sources(t, folder+"/*_test.go"), "func "+name[1]+"("):
				wrong = append(wrong, folder+" has no test "+name[1])
			}
		}
	}
	return named, wrong
}

// TestGuaranteesNameTestsThatExist holds the tables of docs/guarantees.md to the tests that they refer to.
func TestGuaranteesNameTestsThatExist(t *testing.T) {
	t.Parallel()
	text, suite := read(t, "docs/guarantees.md"), read(t, "adapters/internal/adaptertest/suite.go")
	adapters, durability := rows(text, 4), rows(text, 5)
	for _, cells := range append(adapters, durability...) {
		shown := cells[len(cells)-1]
		named, wrong := namedTests(t, shown)
		if len(cells) == 4 {
			first, _, _ := strings.Cut(shown, ";")
			for name := range strings.SplitSeq(first, ",") {
				if name = strings.TrimSpace(name); suiteTopic.MatchString(name) {
					named++
					if !strings.Contains(suite, `"`+name+`"`) {
						wrong = append(wrong, "the suite has no topic "+name)
					}
				}
			}
		}
		for _, w := range wrong {
			t.Errorf("%s: %s", cells[0], w)
		}
		if named == 0 {
			t.Errorf("%s: names no test", cells[0])
		}
	}
	if len(adapters) < 20 || len(durability) < 10 {
		t.Errorf("the tables have %d and %d rows, want all of them", len(adapters), len(durability))
	}
}

// TestWrongNamesOfTestsAreNoticed shows that the test above can fail.
func TestWrongNamesOfTestsAreNoticed(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]int{
		"fault: `TestKilledService`; core: `TestRequeue`, `TestAfterACrash`; kit: fence, leases": 0,
		"core: `TestKilledService`": 1, "`TestKilledService`": 1, "elsewhere: `TestKilledService`": 1, "kit: fence, fences": 1, "Gin: `TestNone`, `TestNeither`": 2,
	} {
		if _, wrong := namedTests(t, cell); len(wrong) != want {
			t.Errorf("in %q %d names are wrong: %q; want %d", cell, len(wrong), wrong, want)
		}
	}
}

// TestDocumentsNameTestsThatExist looks for each test that any document names, whichever package has it.
func TestDocumentsNameTestsThatExist(t *testing.T) {
	t.Parallel()
	var all strings.Builder
	err := filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		all.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range documents(t) {
		for _, name := range testFunction.FindAllStringSubmatch(read(t, file), -1) {
			if !strings.Contains(all.String(), "func "+name[1]+"(") {
				t.Errorf("%s names %s, which is nowhere", file, name[1])
			}
		}
	}
}

// sources returns the text of the files that a pattern below the module's folder matches; none if there are none.
func sources(t *testing.T, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, path := range found {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}
