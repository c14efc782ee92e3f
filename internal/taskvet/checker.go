package taskvet

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/analysis"
)

// checker looks at the tasks of one package.
type checker struct {
	pass      *analysis.Pass
	immutable bool
	assigned  assignments
	functions functions
	wrappers  []parameter  // found, and not followed yet
	visited   map[any]bool // literals, variables and bodies that were looked at: they may lead to each other
	reported  map[finding]bool
}

// finding makes a task that uses c ten times one report.
type finding struct {
	in      *ast.FuncLit
	message string
}

func newChecker(pass *analysis.Pass, immutable bool) *checker {
	return &checker{
		pass:      pass,
		immutable: immutable,
		assigned:  assignmentsOf(pass.TypesInfo, pass.Files),
		functions: functionsOf(pass),
		visited:   map[any]bool{},
		reported:  map[finding]bool{},
	}
}

// task looks at an expression that yields a task's function.
func (c *checker) task(e ast.Expr) {
	switch e := ast.Unparen(e).(type) {
	case *ast.FuncLit:
		c.closure(e)
	case *ast.Ident:
		if v, ok := c.pass.TypesInfo.Uses[e].(*types.Var); ok {
			c.variable(v)
		}
	case *ast.CallExpr:
		if tv := c.pass.TypesInfo.Types[e.Fun]; tv.IsType() && len(e.Args) == 1 {
			c.task(e.Args[0]) // a conversion to a named function type
			return
		}
		for _, arg := range e.Args { // what is made of a function calls it, as a rule
			if t := c.pass.TypesInfo.TypeOf(arg); t != nil {
				if _, ok := t.Underlying().(*types.Signature); ok {
					c.task(arg)
				}
			}
		}
		c.madeBy(e)
	case *ast.SelectorExpr:
		if s := c.pass.TypesInfo.Selections[e]; s != nil && s.Kind() == types.MethodVal {
			c.methodValue(e)
		}
	}
}

// variable looks at the functions that were assigned to a variable.
func (c *checker) variable(v *types.Var) {
	if c.visited[v] {
		return
	}
	c.visited[v] = true
	c.wrapper(v)
	for _, a := range c.assigned[v] {
		if a.whole && !a.part {
			c.task(a.expr)
		}
	}
}

func (c *checker) methodValue(e *ast.SelectorExpr) {
	if why := forbidden(c.pass.TypesInfo.TypeOf(e.X)); why != "" {
		c.report(nil, e, "is a method of", e.X, why)
		return
	}
	if why := viaSelector(c.pass.TypesInfo, e); why != "" {
		c.report(nil, e, "is a method of", e.X, why)
		return
	}
	if x, ok := ast.Unparen(e.X).(*ast.SelectorExpr); ok {
		if why := forbiddenMember(c.pass.TypesInfo.TypeOf(x.X), x.Sel.Name); why != "" {
			c.report(nil, e, "is a method of", x, why)
			return
		}
	}
	if f, ok := c.pass.TypesInfo.Uses[e.Sel].(*types.Func); ok {
		c.method(e, f)
	}
}

// closure looks at every use of a variable that the literal captures. Literals inside it are a part of it.
func (c *checker) closure(lit *ast.FuncLit) {
	if c.visited[lit] {
		return
	}
	c.visited[lit] = true
	ast.PreorderStack(lit.Body, nil, func(n ast.Node, stack []ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			if v := c.captured(lit, id); v != nil {
				c.use(lit, id, v, stack)
			}
		}
		return true
	})
}

// captured returns the variable that id names when it belongs to a function around the literal.
func (c *checker) captured(lit *ast.FuncLit, id *ast.Ident) *types.Var {
	v, ok := c.pass.TypesInfo.Uses[id].(*types.Var)
	if !ok || v.IsField() || v.Pkg() != c.pass.Pkg || v.Parent() == c.pass.Pkg.Scope() {
		return nil
	}
	if lit.Pos() <= v.Pos() && v.Pos() < lit.End() {
		return nil
	}
	return v
}

// use judges one use of a captured variable, together with the fields and elements that are picked from it on the spot.
func (c *checker) use(lit *ast.FuncLit, id *ast.Ident, v *types.Var, stack []ast.Node) {
	what, why, read := c.picked(id, stack)
	switch {
	case why != "":
		c.report(lit, what, "uses", what, why)
		return
	case !read:
		return
	}
	if _, ok := v.Type().Underlying().(*types.Signature); ok {
		c.variable(v)
		return
	}
	if from, why := c.held(id, map[*types.Var]bool{}); from != nil {
		c.report(lit, id, "uses "+id.Name+", which is from", from, why)
		return
	}
	if !c.immutable {
		c.fiberText(lit, what, v)
	}
}

// picked returns id with the fields and elements that are picked from it on the spot, and why a task must not use that; read is false when it is
// only overwritten.
func (c *checker) picked(id *ast.Ident, stack []ast.Node) (what ast.Expr, why string, read bool) {
	info := c.pass.TypesInfo
	what = id
	for {
		var around ast.Node
		if len(stack) > 0 {
			around, stack = stack[len(stack)-1], stack[:len(stack)-1]
		}
		if isTarget(what, around) {
			return what, "", false
		}
		if why := forbidden(info.TypeOf(what)); why != "" {
			return what, why, true
		}
		if s, ok := around.(*ast.SelectorExpr); ok {
			if why := viaSelector(info, s); why != "" {
				return s, why, true
			}
		}
		if call := chiLookup(info, what, around, stack); call != nil {
			return call, whyChi, true
		}
		wider := part(info, what, around)
		if wider == nil {
			return what, "", true
		}
		what = wider
	}
}

// part returns around when it is a part of e: a field, an element, a slice; nil otherwise.
func part(info *types.Info, e ast.Expr, around ast.Node) ast.Expr {
	switch p := around.(type) {
	case *ast.ParenExpr:
		return p
	case *ast.StarExpr:
		return p
	case *ast.TypeAssertExpr:
		if p.Type != nil {
			return p
		}
	case *ast.IndexExpr:
		if p.X == e {
			return p
		}
	case *ast.SliceExpr:
		if p.X == e {
			return p
		}
	case *ast.SelectorExpr:
		if s := info.Selections[p]; s != nil && s.Kind() == types.FieldVal {
			return p
		}
	}
	return nil
}

func isTarget(e ast.Expr, around ast.Node) bool {
	a, ok := around.(*ast.AssignStmt)
	return ok && a.Tok == token.ASSIGN && slices.Contains(a.Lhs, e)
}

// report says what the task does with what, and why that is wrong. in is nil for a task that is no literal.
func (c *checker) report(in *ast.FuncLit, at ast.Expr, does string, what ast.Expr, why string) {
	c.reportFixed(in, at, "task "+does+" "+types.ExprString(what)+", "+why, nil)
}

func (c *checker) reportFixed(in *ast.FuncLit, at ast.Expr, message string, fixes []analysis.SuggestedFix) {
	f := finding{in, message}
	if in != nil && c.reported[f] {
		return
	}
	c.reported[f] = true
	c.pass.Report(analysis.Diagnostic{Pos: at.Pos(), End: at.End(), Message: message, SuggestedFixes: fixes})
}
