package taskflow

import (
	"context"
	"fmt"
	"maps"
	"path"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
)

// Call is a Task bound to its arguments; made by [Task.With]. The zero value is unusable. Safe for concurrent use.
type Call struct {
	def  *definition
	args []byte
	err  error // why the arguments cannot be stored
}

// Name is the name of the task.
func (c Call) Name() string {
	if c.def == nil {
		return ""
	}
	return c.def.name
}

// Args are the arguments as JSON; nil when they could not be encoded. Must not be written to.
func (c Call) Args() []byte { return c.args }

// Runnable is what Add accepts: a function (a closure, a method value, a named function type) or a Call. A Task without
// its arguments and a func(*gin.Context) do not compile.
type Runnable interface {
	~func(context.Context) error | ~func(context.Context) | ~func() error | ~func() | Call
}

// Work is any Runnable as a plain value: what adapters hand to [Batch.Add]. Made by [WorkOf].
type Work struct {
	call Call
	fn   any // one of the four plain function types; nil: call
}

// WorkOf converts a Runnable. A nil function and a zero Call are programmer errors: it panics and says so.
func WorkOf[R Runnable](r R) Work {
	switch f := any(r).(type) {
	case Call:
		if f.def == nil {
			panic("taskflow: Add of a zero Call: make it with Task.With")
		}
		return Work{call: f}
	case func(context.Context) error:
		return workOfFunc(f, f == nil)
	case func(context.Context):
		return workOfFunc(f, f == nil)
	case func() error:
		return workOfFunc(f, f == nil)
	case func():
		return workOfFunc(f, f == nil)
	}
	// A named function type satisfies the union but matches no case above: convert it to its underlying type.
	v := reflect.ValueOf(any(r))
	for _, plain := range []reflect.Type{
		reflect.TypeFor[func(context.Context) error](), reflect.TypeFor[func(context.Context)](),
		reflect.TypeFor[func() error](), reflect.TypeFor[func()](),
	} {
		if v.Type().ConvertibleTo(plain) {
			return workOfFunc(v.Convert(plain).Interface(), v.IsNil())
		}
	}
	panic(fmt.Sprintf("taskflow: a %s cannot be run", v.Type())) // the type union admits nothing else
}

func workOfFunc(f any, isNil bool) Work {
	if isNil {
		panic("taskflow: Add of a nil function: pass a function, or a Task's With(args)")
	}
	return Work{fn: f}
}

// run executes the function with ctx.
func (w *Work) run(ctx context.Context) error {
	switch f := w.fn.(type) {
	case func(context.Context) error:
		return f(ctx)
	case func(context.Context):
		f(ctx)
		return nil
	case func() error:
		return f()
	case func():
		f()
		return nil
	}
	return w.call.def.run(ctx, w.call.args)
}

// closureNames remembers the display names of functions. Copied on write: there are as many as Add has call sites.
type closureNames struct {
	m atomic.Pointer[map[uintptr]string]
}

func (c *closureNames) of(fn any) string {
	pc := reflect.ValueOf(fn).Pointer()
	old := c.m.Load()
	if old != nil {
		if name, ok := (*old)[pc]; ok {
			return name
		}
	}
	name := funcName(pc)
	grown := make(map[uintptr]string)
	for {
		clear(grown)
		if old != nil {
			maps.Copy(grown, *old)
		}
		grown[pc] = name
		if c.m.CompareAndSwap(old, &grown) {
			return name
		}
		old = c.m.Load()
	}
}

// funcName is package.Function for a declared function or method, and folder/file.go:line for a closure, whose own name
// (main.func3) says nothing and changes with every edit.
func funcName(pc uintptr) string {
	f := runtime.FuncForPC(pc)
	if f == nil {
		return "function"
	}
	name := strings.TrimSuffix(f.Name(), "-fm") // a method value
	last := name[strings.LastIndexByte(name, '.')+1:]
	closure := strings.HasPrefix(last, "func") && strings.Trim(last[4:], "0123456789") == "" || strings.Trim(last, "0123456789") == ""
	file, line := f.FileLine(pc)
	if closure && strings.HasSuffix(file, ".go") {
		dir, base := path.Split(file)
		return clip(path.Join(path.Base(dir), base)+":"+strconv.Itoa(line), MaxNameBytes)
	}
	return clip(path.Base(name), MaxNameBytes)
}
