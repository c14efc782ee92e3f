package taskvet

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/types/typeutil"
)

const (
	chiPath = "github.com/go-chi/chi/v5"
	whyChi  = "the route's parameters: Chi reuses them for another request once the handler has returned; read what the task needs before " +
		"Add, or use chi.URLParamFromCtx with the context that the task is given"
)

// isChiRoute reports whether a call yields what Chi's router keeps for a request, and reuses.
func isChiRoute(info *types.Info, call *ast.CallExpr) bool {
	return chiFunc(info, call) == "RouteContext"
}

// chiFunc returns the name of the function of Chi's that is called; "" when it is none.
func chiFunc(info *types.Info, call *ast.CallExpr) string {
	f, ok := typeutil.Callee(info, call).(*types.Func)
	if !ok || f.Pkg() == nil || f.Pkg().Path() != chiPath || f.Signature().Recv() != nil {
		return ""
	}
	return f.Name()
}

// chiLookup returns the call by which e, a request or a context that a task has captured, is asked for the route's parameters; nil when that is not
// done. around is what e stands in, outer what that stands in.
func chiLookup(info *types.Info, e ast.Expr, around ast.Node, outer []ast.Node) *ast.CallExpr {
	if s, ok := around.(*ast.SelectorExpr); ok && s.Sel.Name == "Context" && len(outer) > 1 {
		call, ok := outer[len(outer)-1].(*ast.CallExpr) // r.Context()
		if !ok || call.Fun != s {
			return nil
		}
		e, around = call, outer[len(outer)-2]
	}
	call, ok := around.(*ast.CallExpr)
	if !ok || len(call.Args) == 0 || ast.Unparen(call.Args[0]) != e {
		return nil
	}
	switch chiFunc(info, call) {
	case "URLParam", "URLParamFromCtx", "RouteContext":
		return call
	}
	return nil
}
