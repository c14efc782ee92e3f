package taskvet

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/types/typeutil"
)

// held finds, in the values that e may be, or may be made of, one that a task must not keep; a nil expression: none. It follows variables of any
// type, which e's own type does not give away: an io.Reader that is the request's body, a context.Context that is Gin's.
func (c *checker) held(e ast.Expr, open map[*types.Var]bool) (what ast.Expr, why string) {
	info := c.pass.TypesInfo
	e = ast.Unparen(e)
	if why := forbidden(info.TypeOf(e)); why != "" {
		return e, why
	}
	switch e := e.(type) {
	case *ast.Ident:
		v, ok := info.ObjectOf(e).(*types.Var)
		if !ok || open[v] || holdsNothing(v.Type()) {
			return nil, ""
		}
		open[v] = true
		defer delete(open, v)
		for _, a := range c.assigned.reaching(v, nil, e.Pos()) {
			if !a.whole {
				continue
			}
			if what, why := c.held(a.expr, open); what != nil {
				return what, why
			}
		}
	case *ast.SelectorExpr:
		if why := viaMember(info, e); why != "" {
			return e, why
		}
	case *ast.TypeAssertExpr:
		return c.held(e.X, open)
	case *ast.UnaryExpr:
		return c.held(e.X, open)
	case *ast.CallExpr:
		if isChiRoute(info, e) {
			return e, whyChi
		}
		if tv := info.Types[e.Fun]; !tv.IsType() && !wraps(info, e) {
			return nil, ""
		}
		for _, arg := range e.Args {
			if what, why := c.held(arg, open); what != nil {
				return what, why
			}
		}
	}
	return nil, ""
}

// holdsNothing reports whether a value of type t is a plain one, or an error: what came along with the value that is looked for.
func holdsNothing(t types.Type) bool {
	_, basic := t.Underlying().(*types.Basic)
	return basic || types.Identical(t, types.Universe.Lookup("error").Type())
}

// wraps reports whether what a call returns goes on using its arguments.
func wraps(info *types.Info, call *ast.CallExpr) bool {
	f, ok := typeutil.Callee(info, call).(*types.Func)
	if !ok || f.Pkg() == nil || f.Signature().Recv() != nil {
		return false
	}
	switch f.Pkg().Path() + "." + f.Name() {
	case "net/http.MaxBytesReader", "io.LimitReader", "io.TeeReader", "io.MultiReader", "io.NopCloser", "io.MultiWriter",
		"bufio.NewReader", "bufio.NewReaderSize", "bufio.NewScanner", "bufio.NewWriter", "bufio.NewWriterSize",
		"encoding/json.NewDecoder", "encoding/json.NewEncoder", "encoding/xml.NewDecoder", "encoding/csv.NewReader", "encoding/csv.NewWriter",
		"compress/gzip.NewReader",
		"context.WithCancel", "context.WithCancelCause", "context.WithTimeout", "context.WithTimeoutCause", "context.WithDeadline",
		"context.WithDeadlineCause", "context.WithValue", "context.WithoutCancel":
		return true
	}
	return false
}
