// Package httpx is what the adapters for net/http, Chi and Gin share: it knows when the response of a request has left.
//
// A middleware cannot know when its response is out: net/http writes the last bytes after every handler has returned. The
// server tells it through its ConnState hook, so exactness needs the server, which [Attach] and [Run] have:
//
//	conn.go     follows connections: which requests each serves, when their responses are out
//	request.go  follows one request and holds its Batch; it is the request's context
//	late.go     the best possible moment where no exact one exists: HTTP/2, servers nobody attached, recorders
//	handler.go  the middleware as net/http knows it
//	attach.go   wires a manager into a server
//	run.go      a net/http server for package lifecycle, which has the order of start and stop
//	batch.go    finds the batch of a request
//	mount.go    checks a mount, and serves a handler below a path; Fiber's Mount begins with the same check
//
// It is not for handlers: those see the adapters only.
package httpx
