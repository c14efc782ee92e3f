package taskvet

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/types/typeutil"
)

// sharesMemory tells which methods of *fiber.Ctx return text that lies in the request's own memory (read in Fiber v2.52's
// source). IP and Protocol do so behind a proxy only, which the handler cannot know. BaseURL, String, Port and the Int, Bool
// and Float variants make their results anew.
func sharesMemory(method string) bool {
	switch method {
	case "Params", "AllParams", "Query", "Queries", "FormValue", "Cookies",
		"Body", "BodyRaw",
		"Get", "GetReqHeaders", "GetRespHeader", "GetRespHeaders",
		"Path", "OriginalURL", "Hostname", "Subdomains", "Protocol", "Method", "IP", "IPs", "Range",
		"Context", "Request", "Response": // what fasthttp's own methods return of these
		return true
	}
	return false
}

// fiberParser returns the method of *fiber.Ctx that call fills a struct by; "" when it is no such call. The strings in the struct lie in the request's
// memory, except those of a JSON body; whether a body is JSON, the client says.
func fiberParser(info *types.Info, call *ast.CallExpr) string {
	f, ok := typeutil.Callee(info, call).(*types.Func)
	if !ok || !isFiberCtx(f) {
		return ""
	}
	switch f.Name() {
	case "BodyParser", "QueryParser", "ParamsParser", "ReqHeaderParser", "CookieParser":
		return f.Name()
	}
	return ""
}

// isFiberCtx reports whether f is a method of *fiber.Ctx.
func isFiberCtx(f *types.Func) bool {
	recv := f.Signature().Recv()
	if recv == nil {
		return false
	}
	path, name := nameOf(recv.Type())
	return path == fiberPath && name == "Ctx"
}

// fiberText reports e, which the task reads of the captured v, when it may be text in Fiber's memory.
func (c *checker) fiberText(lit *ast.FuncLit, e ast.Expr, v *types.Var) {
	s := search{info: c.pass.TypesInfo, assigned: c.assigned}
	method := s.origin(e, nil)
	if method == "" {
		return
	}
	message := "task uses " + types.ExprString(e) + ", which may be from (*fiber.Ctx)." + method +
		": Fiber reuses that memory for another request once the handler has returned; copy it before Add: strings.Clone of a " +
		"string, bytes.Clone of a []byte, or a Call, whose With copies all of a struct"
	c.reportFixed(lit, e, message, c.cloneFixes(s, v, e.Pos()))
}

// cloneFixes returns the fix that copies what the captured variable gets, where one call does it.
func (c *checker) cloneFixes(s search, v *types.Var, at token.Pos) []analysis.SuggestedFix {
	var pkg string
	switch t := v.Type(); {
	case types.Identical(t, types.Typ[types.String]):
		pkg = "strings"
	case types.Identical(t, types.NewSlice(types.Typ[types.Byte])):
		pkg = "bytes"
	default:
		return nil
	}
	var edits []analysis.TextEdit
	for _, a := range c.assigned.reaching(v, nil, at) {
		if a.parser == "" && s.origin(a.expr, nil) == "" {
			continue
		}
		if a.part || !a.whole || !c.imports(pkg, a.expr.Pos()) {
			return nil
		}
		edits = append(edits,
			analysis.TextEdit{Pos: a.expr.Pos(), End: a.expr.Pos(), NewText: []byte(pkg + ".Clone(")},
			analysis.TextEdit{Pos: a.expr.End(), End: a.expr.End(), NewText: []byte(")")})
	}
	if edits == nil {
		return nil
	}
	return []analysis.SuggestedFix{{Message: "Copy " + v.Name() + " by " + pkg + ".Clone", TextEdits: edits}}
}

// imports reports whether, at a place, pkg is the name of that package of the standard library.
func (c *checker) imports(pkg string, at token.Pos) bool {
	for _, f := range c.pass.Files {
		if f.FileStart <= at && at < f.FileEnd {
			scope := c.pass.TypesInfo.Scopes[f]
			if inner := scope.Innermost(at); inner != nil {
				scope = inner
			}
			_, o := scope.LookupParent(pkg, at)
			n, ok := o.(*types.PkgName)
			return ok && n.Imported().Path() == pkg
		}
	}
	return false
}
