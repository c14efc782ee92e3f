// Package dashboard serves a manager's tasks over HTTP: a JSON API, a live stream of changes (server-sent events) and a page
// that uses both.
//
//	h, err := dashboard.New(m, dashboard.User("ada", os.Getenv("TASKS_PASSWORD_HASH")))
//	...
//	mux.Handle("/tasks/", http.StripPrefix("/tasks", h))
//
// The adapters' Mount does that for each framework. The handler expects the mount's prefix to be stripped and emits relative
// URLs only, so that it works under any prefix, router group and reverse proxy. The API is described by the OpenAPI document
// at openapi.json.
//
// # Who is let in
//
// With users ([User], and [Viewer] for those who may only look) everything but the login page needs a session. Without users only clients on the same machine are
// served, unless [Public] opens the mount to everybody, which suits a mount behind an application's own authentication.
// Requests that change something are refused when they come from another origin; see [TrustedOrigin]. Everything that
// somebody does is written to the audit trail of the manager.
//
// # Many tasks at once
//
// POST /bulk begins an operation, a goroutine that lasts until its work is done, somebody stops it, or the manager or the handler is stopped:
// both wait for it ([taskflow.Manager.Alongside], [Handler.Close]).
//
// # What it is not for
//
// It is not a way to add tasks: handlers do that, with their own authorisation. It has two levels of access, operators and viewers, and no rules
// by task. It shows what managers count by minute and by hour for 90 days, which is no replacement for a system that keeps metrics.
package dashboard
