package doctest

import (
	"fmt"
	"testing"
)

// guides are the framework guides, with what their code needs around it.
var guides = map[string]struct{ imports, used string }{
	"docs/gin.md": {
		`"github.com/gin-gonic/gin"; tasks "github.com/taskflow-go/taskflow/adapters/gin"`, "gin.New, http.NewServeMux",
	},
	"docs/nethttp.md": {
		`tasks "github.com/taskflow-go/taskflow/adapters/nethttp"`, "http.NewServeMux",
	},
	"docs/chi.md": {
		`"github.com/go-chi/chi/v5"; "github.com/go-chi/chi/v5/middleware"; tasks "github.com/taskflow-go/taskflow/adapters/chi"`, "http.NewServeMux",
	},
	"docs/fiber.md": {
		`"github.com/gofiber/fiber/v2"; "github.com/gofiber/fiber/v2/middleware/recover"; tasks "github.com/taskflow-go/taskflow/adapters/fiber"`,
		"strings.Clone, http.NewServeMux",
	},
}

const aroundGuide = `package guide

import (
	"context"
	"net/http"
	"strings"

	%s

	taskflow "github.com/taskflow-go/taskflow/core"
)

var _ = []any{strings.Clone, %s}

func _(ctx context.Context, m *taskflow.Manager, bill func(context.Context, string) error) (err error) {
//line %s:%d
%s
	return err
}
`

// TestGuidesCompile builds the Go code of the framework guides.
func TestGuidesCompile(t *testing.T) {
	t.Parallel()
	files := map[string]string{}
	for file, g := range guides {
		all := blocks(t, file, "go")
		if len(all) == 0 {
			t.Errorf("%s has no Go code", file)
		}
		for i, b := range all {
			files[fmt.Sprintf("guide%d/guide.go", len(files)+i)] = fmt.Sprintf(aroundGuide, g.imports, g.used, b.file, b.line, b.text)
		}
	}
	if out, err := compile(t, files); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
