package taskvet

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/types/typeutil"
)

// method looks at what the call of a method returns: text of Fiber's, or text of its receiver or its argument.
func (s search) method(f *types.Func, e *ast.CallExpr) string {
	var receiver ast.Expr
	if sel, ok := ast.Unparen(e.Fun).(*ast.SelectorExpr); ok {
		receiver = sel.X
	}
	switch path, name := nameOf(f.Signature().Recv().Type()); {
	case path == fiberPath && name == "Ctx":
		if sharesMemory(f.Name()) {
			return f.Name()
		}
	case path == fasthttpPath:
		if receiver != nil && sharesFasthttp(f) {
			return s.trace(receiver, nil)
		}
	case path == "strings" && name == "Replacer" && f.Name() == "Replace", // as it is, when there is nothing to replace
		path == "regexp" && name == "Regexp" && (strings.HasPrefix(f.Name(), "Find") || f.Name() == "Split"):
		if len(e.Args) > 0 {
			return s.trace(e.Args[0], nil)
		}
	case path == "net/url" && name == "URL" && (f.Name() == "Hostname" || f.Name() == "Port" || f.Name() == "Query" || strings.HasPrefix(f.Name(), "Escaped")),
		path == "net/url" && name == "Values" && f.Name() == "Get",
		path == "bytes" && name == "Buffer" && (f.Name() == "Bytes" || f.Name() == "Next"):
		if receiver != nil {
			return s.trace(receiver, nil)
		}
	}
	return ""
}

// sharesFasthttp tells which methods of fasthttp's types return the memory of what they are called on (read in fasthttp v1.51's source):
// bytes, or another of its types. Strings are made anew.
func sharesFasthttp(f *types.Func) bool {
	switch f.Name() {
	case "BodyGunzip", "BodyInflate", "BodyUnbrotli", "AppendBytes":
		return false
	}
	for v := range f.Signature().Results().Variables() {
		t := v.Type()
		if path, _ := nameOf(t); path == fasthttpPath {
			return true
		}
		if s, ok := t.(*types.Slice); ok && (isBytes(s) || isBytes(s.Elem())) {
			return true
		}
	}
	return false
}

// concatenation looks at x + y: Go returns the one operand as it is when all others turn out to be empty.
func (s search) concatenation(e *ast.BinaryExpr) string {
	operands := operandsOf(e)
	for _, o := range operands {
		if neverEmpty(s.info, o) {
			return ""
		}
	}
	return s.of(operands)
}

// operandsOf returns all operands of a chain of additions.
func operandsOf(e ast.Expr) []ast.Expr {
	e = ast.Unparen(e)
	if b, ok := e.(*ast.BinaryExpr); ok {
		return append(operandsOf(b.X), operandsOf(b.Y)...)
	}
	return []ast.Expr{e}
}

// neverEmpty reports whether a string is known to have something in it.
func neverEmpty(info *types.Info, e ast.Expr) bool {
	for _, o := range operandsOf(e) {
		if v := info.Types[o].Value; v != nil {
			if v.Kind() == constant.String && constant.StringVal(v) != "" {
				return true
			}
			continue
		}
		call, ok := o.(*ast.CallExpr)
		if !ok {
			continue
		}
		if f, ok := typeutil.Callee(info, call).(*types.Func); ok && f.Pkg() != nil && f.Pkg().Path() == "strconv" {
			if name := f.Name(); name == "Itoa" || strings.HasPrefix(name, "Format") || strings.HasPrefix(name, "Quote") {
				return true
			}
		}
	}
	return false
}

// repeats reports whether a call is a strings.Repeat that is known to make a new string: it returns a string as it is when that is
// wanted once.
func repeats(info *types.Info, f *types.Func, e *ast.CallExpr) bool {
	if f.Pkg().Path() != "strings" || f.Name() != "Repeat" || len(e.Args) != 2 {
		return false
	}
	n := info.Types[e.Args[1]].Value
	return n != nil && !constant.Compare(n, token.EQL, constant.MakeInt64(1))
}
