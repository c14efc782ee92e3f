package taskvet

import (
	"go/ast"
	"go/token"
	"go/types"
)

// boxed says why a task must not keep the variable v, of an interface type, as it is at a place: "" when nothing that was assigned to it is
// known as something that it must not keep.
func (c *checker) boxed(v *types.Var, at token.Pos, outer map[*types.Var]bool) string {
	if !types.IsInterface(v.Type()) || outer[v] {
		return ""
	}
	outer[v] = true
	for _, a := range c.assigned.reaching(v, at) {
		if !a.whole {
			continue
		}
		if why := c.inBox(a.expr, outer); why != "" {
			return why
		}
	}
	return ""
}

// inBox looks into an expression that an interface gets.
func (c *checker) inBox(e ast.Expr, outer map[*types.Var]bool) string {
	info := c.pass.TypesInfo
	e = ast.Unparen(e)
	if why := forbidden(info.TypeOf(e)); why != "" {
		return why
	}
	switch e := e.(type) {
	case *ast.Ident:
		if v, ok := info.Uses[e].(*types.Var); ok {
			return c.boxed(v, e.Pos(), outer)
		}
	case *ast.TypeAssertExpr:
		return c.inBox(e.X, outer)
	case *ast.SelectorExpr:
		return viaMember(info, e)
	case *ast.CallExpr:
		if info.Types[e.Fun].IsType() && len(e.Args) == 1 {
			return c.inBox(e.Args[0], outer)
		}
	}
	return ""
}

// viaSelector says why a task must not use x.f: because of the type of x, or of what is embedded in it and has the f.
func viaSelector(info *types.Info, s *ast.SelectorExpr) string {
	for _, t := range owners(info, s) {
		if why := forbidden(t); why != "" {
			return why
		}
	}
	return viaMember(info, s)
}

// viaMember says why a task must not use x.f because of that f.
func viaMember(info *types.Info, s *ast.SelectorExpr) string {
	all := owners(info, s)
	return forbiddenMember(all[len(all)-1], s.Sel.Name)
}

// owners returns the types that x.f goes through: that of x, and those that are embedded in it on the way to the one that has the f.
func owners(info *types.Info, s *ast.SelectorExpr) []types.Type {
	all := []types.Type{info.TypeOf(s.X)}
	sel := info.Selections[s]
	if sel == nil {
		return all
	}
	for _, i := range sel.Index()[:len(sel.Index())-1] {
		all = append(all, fieldOf(all[len(all)-1], i))
	}
	return all
}

// fieldOf returns the type of the field i of a struct, or of what t points to.
func fieldOf(t types.Type, i int) types.Type {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	if s, ok := t.Underlying().(*types.Struct); ok && i < s.NumFields() {
		return s.Field(i).Type()
	}
	return types.Typ[types.Invalid]
}
