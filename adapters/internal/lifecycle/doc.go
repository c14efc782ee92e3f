// Package lifecycle is the order in which every adapter's Run starts and stops: listen, start the manager, serve, and at the end
// streams, server, tasks. It knows no framework: an adapter gives it a [Server].
package lifecycle
