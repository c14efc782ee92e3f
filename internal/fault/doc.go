// Package fault kills things and counts. Its tests run a small web service in real processes, load it with clients, kill the service, the
// server of its backend or the disk below it at random moments, and then ask what became of every task that was answered 202.
//
// What must hold, whatever was killed: a task that Submit accepted is in the history in the end, exactly once; its function was
// started at most once and ran to its end if the history says success; it is interrupted if, and only if, it was running
// when its process died. Each order has an idempotency key, and clients repeat those whose answer was lost: of the tasks of a key one succeeds, and
// another is started only when those before were interrupted. `make test` runs each in a short form, `make fault` a hundred kills for each backend (see the flags -kills and
// -seed).
package fault
