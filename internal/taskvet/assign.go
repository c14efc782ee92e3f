package taskvet

import (
	"go/ast"
	"go/token"
	"go/types"
)

// assignments are what each variable of a package gets, in the order of the text.
type assignments map[*types.Var][]assignment

type assignment struct {
	expr   ast.Expr
	whole  bool       // the variable as such gets it, not only a field or an element
	part   bool       // an element of expr, or one of its several results, is what the variable gets
	field  *types.Var // the field that gets it, or a part of it; nil unless it is a field
	exact  bool       // all of that field gets it
	parser string     // the method of Fiber's by which expr writes into the variable; empty: expr is the value
	stmt   ast.Node
	block  ast.Node // whoever is in it after stmt has passed stmt; nil when that is not certain
}

func assignmentsOf(info *types.Info, files []*ast.File) assignments {
	c := collector{info: info, found: assignments{}}
	for _, f := range files {
		ast.PreorderStack(f, nil, c.visit)
	}
	c.bind(files)
	return c.found
}

type collector struct {
	info  *types.Info
	found assignments
}

func (c collector) visit(n ast.Node, stack []ast.Node) bool {
	switch n := n.(type) {
	case *ast.AssignStmt:
		switch {
		case n.Tok == token.ASSIGN || n.Tok == token.DEFINE, n.Tok == token.ADD_ASSIGN && neverEmpty(c.info, n.Rhs[0]):
			c.addAll(n.Lhs, n.Rhs, n, blockOf(stack))
		case n.Tok == token.ADD_ASSIGN: // either side may turn out to be all of the sum
			c.addAll(n.Lhs, n.Rhs, n, nil)
		}
	case *ast.ValueSpec:
		names := make([]ast.Expr, len(n.Names))
		for i, id := range n.Names {
			names[i] = id
		}
		c.addAll(names, n.Values, n, nil)
	case *ast.CallExpr:
		if method := fiberParser(c.info, n); method != "" && len(n.Args) == 1 {
			c.fill(n.Args[0], assignment{expr: n, parser: method, stmt: n})
		}
	case *ast.RangeStmt:
		for _, target := range []ast.Expr{n.Key, n.Value} {
			if target != nil {
				c.add(target, assignment{expr: n.X, part: true, stmt: n})
			}
		}
	}
	return true
}

func (c collector) addAll(targets, values []ast.Expr, stmt, block ast.Node) {
	for i, t := range targets {
		switch {
		case len(values) == len(targets):
			c.add(t, assignment{expr: values[i], stmt: stmt, block: block})
		case len(values) == 1:
			c.add(t, assignment{expr: values[0], part: true, stmt: stmt, block: block})
		}
	}
}

// fill notes an assignment at what pointer, an argument, points to: a function writes there.
func (c collector) fill(pointer ast.Expr, a assignment) {
	pointer = ast.Unparen(pointer)
	if u, ok := pointer.(*ast.UnaryExpr); ok && u.Op == token.AND {
		c.note(u.X, a)
		return
	}
	c.note(pointer, a)
}

// add notes an assignment at the variable that target is, or is a part of.
func (c collector) add(target ast.Expr, a assignment) {
	a.whole = true
	c.note(target, a)
}

func (c collector) note(target ast.Expr, a assignment) {
	for {
		switch t := target.(type) {
		case *ast.Ident:
			if v, ok := c.info.ObjectOf(t).(*types.Var); ok {
				c.found[v] = append(c.found[v], a)
			}
			return
		case *ast.ParenExpr:
			target = t.X
		case *ast.StarExpr:
			target, a.whole = t.X, false
		case *ast.IndexExpr:
			target, a.whole, a.field, a.exact = t.X, false, nil, false
		case *ast.SelectorExpr:
			f, _ := c.info.Uses[t.Sel].(*types.Var)
			target, a.whole, a.field, a.exact = t.X, false, f, a.whole
		default:
			return
		}
	}
}

// blockOf returns the list of statements that a statement stands in. A for's post statement stands in none, though its text
// comes before the body's.
func blockOf(stack []ast.Node) ast.Node {
	if len(stack) == 0 {
		return nil
	}
	switch b := stack[len(stack)-1].(type) {
	case *ast.BlockStmt, *ast.CaseClause, *ast.CommClause:
		return b
	}
	return nil
}

// reaching returns the assignments whose value v, or its field when that is not nil, may have at a place: all but those that another one has
// overwritten on every way there. Later ones count too, since a closure sees them, and loops come back.
func (all assignments) reaching(v, field *types.Var, at token.Pos) []assignment {
	found := all[v]
	first := 0
	for i, a := range found {
		overwrites := a.whole || a.exact && field != nil && a.field == field
		if overwrites && a.block != nil && a.stmt.End() <= at && a.block.Pos() <= at && at < a.block.End() {
			first = i
		}
	}
	return found[first:]
}
