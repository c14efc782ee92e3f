package taskvet

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/types/typeutil"
)

// bind notes what the parameters of function literals get: where a literal is called on the spot, or by way of a variable, and where fasthttp
// calls one, for each header, say.
func (c collector) bind(files []*ast.File) {
	for _, f := range files {
		for n := range ast.Preorder(f) {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				continue
			}
			for _, lit := range c.literals(call.Fun) {
				c.bindTo(lit, call)
			}
			if s, ok := call.Fun.(*ast.SelectorExpr); ok && isOfFasthttp(c.info, call) {
				for _, arg := range call.Args {
					c.bindVisitor(arg, s.X, call)
				}
			}
		}
	}
}

// literals returns the function literals that e, which is called, may be.
func (c collector) literals(e ast.Expr) (lits []*ast.FuncLit) {
	switch e := ast.Unparen(e).(type) {
	case *ast.FuncLit:
		return []*ast.FuncLit{e}
	case *ast.Ident:
		v, ok := c.info.Uses[e].(*types.Var)
		if !ok {
			return nil
		}
		for _, a := range c.found[v] {
			if lit, ok := ast.Unparen(a.expr).(*ast.FuncLit); ok && a.whole && !a.part {
				lits = append(lits, lit)
			}
		}
	}
	return lits
}

func (c collector) bindTo(lit *ast.FuncLit, call *ast.CallExpr) {
	params := parameters(lit)
	variadic := false
	if s, ok := c.info.TypeOf(lit).(*types.Signature); ok {
		variadic = s.Variadic() && !call.Ellipsis.IsValid()
	}
	for i, arg := range call.Args {
		_, results := c.info.TypeOf(arg).(*types.Tuple) // of another call
		switch {
		case results:
			for _, p := range params {
				c.addParameter(p, assignment{expr: arg, part: true, stmt: call})
			}
		case variadic && i >= len(params)-1:
			c.addParameter(params[len(params)-1], assignment{expr: arg, stmt: call})
		case i < len(params):
			c.addParameter(params[i], assignment{expr: arg, stmt: call})
		}
	}
}

func (c collector) bindVisitor(arg, receiver ast.Expr, call *ast.CallExpr) {
	for _, lit := range c.literals(arg) {
		for _, p := range parameters(lit) {
			c.addParameter(p, assignment{expr: receiver, part: true, stmt: call})
		}
	}
}

func (c collector) addParameter(p *ast.Ident, a assignment) {
	if p != nil {
		c.add(p, a)
	}
}

// parameters returns the names of a literal's parameters; nil for one without.
func parameters(lit *ast.FuncLit) (names []*ast.Ident) {
	for _, f := range lit.Type.Params.List {
		if len(f.Names) == 0 {
			names = append(names, nil)
		}
		names = append(names, f.Names...)
	}
	return names
}

// isOfFasthttp reports whether call is one of a method of a type of fasthttp's.
func isOfFasthttp(info *types.Info, call *ast.CallExpr) bool {
	f, ok := typeutil.Callee(info, call).(*types.Func)
	if !ok || f.Signature().Recv() == nil {
		return false
	}
	path, _ := nameOf(f.Signature().Recv().Type())
	return path == fasthttpPath
}
