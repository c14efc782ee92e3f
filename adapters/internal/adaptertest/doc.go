// Package adaptertest is what every adapter is held to, and what its tests are made of.
//
// [Suite] tests an adapter through [Framework], [App] and [Request], which it implements in a test file of its own; suite_*.go has a topic
// each, and main.go the program that real signals are sent to. The rest is for tests beside the suite as well: a server whose network is slow, clients that speak
// HTTP/1 by hand, a reader of live streams, a service under test that can be stopped. It knows no framework.
package adaptertest
