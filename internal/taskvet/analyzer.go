package taskvet

import (
	"go/ast"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"
)

const (
	module   = "github.com/taskflow-go/taskflow"
	core     = module + "/core"
	adapters = module + "/adapters/"
)

// Analyzer reports tasks that keep what belongs to the request.
var Analyzer = newAnalyzer()

const doc = `report background tasks that keep what belongs to the request

A closure given to tasks.Add runs after the response. It must not use the framework's context, the response writer, the
request's body or uploaded files, Chi's route parameters, nor strings of Fiber's that were not copied: they belong to another request by
then. Nor may a goroutine that the handler does not wait for use the framework's context.`

func newAnalyzer() *analysis.Analyzer {
	a := &analysis.Analyzer{
		Name:     "taskvet",
		Doc:      doc,
		URL:      "https://pkg.go.dev/" + module + "/cmd/taskvet",
		Requires: []*analysis.Analyzer{inspect.Analyzer},
	}
	immutable := a.Flags.Bool("immutable", false, "leave Fiber's strings alone: the program sets fiber.Config's Immutable")
	a.Run = func(pass *analysis.Pass) (any, error) {
		run(pass, *immutable)
		return nil, nil
	}
	return a
}

func run(pass *analysis.Pass, immutable bool) {
	tree := pass.ResultOf[inspect.Analyzer].(*inspector.Inspector)
	var calls []*ast.CallExpr
	var added []ast.Expr
	for n := range tree.PreorderSeq((*ast.CallExpr)(nil)) {
		call := n.(*ast.CallExpr)
		calls = append(calls, call)
		if i := taskArgument(pass.TypesInfo, call); i >= 0 && i < len(call.Args) {
			added = append(added, call.Args[i])
		}
	}
	goroutines := hasContexts(pass)
	if len(added) == 0 && !goroutines { // most packages
		return
	}
	c := newChecker(pass, immutable)
	for _, e := range added {
		c.task(e)
	}
	c.callsOfWrappers(calls)
	if goroutines {
		for at := range tree.Root().Preorder((*ast.GoStmt)(nil)) {
			c.goroutine(at)
		}
	}
}

// taskArgument returns which argument of a call becomes a task; -1: none.
func taskArgument(info *types.Info, call *ast.CallExpr) int {
	f, ok := typeutil.Callee(info, call).(*types.Func)
	if !ok || f.Pkg() == nil || f.Signature().Recv() != nil {
		return -1
	}
	switch path := f.Pkg().Path(); {
	case f.Name() == "Add" && (path == core || strings.HasPrefix(path, adapters)):
		return 1
	case f.Name() == "WorkOf" && path == core:
		return 0
	}
	return -1
}
