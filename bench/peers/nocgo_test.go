//go:build !cgo

package peers

const cgo = false
