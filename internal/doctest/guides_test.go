package doctest

import (
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// dialect is what the code for a framework has around it: packages, a use of each, and the variables of a handler.
type dialect struct{ imports, used, variables string }

var dialects = map[string]dialect{
	"gin": {
		`"github.com/gin-gonic/gin"; tasks "github.com/taskflow-go/taskflow/adapters/gin"`,
		"gin.New, tasks.Middleware",
		"r *gin.Engine, c *gin.Context",
	},
	"nethttp": {
		`tasks "github.com/taskflow-go/taskflow/adapters/nethttp"`,
		"tasks.Middleware",
		"mux *http.ServeMux, w http.ResponseWriter, r *http.Request",
	},
	"chi": {
		`"github.com/go-chi/chi/v5"; "github.com/go-chi/chi/v5/middleware"; tasks "github.com/taskflow-go/taskflow/adapters/chi"`,
		"chi.URLParam, middleware.Logger, tasks.Middleware",
		"r *chi.Mux, w http.ResponseWriter, req *http.Request",
	},
	"fiber": {
		`"github.com/gofiber/fiber/v2"; "github.com/gofiber/fiber/v2/middleware/basicauth"; "github.com/gofiber/fiber/v2/middleware/compress"; ` +
			`"github.com/gofiber/fiber/v2/middleware/logger"; "github.com/gofiber/fiber/v2/middleware/recover"; tasks "github.com/taskflow-go/taskflow/adapters/fiber"`,
		"fiber.New, basicauth.New, compress.New, logger.New, recover.New, tasks.Middleware",
		"app *fiber.App, c *fiber.Ctx",
	},
}

// aroundGuide is what surrounds the statements of a guide: packages, what a program would define, and the variables. The results differ from
// handler to handler.
const aroundGuide = `package guide

import (
	"bytes"; "context"; "crypto/tls"; "database/sql"; "errors"; "fmt"; "io"; "log/slog"; "net"; "net/http"
	"os"; "os/signal"; "strings"; "syscall"; "time"

	%s

	"github.com/taskflow-go/taskflow/backends/sqlite"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
)

var _ = []any{
	bytes.NewReader, context.Background, tls.Listen, sql.Open, errors.Join, fmt.Sprint, io.Copy, slog.Info, net.Listen, http.Error, os.Getenv,
	signal.Notify, strings.Clone, syscall.SIGTERM, time.Now, sqlite.Open, dashboard.Public, %s,
}

type (
	User    struct{ Name string }
	userKey struct{}
)

var (
	Bill     = taskflow.Define("bill", bill)
	Greet    = taskflow.Define("greet", greet)
	Resize   = taskflow.Define("resize", greet)
	db       *sql.DB
	recovery func(http.Handler) http.Handler
)

func bill(context.Context, string) error        { return nil }
func greet(context.Context, string) error       { return nil }
func sendWelcome(context.Context, string) error { return nil }
func makeReport(context.Context) error          { return nil }
func load(context.Context, io.Reader) error     { return nil }
func mustBill(string)                           {}

func _(ctx context.Context, m *taskflow.Manager, err error, %s) %s {
	{
//line %s:%d
%s
	}
%s}
`

// returnsError recognizes statements that are of a function with an error as its result: what is indented less than a literal's body counts.
var returnsError = regexp.MustCompile(`(?m)^\t?return (err|tasks\.|errors\.|c\.)`)

// dialectOf tells which framework a block is about: that of the guide, or the one whose context it names.
func dialectOf(b block) string {
	if name := strings.TrimSuffix(path.Base(b.file), ".md"); dialects[name].used != "" {
		return name
	}
	switch {
	case strings.Contains(b.text, "*fiber.Ctx"):
		return "fiber"
	case strings.Contains(b.text, "chi."):
		return "chi"
	case strings.Contains(b.text, "http.ResponseWriter"):
		return "nethttp"
	}
	return "gin"
}

// guideFile makes a Go file of a block, and the name for it below the folder dir.
func guideFile(b block, dir string) (name, text string) {
	if file := fileName.FindStringSubmatch(b.text); file != nil {
		return dir + "/" + file[1], fmt.Sprintf("//line %s:%d\n%s", b.file, b.line, b.text)
	}
	d, result, end := dialects[dialectOf(b)], "", ""
	if returnsError.MatchString(b.text) {
		result, end = "error", "\treturn err\n"
	}
	if strings.Contains(b.text, "\nreturn ") {
		end = "" // the last statement, or the compiler says so
	}
	return dir + "/guide.go", fmt.Sprintf(aroundGuide, d.imports, d.used, d.variables, result, b.file, b.line, b.text, end)
}

// guides returns the Go code of docs, but for backends.md: that is held to examples/custombackend; and of adapters.md the whole files only: the
// rest is held to where it is from.
func guides(t *testing.T) (files map[string]string, all []block) {
	t.Helper()
	files = map[string]string{}
	for _, file := range documents(t) {
		if path.Dir(file) != "docs" || file == "docs/backends.md" {
			continue
		}
		for _, b := range blocks(t, file, "go") {
			if file == "docs/adapters.md" && !fileName.MatchString(b.text) {
				continue
			}
			name, text := guideFile(b, fmt.Sprintf("guide%d", len(all)))
			files[name] = text
			all = append(all, b)
		}
	}
	return files, all
}

// keepsContext recognizes the go statements that taskvet must report.
var keepsContext = regexp.MustCompile(`\bgo (\w+\(c,|func\(\) {.*\bc\.)`)

// TestGuidesCompile builds the Go code of docs, all at once, and has taskvet look at it: it must report the blocks that begin with "// Wrong:" and add a
// task, or start a goroutine with a framework's context, and no others.
func TestGuidesCompile(t *testing.T) {
	t.Parallel()
	files, all := guides(t)
	for name := range dialects {
		if !slices.ContainsFunc(all, func(b block) bool { return b.file == "docs/"+name+".md" && fileName.MatchString(b.text) }) {
			t.Errorf("docs/%s.md shows no whole program", name)
		}
	}
	dir := module(t, files)
	if out, err := vet(t, dir); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}

	tool := filepath.Join(t.TempDir(), "taskvet")
	if runtime.GOOS == "windows" {
		tool += ".exe"
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", tool, "./cmd/taskvet")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, _ := vet(t, dir, "-vettool="+tool) // it fails, because it finds something
	reported := findings(t, out)
	for _, b := range all {
		lines := reported[path.Base(b.file)]
		found := slices.ContainsFunc(lines, func(line int) bool { return line >= b.line && line < b.line+strings.Count(b.text, "\n") })
		wrong := strings.Contains(b.text, "tasks.Add(") || keepsContext.MatchString(b.text)
		if want := strings.HasPrefix(b.text, "// Wrong:") && wrong; found != want {
			t.Errorf("%s:%d: taskvet reports it: %t, want %t\n%s", b.file, b.line, found, want, out)
		}
	}
}

// TestWrongGuidesAreNoticed shows that the test above can fail: code for one framework does not compile as another's.
func TestWrongGuidesAreNoticed(t *testing.T) {
	t.Parallel()
	name, text := guideFile(block{file: "docs/chi.md", line: 7, text: "tasks.Add(ctx, bill)\n"}, "guide")
	if out, err := vet(t, module(t, map[string]string{name: text})); err == nil || !strings.Contains(out, "chi.md:7") {
		t.Errorf("a wrong block gave error %v and output %q, want an error that names chi.md:7", err, out)
	}
}

var finding = regexp.MustCompile(`(?m)([a-z-]+\.md):(\d+):(?:\d+:)? (?:task|goroutine) `)

// findings returns the lines that taskvet reported, for each document.
func findings(t *testing.T, out string) map[string][]int {
	t.Helper()
	lines := map[string][]int{}
	for _, m := range finding.FindAllStringSubmatch(out, -1) {
		line, err := strconv.Atoi(m[2])
		if err != nil {
			t.Fatal(err)
		}
		lines[m[1]] = append(lines[m[1]], line)
	}
	return lines
}

// vet runs go vet in a folder that module has made.
func vet(t *testing.T, dir string, flags ...string) (output string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", slices.Concat([]string{"vet", "-mod=mod"}, flags, []string{"./..."})...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestGuidesGetWhatTheirProgramsImport compares the command above the whole program of a guide with what that imports: each package must be below
// one that is named, but for core, which every adapter has.
func TestGuidesGetWhatTheirProgramsImport(t *testing.T) {
	t.Parallel()
	for name := range dialects {
		file := "docs/" + name + ".md"
		program := blocks(t, file, "go")[0]
		parsed, err := parser.ParseFile(token.NewFileSet(), file, program.text, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		command, ok := strings.CutPrefix(blocks(t, file, "text")[0].text, "go get ")
		if !ok {
			t.Errorf("%s does not begin with go get", file)
		}
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			host, _, _ := strings.Cut(imported, "/")
			if !strings.Contains(host, ".") || imported == "github.com/taskflow-go/taskflow/core" {
				continue
			}
			if !slices.ContainsFunc(strings.Fields(command), func(named string) bool { return strings.HasPrefix(imported+"/", named+"/") }) {
				t.Errorf("%s: go get %s\nlacks %s, which the program imports", file, command, imported)
			}
		}
	}
}
