// Package adaptertest is what the tests of all adapters share: a server whose network is slow, clients that speak HTTP/1 by hand, a
// reader of live streams, and a service under test that can be stopped. It knows no framework.
package adaptertest
