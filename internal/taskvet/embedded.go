package taskvet

import (
	"go/ast"
	"go/types"
)

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
