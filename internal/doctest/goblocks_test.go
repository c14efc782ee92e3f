package doctest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// around is what surrounds a block of statements: the variables that it may use, and the packages.
const around = `package fragments

import (
	"context"
	"os"
	"time"

	"github.com/gin-gonic/gin"

	tasks "github.com/taskflow-go/taskflow/adapters/gin"
	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
)

var _ = []any{os.Getenv, time.Now, tasks.Middleware, memory.New, taskflow.New, dashboard.New}

func _(ctx context.Context, m *taskflow.Manager, r *gin.Engine, c *gin.Context) {
//line %s:%d
%s}
`

var fileName = regexp.MustCompile(`^// ([a-z_/]+\.go)\n`)

// TestGoBlocksCompile builds the Go code of README.md as a user's program, outside of this module.
func TestGoBlocksCompile(t *testing.T) {
	t.Parallel()
	all := blocks(t, "README.md", "go")
	if len(all) == 0 {
		t.Fatal("README.md has no Go code")
	}
	files := map[string]string{}
	for i, b := range all {
		if name := fileName.FindStringSubmatch(b.text); name != nil {
			files[name[1]] = fmt.Sprintf("//line %s:%d\n%s", b.file, b.line, b.text)
			continue
		}
		files[fmt.Sprintf("fragment%d/fragment.go", i)] = fmt.Sprintf(around, b.file, b.line, b.text)
	}
	if out, err := compile(t, files); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestWrongGoBlocksAreNoticed shows that the test above can fail.
func TestWrongGoBlocksAreNoticed(t *testing.T) {
	t.Parallel()
	out, err := compile(t, map[string]string{"fragment/fragment.go": fmt.Sprintf(around, "README.md", 7, "\ttasks.Add(c, m)\n")})
	if err == nil || !strings.Contains(out, "README.md:7") {
		t.Errorf("a wrong block gave error %v and output %q, want an error that names README.md:7", err, out)
	}
}

// compile builds files as module makes them.
func compile(t *testing.T, files map[string]string) (output string, err error) {
	t.Helper()
	return vet(t, module(t, files))
}

// module writes files as the module example.com/app, which uses this module as it is here, and returns its folder.
func module(t *testing.T, files map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	here, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	files["go.mod"] = "module example.com/app\n\ngo 1.26\n" + requirements(t) +
		"replace github.com/taskflow-go/taskflow => " + filepath.ToSlash(here) + "\n"
	files["go.sum"] = read(t, "go.sum")
	write(t, dir, files)
	return dir
}

// requirements are what go mod tidy, which may need the network, finds for a program that uses this module.
func requirements(t *testing.T) string {
	t.Helper()
	_, requirements, ok := strings.Cut(read(t, "go.mod"), "\nrequire ")
	if !ok {
		t.Fatal("go.mod requires nothing")
	}
	return "\nrequire " + requirements + "\nrequire github.com/taskflow-go/taskflow v0.0.0\n"
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestProgramsBringTheirLogsIntoTheTasks: what a program logs by slog is in its tasks' logs only with the handler, which nobody misses until he looks.
func TestProgramsBringTheirLogsIntoTheTasks(t *testing.T) {
	t.Parallel()
	programs := 0
	for _, file := range documents(t) {
		program := ""
		for _, b := range blocks(t, file, "go") {
			if fileName.MatchString(b.text) {
				program += b.text
			}
		}
		if !strings.Contains(program, "func main()") || !strings.Contains(program, "slog.InfoContext(ctx") {
			continue
		}
		programs++
		if !strings.Contains(program, "taskflow.SlogHandler(") {
			t.Errorf("the program of %s logs by slog, but does not use taskflow.SlogHandler", file)
		}
	}
	if programs < 5 {
		t.Errorf("%d programs log by slog, want those of README.md and of the four guides", programs)
	}
}

// TestDocumentsSayWherePackagesAre: a fragment shows no imports, so its document must name the packages that nobody can guess.
func TestDocumentsSayWherePackagesAre(t *testing.T) {
	t.Parallel()
	paths := map[string]string{
		"dashboard": "github.com/taskflow-go/taskflow/dashboard",
		"basicauth": "github.com/gofiber/fiber/v2/middleware/basicauth",
		"compress":  "github.com/gofiber/fiber/v2/middleware/compress",
	}
	seen := map[string]bool{}
	for _, file := range documents(t) {
		for _, b := range blocks(t, file, "go") {
			for name, path := range paths {
				if !regexp.MustCompile(`\b` + name + `\.[A-Z]`).MatchString(b.text) {
					continue
				}
				seen[name] = true
				if text := read(t, file); !strings.Contains(text, `"`+path+`"`) && !strings.Contains(text, "`"+path+"`") {
					t.Errorf("%s:%d uses %s, and the document does not say that it is %s", file, b.line, name, path)
				}
			}
		}
	}
	if len(seen) != len(paths) {
		t.Errorf("only %v are used anywhere", seen)
	}
}
