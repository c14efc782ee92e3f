package taskvet

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/types/typeutil"
)

// functions are those that a package declares.
type functions struct {
	decls  map[*types.Func]*ast.FuncDecl
	params map[*types.Var]parameter
}

// parameter is one of a declared function.
type parameter struct {
	of    *types.Func
	index int
}

func functionsOf(pass *analysis.Pass) functions {
	fs := functions{decls: map[*types.Func]*ast.FuncDecl{}, params: map[*types.Var]parameter{}}
	for _, file := range pass.Files {
		for _, d := range file.Decls {
			decl, ok := d.(*ast.FuncDecl)
			if !ok || decl.Body == nil {
				continue
			}
			f, ok := pass.TypesInfo.Defs[decl.Name].(*types.Func)
			if !ok {
				continue
			}
			fs.decls[f] = decl
			for i := range f.Signature().Params().Len() {
				fs.params[f.Signature().Params().At(i)] = parameter{f, i}
			}
		}
	}
	return fs
}

// results looks at what a function returns as a task: a literal that is called on the spot, or a function of the package that makes tasks.
func (c *checker) results(body *ast.BlockStmt) {
	if c.visited[body] {
		return
	}
	c.visited[body] = true
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false // its returns are its own
		case *ast.ReturnStmt:
			for _, e := range n.Results {
				c.task(e)
			}
		}
		return true
	})
}

// madeBy looks at the task that a call returns.
func (c *checker) madeBy(call *ast.CallExpr) {
	if lit, ok := ast.Unparen(call.Fun).(*ast.FuncLit); ok {
		c.results(lit.Body)
		return
	}
	if decl := c.declOf(call); decl != nil {
		c.results(decl.Body)
	}
}

// declOf returns the declaration of the function of this package that is called; nil when it is another.
func (c *checker) declOf(call *ast.CallExpr) *ast.FuncDecl {
	f, ok := typeutil.Callee(c.pass.TypesInfo, call).(*types.Func)
	if !ok {
		return nil
	}
	return c.functions.decls[f.Origin()]
}

// wrapper notes that a parameter becomes a task, or a part of one: what is passed to that function is a task, too.
func (c *checker) wrapper(v *types.Var) {
	if p, ok := c.functions.params[v]; ok {
		c.wrappers = append(c.wrappers, p)
	}
}

// callsOfWrappers looks at what the package's own functions get as tasks. Such a call may be in a wrapper itself, and make a further one.
func (c *checker) callsOfWrappers(calls []*ast.CallExpr) {
	for len(c.wrappers) > 0 {
		w := c.wrappers[0]
		c.wrappers = c.wrappers[1:]
		for _, call := range calls {
			f, ok := typeutil.Callee(c.pass.TypesInfo, call).(*types.Func)
			if ok && f.Origin() == w.of && w.index < len(call.Args) {
				c.task(call.Args[w.index])
			}
		}
	}
}

// method looks at the fields that a method which becomes a task uses of its receiver.
func (c *checker) method(e *ast.SelectorExpr, f *types.Func) {
	decl := c.functions.decls[f.Origin()]
	if decl == nil || decl.Recv == nil || len(decl.Recv.List[0].Names) == 0 {
		return
	}
	info := c.pass.TypesInfo
	recv := info.Defs[decl.Recv.List[0].Names[0]]
	found := false
	ast.PreorderStack(decl.Body, nil, func(n ast.Node, stack []ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok || found || info.Uses[id] != recv {
			return !found
		}
		if what, why, _ := c.picked(id, stack); why != "" {
			found = true
			c.report(nil, e, "is a method that uses", what, why)
		}
		return true
	})
}
