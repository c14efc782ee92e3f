// Package taskvet is the analysis behind cmd/taskvet: it finds closures given to Add that keep what belongs to the request.
//
// A task runs after the response has been sent. By then the framework has given the request's context to somebody else, the
// body is closed, uploaded files are removed, and the memory behind Fiber's strings and Chi's parameters holds the next request.
//
// A task is what is given to Add of an adapter or of core, or to core's WorkOf (so that Manager.Add and Batch.Add are
// covered): a function literal, a variable that one was assigned to, a method value, what a function of the package, or a literal called on the
// spot, returns, or a call that gets one of these and makes another function of it. Functions that a task calls through a variable belong to
// it, and so does what is passed to a function of the package that makes a task of it.
//
//	analyzer.go   finds what becomes a task
//	checker.go    looks at a task: which captured variables it uses, and how
//	functions.go  the package's own functions that make tasks, or pass them on
//	forbidden.go  types and members that a task must not use; embedded.go those that are embedded
//	held.go       variables whose own type hides one of them
//	chi.go        Chi's route parameters
//	fiber.go      text in Fiber's memory, and the fix
//	origin.go     where text comes from; methods.go and text.go what methods and functions of others return
//	assign.go     what each variable gets; calls.go what the parameters of literals get
//	goroutine.go  go statements that use a framework's context
//
// It does not look into the functions that a task calls, except function literals: what it passes on is taken as used well, and what it gets from there
// as harmless. Of the standard library, Fiber's utils and fasthttp it knows what returns its argument, or a part of it, and what
// copies. Structs are followed one field deep.
//
// It is not for tasks that are given as calls (Task.With): those encode their arguments at once.
package taskvet
