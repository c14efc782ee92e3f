package archtest

import "strings"

const module = "github.com/taskflow-go/taskflow"

// rule says what the packages of one folder, and those below it, may import. Of several rules the one with the longest
// folder counts. The standard library, and what lies in the rule's own folder, is always allowed.
type rule struct {
	folder string   // inside the module
	own    []string // folders of this module, with what is below them unless the name ends with a dot
	other  []string // modules of others
	tests  []string // what _test.go files may import beyond that, folders and modules alike
}

// exact marks a folder in rule.own whose subfolders are not meant.
const exact = "/."

// rules are the arrows: core knows nobody; backends, dashboard, observers and engines know core; adapters know core and the
// dashboard; nobody knows adapters but the examples.
var rules = []rule{
	{folder: "core", other: []string{"github.com/netresearch/go-cron"}, tests: with("backends/memory", "core/backendtest", "core/tasktest")},
	{folder: "core/backendtest", own: []string{"core" + exact}, other: []string{"pgregory.net/rapid"}, tests: with("backends/memory")},
	{folder: "core/tasktest", own: []string{"core" + exact}, tests: with("backends/memory")},

	{folder: "backends/memory", own: []string{"core" + exact}, tests: with("core/backendtest")},
	{folder: "backends/sqlite", own: []string{"core" + exact}, other: []string{"modernc.org/sqlite", "github.com/gofrs/flock", "golang.org/x/sys"},
		tests: with("core/backendtest", "backends/memory")},
	{folder: "backends/redis", own: []string{"core" + exact}, other: []string{"github.com/redis/go-redis/v9"},
		tests: with("core/backendtest", "internal/testserver")},
	{folder: "backends/internal", own: []string{"core" + exact}, tests: with()},
	{folder: "backends/postgres", own: []string{"core" + exact, "backends/internal"}, other: []string{"github.com/jackc/pgx/v5"},
		tests: with("core/backendtest", "internal/testserver", "golang.org/x/sys")},
	{folder: "backends/mysql", own: []string{"core" + exact, "backends/internal"}, other: []string{"github.com/go-sql-driver/mysql"},
		tests: with("core/backendtest", "internal/testserver", "golang.org/x/sys")},

	{folder: "dashboard", own: []string{"core" + exact}, other: []string{"golang.org/x/crypto", "github.com/gorilla/securecookie"},
		tests: with("backends/memory", "github.com/santhosh-tekuri/jsonschema/v6")},

	{folder: "adapters/internal", own: []string{"core" + exact, "dashboard"}, tests: with("backends/memory", "backends/sqlite", "golang.org/x/net")},
	{folder: "adapters/nethttp", own: []string{"core" + exact, "dashboard", "adapters/internal"},
		tests: with("backends/memory", "backends/sqlite", "golang.org/x/net")},
	{folder: "adapters/chi", own: []string{"core" + exact, "dashboard", "adapters/internal"}, other: []string{"github.com/go-chi/chi/v5"},
		tests: with("backends/memory", "backends/sqlite", "golang.org/x/net")},
	{folder: "adapters/fiber", own: []string{"core" + exact, "dashboard", "adapters/internal"},
		other: []string{"github.com/gofiber/fiber/v2", "github.com/valyala/fasthttp"}, tests: with("backends/memory", "backends/sqlite", "golang.org/x/net")},
	{folder: "adapters/gin", own: []string{"core" + exact, "dashboard", "adapters/internal"}, other: []string{"github.com/gin-gonic/gin"},
		tests: with("backends/memory", "backends/sqlite", "golang.org/x/net")},

	{folder: "examples", own: []string{"adapters", "backends", "core", "dashboard"},
		other: []string{"github.com/gin-gonic/gin", "github.com/go-chi/chi/v5", "github.com/gofiber/fiber/v2", "golang.org/x/image", "github.com/gofrs/flock"}, tests: with()},

	{folder: "cmd/taskvet", own: []string{"internal/taskvet"}, other: []string{"golang.org/x/tools"}, tests: with()},

	{folder: "cmd/taskflow", own: []string{"internal/cli"}, other: []string{"github.com/redis/go-redis/v9"}, tests: with()},
	{folder: "internal/cli", own: []string{"core" + exact, "backends", "dashboard", "internal/backendurl", "internal/transfer"},
		other: []string{"github.com/schollz/progressbar/v3", "golang.org/x/term", "github.com/go-sql-driver/mysql"}, tests: with("internal/testserver")},
	{folder: "internal/backendurl", tests: with()},
	{folder: "internal/transfer", own: []string{"core" + exact}, tests: with("backends/memory")},

	{folder: "internal", tests: with("core")},
	{folder: "internal/fault", tests: with("core"+exact, "backends", "dashboard", "adapters/nethttp", "internal/testserver")},
	{folder: "internal/uiserver", own: []string{"core" + exact, "backends/sqlite", "dashboard", "adapters"},
		other: []string{"github.com/gin-gonic/gin", "github.com/go-chi/chi/v5", "github.com/gofiber/fiber/v2"}, tests: with()},
	{folder: "internal/taskvet", other: []string{"golang.org/x/tools"}, tests: with()},
}

// with returns what tests may always use, and more.
func with(more ...string) []string {
	return append(more, "go.uber.org/goleak", "pgregory.net/rapid")
}

// ruleFor returns the rule of a package's folder; nil when there is none.
func ruleFor(folder string) *rule {
	var found *rule
	for i := range rules {
		if r := &rules[i]; within(folder, r.folder) && (found == nil || len(r.folder) > len(found.folder)) {
			found = r
		}
	}
	return found
}

// allows reports whether a package that the rule is for may import path; test: in a test file.
func (r *rule) allows(path string, test bool) bool {
	if first, _, _ := strings.Cut(path, "/"); !strings.Contains(first, ".") {
		return true // the standard library
	}
	allowed := r.other
	if inside, ours := strings.CutPrefix(path, module+"/"); ours {
		if ruleFor(inside) == r {
			return true
		}
		allowed, path = r.own, inside
	}
	return contains(allowed, path) || test && contains(r.tests, path)
}

func contains(allowed []string, path string) bool {
	for _, a := range allowed {
		if name, only := strings.CutSuffix(a, exact); only && path == name || !only && within(path, a) {
			return true
		}
	}
	return false
}

// within reports whether path is folder or lies below it.
func within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}
