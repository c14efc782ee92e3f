package taskvet

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"
)

const (
	whyGinGo = "a *gin.Context: Gin reuses it for another request once the handler has returned; read what the goroutine needs before, or give the " +
		"work to tasks.Add, which also waits for it when the process stops"
	whyFiberGo = "a *fiber.Ctx: Fiber reuses it for another request once the handler has returned; read what the goroutine needs before, copy strings by " +
		"strings.Clone, or give the work to tasks.Add, which also waits for it when the process stops"
)

// reused says why a goroutine must not use a value of a type when the handler does not wait for it; "" when it may.
func reused(t types.Type) string {
	switch path, name := nameOf(t); path + "." + name {
	case ginPath + ".Context":
		return whyGinGo
	case fiberPath + ".Ctx":
		return whyFiberGo
	}
	return ""
}

// hasContexts reports whether a package can have such values.
func hasContexts(pass *analysis.Pass) bool {
	for _, p := range pass.Pkg.Imports() {
		if p.Path() == ginPath || p.Path() == fiberPath {
			return true
		}
	}
	return false
}

// goroutine looks at a go statement whose function may outlive the handler.
func (c *checker) goroutine(at inspector.Cursor) {
	for around := range at.Enclosing((*ast.FuncLit)(nil)) {
		if c.visited[around.Node()] {
			return // a part of a task, which was looked at
		}
	}
	stmt := at.Node().(*ast.GoStmt)
	for around := range at.Enclosing((*ast.FuncLit)(nil), (*ast.FuncDecl)(nil)) {
		if waits(c.pass.TypesInfo, around.Node(), stmt) {
			return
		}
		break
	}
	for _, arg := range stmt.Call.Args {
		if why := reused(c.pass.TypesInfo.TypeOf(arg)); why != "" && !c.isCopy(arg) {
			c.pass.Reportf(arg.Pos(), "goroutine gets %s, %s", types.ExprString(arg), why)
			return
		}
	}
	switch f := ast.Unparen(stmt.Call.Fun).(type) {
	case *ast.FuncLit:
		c.goroutineBody(f)
	case *ast.SelectorExpr:
		if why := reused(c.pass.TypesInfo.TypeOf(f.X)); why != "" && !c.isCopy(f.X) {
			c.pass.Reportf(f.Pos(), "goroutine runs a method of %s, %s", types.ExprString(f.X), why)
		}
	case *ast.Ident:
		v, ok := c.pass.TypesInfo.Uses[f].(*types.Var)
		if !ok {
			return
		}
		for _, a := range c.assigned.reaching(v, nil, f.Pos()) {
			if lit, ok := ast.Unparen(a.expr).(*ast.FuncLit); ok && a.whole {
				c.goroutineBody(lit)
			}
		}
	}
}

// goroutineBody reports the first use of a framework's context that the literal captures.
func (c *checker) goroutineBody(lit *ast.FuncLit) {
	found := false
	ast.PreorderStack(lit.Body, nil, func(n ast.Node, stack []ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok || found || c.captured(lit, id) == nil {
			return !found
		}
		var what ast.Expr = id
		for i := len(stack) - 1; what != nil; i-- {
			if why := reused(c.pass.TypesInfo.TypeOf(what)); why != "" && !c.isCopy(what) {
				found = true
				c.pass.Reportf(what.Pos(), "goroutine uses %s, %s", types.ExprString(what), why)
				return false
			}
			if i < 0 {
				break
			}
			if s, ok := stack[i].(*ast.SelectorExpr); ok {
				for _, t := range owners(c.pass.TypesInfo, s)[1:] { // what is embedded
					if why := reused(t); why != "" {
						found = true
						c.pass.Reportf(s.Pos(), "goroutine uses %s, %s", types.ExprString(s), why)
						return false
					}
				}
			}
			what = part(c.pass.TypesInfo, what, stack[i])
		}
		return true
	})
}

// isCopy reports whether e is what Gin's Copy returned: a goroutine may have that, a task should not.
func (c *checker) isCopy(e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.CallExpr:
		f, ok := typeutil.Callee(c.pass.TypesInfo, e).(*types.Func)
		return ok && f.Name() == "Copy"
	case *ast.Ident:
		v, ok := c.pass.TypesInfo.Uses[e].(*types.Var)
		if !ok {
			return false
		}
		all := c.assigned.reaching(v, nil, e.Pos())
		for _, a := range all {
			call, ok := ast.Unparen(a.expr).(*ast.CallExpr)
			if !ok || !a.whole || !c.isCopy(call) {
				return false
			}
		}
		return len(all) > 0
	}
	return false
}

// waits reports whether a function waits for something besides what it starts by stmt: then it may be the goroutine, which is left alone.
func waits(info *types.Info, function ast.Node, stmt *ast.GoStmt) bool {
	found := false
	ast.Inspect(function, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			return n != stmt
		case *ast.SelectStmt:
			found = true
		case *ast.UnaryExpr:
			found = found || n.Op == token.ARROW
		case *ast.RangeStmt:
			_, ok := info.TypeOf(n.X).Underlying().(*types.Chan)
			found = found || ok
		case *ast.CallExpr:
			s, ok := n.Fun.(*ast.SelectorExpr)
			found = found || ok && s.Sel.Name == "Wait"
		}
		return !found
	})
	return found
}
