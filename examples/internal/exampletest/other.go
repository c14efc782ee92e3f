//go:build !unix

// Package exampletest starts the real program of an example and uses it as its users would. It needs signals.
package exampletest
