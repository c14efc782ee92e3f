package adaptertest

import (
	"context"
	"net"
	"testing"

	"github.com/taskflow-go/taskflow/adapters/internal/lifecycle"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
)

// Framework is what an adapter's tests implement to join [Suite]. docs/adapters.md walks through it.
type Framework interface {
	// Traits tells what the framework is like.
	Traits() Traits
	// New returns an application for the test t (nil in a child process, see [Main]) whose every route has tasks.Middleware(m) before it, and outside of that what setup asks for.
	New(t testing.TB, m *taskflow.Manager, setup Setup) App
}

// Traits are the differences between frameworks that the suite must know.
type Traits struct {
	// NetHTTP: applications are served by net/http, so Handler works, and HTTP/2 and http.TimeoutHandler are possible.
	NetHTTP bool
	// ReturnsErrors: handlers return errors, and an error drops the request's tasks.
	ReturnsErrors bool
	// FatalPanics: a panic that no recovery catches ends the process.
	FatalPanics bool
	// RefusesTakenPaths: two mounts at one path are refused when the second is made; otherwise they cannot be noticed.
	RefusesTakenPaths bool
	// Wildcard is the last segment of a route that takes all the rest, "*" say, which Mount must refuse; empty: there is none.
	Wildcard string
}

// Setup is what the routes of an application have before them.
type Setup struct {
	// Recover is the framework's own recovery from panics, outside of the middleware.
	Recover bool
	// Value, when not nil, puts the request header User into the request's context under this key, outside of the middleware.
	Value any
	// Twice puts the middleware a second time before the routes.
	Twice bool
	// Bare leaves the middleware out.
	Bare bool
}

// App is an application of a framework.
type App interface {
	// Handle registers a handler of GET path. A segment ":name" of path is a parameter.
	Handle(path string, h func(Request) error)
	// Group returns what registers routes below prefix.
	Group(prefix string) App
	// Mount calls the adapter's Mount here.
	Mount(m *taskflow.Manager, path string, opts ...dashboard.Option)
	// Run calls the adapter's Run for the application.
	Run(ctx context.Context, m *taskflow.Manager, addr string, opts ...lifecycle.Option) error
	// Own serves the application as a user would who keeps his own server: Attach, then serve on ln in the background. It returns
	// the server's own graceful shutdown, which waits for the serving goroutine too.
	Own(m *taskflow.Manager, ln net.Listener) (shutdown func(context.Context) error)
}

// Request is one request in a handler.
type Request interface {
	// Add calls the adapter's Add with fn.
	Add(fn func(context.Context) error, opts ...taskflow.AddOption) taskflow.Handle
	// Submit calls the adapter's Submit.
	Submit(call taskflow.Call, opts ...taskflow.AddOption) (taskflow.Handle, error)
	// SubmitMany calls the adapter's SubmitMany.
	SubmitMany(calls []taskflow.Call, opts ...taskflow.AddOption) ([]taskflow.Handle, error)
	// Context is the request's context, as code without the framework gets it.
	Context() context.Context
	// Param is the value of a parameter of the path, as a user of the framework would take it for a task.
	Param(name string) string
	// RawParam is the same as the framework returns it, not copied: what is given to taskflow at once need not be.
	RawParam(name string) string
	// Text answers.
	Text(status int, body string) error
	// Chunks answers 200 with parts, each flushed.
	Chunks(parts ...string) error
	// Hijack takes the connection over, answers 101 and calls f with it; f may last. The handler must return what it returns.
	Hijack(f func(net.Conn)) error
}
