// Package taskvet is the analysis behind cmd/taskvet: it finds closures given to Add that keep what belongs to the request.
//
// A task runs after the response has been sent. By then the framework has given the request's context to somebody else, the
// body is closed, uploaded files are removed, and the memory behind Fiber's strings holds the next request.
//
// A task is what is given to Add of an adapter or of core, or to core's WorkOf (so that Manager.Add and Batch.Add are
// covered): a function literal, a variable that one was assigned to, a method value, or a call that gets one of these and makes
// another function of it. Functions that a task calls through a variable belong to it.
//
// It looks at one function at a time, without following calls, except those of function literals: what a call of a function of the program
// returns is taken as harmless. Of the standard library, Fiber's utils and fasthttp it knows what returns its argument, or a
// part of it, and what copies. Structs are followed one field deep. Strings that Fiber's BodyParser and its relatives write into a struct are not seen.
//
// It is not for tasks that are given as calls (Task.With): those encode their arguments at once.
package taskvet
