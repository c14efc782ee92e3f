package archtest

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestModuleKeepsItsRules(t *testing.T) {
	t.Parallel()
	violations, folders, err := check(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range violations {
		t.Error(v)
	}
	for _, want := range []string{"core", "dashboard", "adapters/gin", "backends/sqlite", "internal/archtest"} {
		if !slices.Contains(folders, want) {
			t.Errorf("%s was not looked at; only %v", want, folders)
		}
	}
}

// TestWhoMayImportWhom is the picture of the arrows, edge by edge.
func TestWhoMayImportWhom(t *testing.T) {
	t.Parallel()
	const gin, sql = "github.com/gin-gonic/gin", "modernc.org/sqlite"
	for _, tt := range []struct {
		from, to string
		test, ok bool
	}{
		{from: "core", to: "context", ok: true},
		{from: "core", to: "net/http", ok: true},
		{from: "core", to: gin},
		{from: "core", to: sql},
		{from: "core", to: "github.com/google/uuid"},
		{from: "core", to: "golang.org/x/sync/errgroup"},
		{from: "core", to: module + "/dashboard"},
		{from: "core", to: module + "/backends/memory"},
		{from: "core", to: module + "/backends/memory", test: true, ok: true},
		{from: "core", to: module + "/backends/sqlite", test: true},
		{from: "core", to: module + "/core/backendtest"},
		{from: "core", to: module + "/core", test: true, ok: true},
		{from: "core/backendtest", to: module + "/core", ok: true},
		{from: "core/backendtest", to: "pgregory.net/rapid", ok: true},
		{from: "core/backendtest", to: module + "/backends/memory"},
		{from: "backends/sqlite", to: module + "/core", ok: true},
		{from: "backends/sqlite", to: sql, ok: true},
		{from: "backends/sqlite", to: sql + "/lib", ok: true},
		{from: "backends/sqlite", to: sql + "x"},
		{from: "backends/sqlite", to: module + "/core/backendtest"},
		{from: "backends/sqlite", to: module + "/core/backendtest", test: true, ok: true},
		{from: "backends/sqlite", to: module + "/backends/memory"},
		{from: "backends/sqlite", to: module + "/dashboard"},
		{from: "backends/memory", to: sql},
		{from: "backends/oracle", to: module + "/core"},
		{from: "dashboard", to: module + "/core", ok: true},
		{from: "dashboard", to: "golang.org/x/crypto/argon2", ok: true},
		{from: "dashboard", to: gin},
		{from: "dashboard", to: module + "/backends/sqlite"},
		{from: "dashboard", to: module + "/adapters/gin"},
		{from: "adapters/gin", to: gin, ok: true},
		{from: "adapters/gin", to: module + "/dashboard", ok: true},
		{from: "adapters/gin", to: module + "/adapters/internal/httpx", ok: true},
		{from: "adapters/gin", to: module + "/adapters/fiber"},
		{from: "adapters/gin", to: module + "/backends/sqlite"},
		{from: "adapters/internal/httpx", to: gin},
		{from: "adapters/internal/httpx", to: module + "/adapters/gin"},
		{from: "examples/gin", to: module + "/adapters/gin", ok: true},
		{from: "examples/gin", to: module + "/backends/sqlite", ok: true},
		{from: "examples/gin", to: module + "/examples/internal/jobs", ok: true},
		{from: "examples/gin", to: module + "/internal/doctest"},
		{from: "core", to: module + "/examples/internal/jobs"},
	} {
		r := ruleFor(tt.from)
		if got := r != nil && r.allows(tt.to, tt.test); got != tt.ok {
			t.Errorf("%s imports %s (in a test: %v): allowed is %v, want %v", tt.from, tt.to, tt.test, got, tt.ok)
		}
	}
}

// TestViolationsAreFound shows that the check of the module above can fail.
func TestViolationsAreFound(t *testing.T) {
	t.Parallel()
	violations, _, err := check(fstest.MapFS{
		"core/bad.go":          {Data: []byte("package taskflow\nimport _ \"github.com/gin-gonic/gin\"\n")},
		"core/windows.go":      {Data: []byte("//go:build windows\n\npackage taskflow\nimport _ \"modernc.org/sqlite\"\n")},
		"core/late_test.go":    {Data: []byte("package taskflow\nimport \"time\"\nfunc wait() { time.Sleep(1) }\n")},
		"core/slow_test.go":    {Data: []byte("package taskflow\nimport \"time\"\nfunc disk() { time.Sleep(1) } // a slow disk\n")},
		"core/bubble_test.go":  {Data: []byte("package taskflow\nimport (\"testing/synctest\"; \"time\")\nfunc wait() { synctest.Wait(); time.Sleep(1) }\n")},
		"core/long.go":         {Data: []byte("package taskflow\n" + strings.Repeat("//\n", maxLines))},
		"core/testdata/bad.go": {Data: []byte("package taskflow\nimport _ \"github.com/gin-gonic/gin\"\n")},
		"elsewhere/x.go":       {Data: []byte("package elsewhere\n")},
		"bench/go.mod":         {Data: []byte("module bench\n")},
		"bench/x.go":           {Data: []byte("package bench\nimport _ \"github.com/gin-gonic/gin\"\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"core/bad.go imports github.com/gin-gonic/gin",
		"core/windows.go imports modernc.org/sqlite",
		"core/late_test.go:3 calls time.Sleep",
		"core/long.go has 451 lines",
		"elsewhere/x.go: no rule",
	} {
		if !slices.ContainsFunc(violations, func(v string) bool { return strings.HasPrefix(v, want) }) {
			t.Errorf("%q was not found among\n%s", want, strings.Join(violations, "\n"))
		}
	}
	if len(violations) != 5 {
		t.Errorf("%d violations, want 5:\n%s", len(violations), strings.Join(violations, "\n"))
	}
}
