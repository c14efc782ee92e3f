package taskvet

import (
	"go/ast"
	"go/constant"
	"go/types"

	"golang.org/x/tools/go/types/typeutil"
)

// search finds where text comes from, following the assignments of one package.
type search struct {
	info     *types.Info
	assigned assignments
	seen     map[step]bool // what this search has looked at: x = f(x) in a loop leads back
}

// step is a part of a search: which assignment, and which field of what was assigned.
type step struct {
	expr  ast.Expr
	field *types.Var
}

// origin returns the method of *fiber.Ctx in whose memory e, or the field of it when field is set, may lie; "" when none.
func (s search) origin(e ast.Expr, field *types.Var) string {
	s.seen = map[step]bool{}
	return s.trace(e, field)
}

// trace is origin as a part of a search.
func (s search) trace(e ast.Expr, field *types.Var) string {
	e = ast.Unparen(e)
	tv, ok := s.info.Types[e]
	if ok && field == nil && (tv.Value != nil && tv.Value.Kind() != constant.Unknown || !holdsText(tv.Type, nil)) {
		return ""
	}
	if path, name := nameOf(tv.Type); path == fasthttpPath && name == "RequestCtx" {
		return "Context"
	}
	switch e := e.(type) {
	case *ast.Ident:
		if v, ok := s.info.ObjectOf(e).(*types.Var); ok {
			return s.variable(v, e, field)
		}
	case *ast.SelectorExpr:
		if sel := s.info.Selections[e]; sel != nil && sel.Kind() == types.FieldVal {
			f, _ := sel.Obj().(*types.Var)
			return s.trace(e.X, f)
		}
	case *ast.StarExpr:
		return s.trace(e.X, field)
	case *ast.UnaryExpr: // &x
		return s.trace(e.X, field)
	case *ast.TypeAssertExpr:
		return s.trace(e.X, field)
	case *ast.IndexExpr:
		return s.trace(e.X, nil)
	case *ast.SliceExpr:
		return s.trace(e.X, nil)
	case *ast.CompositeLit:
		return s.literal(e, field)
	case *ast.BinaryExpr:
		return s.concatenation(e)
	case *ast.CallExpr:
		return s.call(e)
	}
	return ""
}

func (s search) variable(v *types.Var, at ast.Expr, field *types.Var) string {
	for _, a := range s.assigned.reaching(v, field, at.Pos()) {
		if a.part && types.Identical(v.Type(), types.Universe.Lookup("error").Type()) {
			continue // it tells that the text was bad, as a rule without the text
		}
		asked := field
		switch {
		case !a.whole && field != nil && a.field != nil && a.field != field:
			continue
		case !a.whole || a.part:
			asked = nil
		}
		if a.parser != "" {
			return a.parser
		}
		next := step{a.expr, asked}
		if s.seen[next] {
			continue
		}
		s.seen[next] = true
		if m := s.trace(a.expr, asked); m != "" {
			return m
		}
	}
	return ""
}

// literal looks at the elements of a composite literal, or at the one that is the field.
func (s search) literal(e *ast.CompositeLit, field *types.Var) string {
	str, _ := s.info.TypeOf(e).Underlying().(*types.Struct)
	for i, element := range e.Elts {
		var target types.Object
		if kv, ok := element.(*ast.KeyValueExpr); ok {
			element = kv.Value
			if key, ok := kv.Key.(*ast.Ident); ok {
				target = s.info.Uses[key]
			}
			if str == nil {
				if m := s.trace(kv.Key, nil); m != "" {
					return m
				}
			}
		} else if str != nil && i < str.NumFields() {
			target = str.Field(i)
		}
		if str != nil && field != nil && target != field {
			continue
		}
		if m := s.trace(element, nil); m != "" {
			return m
		}
	}
	return ""
}

// call looks at what a call returns: text of Fiber's, or text of its arguments.
func (s search) call(e *ast.CallExpr) string {
	if tv := s.info.Types[e.Fun]; tv.IsType() {
		// Between string and []byte a conversion copies; between two string types, or to an interface, it does not.
		to := tv.Type.Underlying()
		if len(e.Args) == 1 && (types.IsInterface(to) || types.Identical(to, s.info.TypeOf(e.Args[0]).Underlying())) {
			return s.trace(e.Args[0], nil)
		}
		return ""
	}
	switch f := typeutil.Callee(s.info, e).(type) {
	case *types.Builtin:
		return s.builtin(f.Name(), e)
	case *types.Func:
		if f.Signature().Recv() != nil {
			return s.method(f, e)
		}
		if f.Pkg() == nil || repeats(s.info, f, e) {
			return ""
		}
		return s.of(e.Args[:min(len(e.Args), returned(f.Pkg().Path(), f.Name(), isBytes(s.info.TypeOf(e))))])
	}
	return ""
}

func (s search) builtin(name string, e *ast.CallExpr) string {
	switch name {
	case "min", "max":
		return s.of(e.Args)
	case "append":
		if isBytes(s.info.TypeOf(e)) && len(e.Args) > 0 {
			return s.trace(e.Args[0], nil) // the bytes of the others are copied
		}
		return s.of(e.Args)
	}
	return ""
}

func (s search) of(args []ast.Expr) string {
	for _, a := range args {
		if m := s.trace(a, nil); m != "" {
			return m
		}
	}
	return ""
}
